"""Read the user's own data set from an .npz file."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.config import NO_LABEL
from models.errors import InputError
from pipeline.data.archive import as_windows, npz_keys, read_npz, require_finite
from pipeline.data.dataset import SequenceDataset, moved_padding, real_steps
from pipeline.data.lengths import checked_lengths, without_padding
from pipeline.data.options import BY_DEFAULT, ReadOptions
from pipeline.data.registry import register_reader
from pipeline.data.targets import KEYS, read_targets, task_of_labels, texts

REQUIRED = ("x_train", "y_train", "x_test", "y_test")
LENGTHS = ("lengths_train", "lengths_test")
OPTIONAL = (*KEYS, *LENGTHS, "channel_names", "channel_units", "sample_rate_hz")


@register_reader(".npz")
def read(path: Path, options: ReadOptions = BY_DEFAULT) -> SequenceDataset:
    """Read a data set, for a task where somebody asked for one.

    Keys: `x_train`, `x_test` [n, time, channels] numbers in raw units; `y_train`, `y_test`, see
    `pipeline.data.targets`; optional `task`, `class_names` (of other tasks `label_names`, or `target_names`
    and `target_units`), `channel_names`, `channel_units` (texts) and `sample_rate_hz` (one number). With
    `lengths_train` and `lengths_test` [n] only the first so many steps of a window are read, whatever stands
    behind them. Other keys are not read; `unread` names them.

    Raises:
        InputError: anything the pipeline could not use; the message says what and where.
    """
    present = npz_keys(path)
    _require_keys(present)
    ignored = unread_keys(present, (*REQUIRED, *OPTIONAL))
    arrays = read_npz(path, lambda _: [key for key in (*REQUIRED, *OPTIONAL) if key in present])
    padded = all(key in arrays for key in LENGTHS)
    if padded:
        arrays = {**arrays, **_without_padding(arrays, options.task)}
    x_train, x_test = (checked_windows(key, arrays[key]) for key in ("x_train", "x_test"))
    if x_train.shape[1:] != x_test.shape[1:]:
        raise InputError(
            f"x_train has windows of shape {x_train.shape[1:]} [time, channels], "
            f"x_test of {x_test.shape[1:]}.",
            "Both need the same number of steps and channels.",
        )
    steps, channels = x_train.shape[1:]
    targets = read_targets(arrays, steps, options.task)
    parts = [_Part(windows, labels, np.full(len(windows), steps, np.int64))
             for windows, labels in ((x_train, targets.y_train), (x_test, targets.y_test))]  # fmt: skip
    if padded:
        per_step = targets.task == "per-step"
        parts = [
            part.padded_in_front(arrays[key].astype(np.int64), per_step)
            for part, key in zip(parts, LENGTHS, strict=True)
        ]
    train, test = parts
    return SequenceDataset(
        name=path.stem,
        x_train=train.windows,
        y_train=train.labels,
        x_test=test.windows,
        y_test=test.labels,
        lengths_train=train.lengths,
        lengths_test=test.lengths,
        class_names=targets.names,
        channel_names=texts(arrays, "channel_names", channels)
        or tuple(f"channel {index}" for index in range(channels)),
        channel_units=texts(arrays, "channel_units", channels) or ("",) * channels,
        sample_rate_hz=sample_rate(arrays),
        padding="front" if padded else "none",
        attribution=f"{path.name}, a file of the user's own; it states no source and no licence.",
        unread=ignored,
        task=targets.task,
        target_units=targets.units,
    )


@dataclass(frozen=True)
class _Part:
    """The training or test part: windows [n, T, F], their labels and lengths."""

    windows: np.ndarray
    labels: np.ndarray
    lengths: np.ndarray

    def padded_in_front(self, lengths: np.ndarray, per_step: bool) -> _Part:
        """The same windows, of which only the first steps are real, as a `SequenceDataset` holds them."""
        real = real_steps(lengths, self.windows.shape[1], "end")
        windows = np.where(real[..., np.newaxis], self.windows, np.float32(np.nan))
        labels = self.labels
        if per_step:
            labels = moved_padding(np.where(real, labels, NO_LABEL), lengths, "front")
        return _Part(moved_padding(windows, lengths, "front"), labels, lengths)


def _without_padding(arrays: dict[str, np.ndarray], task: str | None) -> dict[str, np.ndarray]:
    """Windows, and labels of their steps, with the first step in place of everything that is padding.

    Rows of as many labels as there are steps are labels of steps only where that is the task.
    """
    found = {}
    for part in ("train", "test"):
        windows = arrays[f"x_{part}"]
        if windows.ndim != 3 or windows.size == 0:
            checked_windows(f"x_{part}", windows)  # says what is wrong with them
        lengths = checked_lengths(f"lengths_{part}", arrays[f"lengths_{part}"], windows, f"x_{part}")
        real = real_steps(lengths, windows.shape[1], "end")
        found[f"x_{part}"] = without_padding(windows, lengths)
        labels = arrays[f"y_{part}"]
        if labels.shape == real.shape and task_of_labels(arrays, windows.shape[1], task) == "per-step":
            found[f"y_{part}"] = np.where(real, labels, labels[:, :1])
    return found


def _require_keys(present: tuple[str, ...]) -> None:
    missing = [key for key in REQUIRED if key not in present]
    if missing:
        raise InputError(
            f"Missing in the .npz file: {', '.join(missing)}. It has: {', '.join(present) or 'nothing'}.",
            f"It needs {', '.join(REQUIRED)}; optional are {', '.join(OPTIONAL)}.",
        )
    if len(set(LENGTHS) & set(present)) == 1:
        raise InputError(f"Of {' and '.join(LENGTHS)} only one is there; the other part needs its own.")


def unread_keys(present: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Return the keys of a file that are not known; an InputError for one that looks like a misspelt one."""
    others = tuple(key for key in present if key not in known)
    for key in others:
        meant = difflib.get_close_matches(key.lower(), OPTIONAL, n=1, cutoff=0.8)
        if meant:
            raise InputError(f"Unknown key '{key}' in the .npz file.", f"Did you mean '{meant[0]}'?")
    return others


def checked_windows(key: str, values: np.ndarray) -> np.ndarray:
    """Return windows [n, time, channels] as float32; an InputError says what is wrong with them."""
    if values.ndim != 3:
        raise InputError(
            f"{key} has shape {values.shape}; allowed is [windows, time, channels].",
            "A single channel needs the last axis too: x[:, :, None].",
        )
    if values.size == 0:
        raise InputError(f"{key} is empty: its shape is {values.shape}.")
    if values.shape[1] < 2:
        raise InputError(
            f"{key} has windows of a single time step; a sequence model needs at least 2.",
            "The axes are [windows, time, channels]; are time and channels swapped?",
        )
    windows = as_windows(key, values)
    require_finite(key, windows)
    return windows


def sample_rate(arrays: dict[str, np.ndarray]) -> float | None:
    value = arrays.get("sample_rate_hz")
    if value is None:
        return None
    if value.size != 1 or value.dtype.kind not in "fiu" or not 0 < float(value.item()) < float("inf"):
        raise InputError(f"sample_rate_hz is {value}; allowed is one positive number.")
    return float(value.item())
