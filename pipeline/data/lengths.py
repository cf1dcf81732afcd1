"""How many steps of each window count, where an .npz says so: windows are padded at their end."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.errors import InputError
from pipeline.data.dataset import real_steps

LENGTHS_OF = {
    "x_train": ("lengths_train",),
    "x_test": ("lengths_test", "lengths"),
    "raw_features": ("lengths",),
    "features": ("lengths",),
}
"""The keys that may hold the lengths of the windows of a key; the first that is there is read."""


def lengths_key(windows: str, present: Mapping[str, np.ndarray] | tuple[str, ...]) -> str | None:
    """Name the key that holds the lengths of the windows under the key `windows`; None: there is none."""
    return next((key for key in LENGTHS_OF[windows] if key in present), None)


def checked_lengths(key: str, lengths: np.ndarray, windows: np.ndarray, of: str) -> np.ndarray:
    """Return lengths [n] as int64.

    Args:
        key, of: what the lengths and the windows are called.
        windows: [n, steps, channels].

    Raises:
        InputError: there is not one for each window, one is no whole number from 1 to steps, or a window is
            plainly padded in front.
    """
    count, steps = windows.shape[:2]
    wanted = f"{key} has to hold one whole number from 1 to {steps} for each of the {count} windows of {of}"
    if lengths.shape != (count,):
        raise InputError(f"{wanted}; its shape is {lengths.shape}.")
    if lengths.dtype.kind not in "iu":
        raise InputError(f"{wanted}; it holds {lengths.dtype} values.", "Store them as integers.")
    bad = np.flatnonzero((lengths < 1) | (lengths > steps))
    if len(bad):
        raise InputError(f"{wanted}; that of window {bad[0]} is {lengths[bad[0]]}.")
    lengths = np.asarray(lengths.astype(np.int64))
    _require_padding_behind(key, lengths, windows, of)
    return lengths


def _require_padding_behind(key: str, lengths: np.ndarray, windows: np.ndarray, of: str) -> None:
    """Refuse windows whose first steps look like padding, and those behind the length do not.

    Padding is the same in all of its steps, and in front it is 0 or NaN. A recording may begin with zeros, or
    have anything at all behind it; both at once is what a window padded in front looks like.
    """
    steps = windows.shape[1]
    if windows.dtype.kind not in "fiub":  # refused later, as windows
        return
    absent = np.isnan(windows)
    nothing = (absent | (windows == 0)).all(axis=2)  # [n, steps]
    as_last = ((windows == windows[:, -1:]) | (absent & absent[:, -1:])).all(axis=2)
    shorter = lengths < steps
    front = np.arange(steps) < (steps - lengths)[:, np.newaxis]
    in_front = (nothing | ~front).all(axis=1)
    varies = ~(as_last | real_steps(lengths, steps, "end")).all(axis=1)
    if len(bad := np.flatnonzero(shorter & in_front & varies)):
        window, length = bad[0], lengths[bad[0]]
        raise InputError(
            f"{key} says that the first {length} of the {steps} steps of window {window} of {of} count, but "
            f"its first {steps - length} hold nothing but 0 or NaN, and those behind differ: it seems padded "
            f"in front, as {len(bad)} of {len(windows)} windows.",
            "Padding stands at the end: np.roll(window, length - steps, axis=0) puts it there. Where these "
            "zeros were measured, set the steps behind them to 0.",
        )


def without_padding(windows: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return windows [n, steps, channels] with their first step in place of all that is padding.

    So whatever stands there, NaN too, is not taken for a value; `lengths` are checked already.
    """
    real = real_steps(lengths, windows.shape[1], "end")
    return np.where(real[..., np.newaxis], windows, windows[:, :1])


def zeros_for_padding(windows: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return windows [n, steps, channels] as a model takes them: zeros behind the steps that count."""
    real = real_steps(lengths, windows.shape[1], "end")
    return np.where(real[..., np.newaxis], windows, windows.dtype.type(0))
