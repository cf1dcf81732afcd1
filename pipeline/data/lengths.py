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
        InputError: there is not one for each window, or one is no whole number from 1 to steps.
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
    return np.asarray(lengths.astype(np.int64))


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
