"""Read the user's own data set from an .npz file."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from models.errors import InputError
from pipeline.data.archive import as_windows, npz_keys, read_npz, require_finite
from pipeline.data.dataset import SequenceDataset
from pipeline.data.registry import register_reader

REQUIRED = ("x_train", "y_train", "x_test", "y_test")
OPTIONAL = ("class_names", "channel_names", "channel_units", "sample_rate_hz")


@register_reader(".npz")
def read(path: Path) -> SequenceDataset:
    """Read a data set.

    Keys: `x_train`, `x_test` [n, time, channels] numbers in raw units; `y_train`, `y_test` [n], either
    whole numbers 0..classes-1 or texts; optional `class_names`, `channel_names`, `channel_units` (texts)
    and `sample_rate_hz` (one number). Other keys are not read; `unread` names them.

    Raises:
        InputError: anything the pipeline could not use; the message says what and where.
    """
    present = npz_keys(path)
    _require_keys(present)
    ignored = unread_keys(present, (*REQUIRED, *OPTIONAL))
    arrays = read_npz(path, lambda _: [key for key in (*REQUIRED, *OPTIONAL) if key in present])
    x_train, x_test = (checked_windows(key, arrays[key]) for key in ("x_train", "x_test"))
    if x_train.shape[1:] != x_test.shape[1:]:
        raise InputError(
            f"x_train has windows of shape {x_train.shape[1:]} [time, channels], "
            f"x_test of {x_test.shape[1:]}.",
            "Both need the same number of steps and channels.",
        )
    for part, windows in (("train", x_train), ("test", x_test)):
        if arrays[f"y_{part}"].shape != windows.shape[:1]:
            raise InputError(
                f"y_{part} has shape {arrays[f'y_{part}'].shape}, x_{part} holds {len(windows)} windows.",
                "Labels are one number or text a window, [n]; of one-hot rows take the argmax.",
            )
    y_train, y_test, class_names = _labels(arrays)
    steps, channels = x_train.shape[1:]
    return SequenceDataset(
        name=path.stem,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        lengths_train=np.full(len(x_train), steps, np.int64),
        lengths_test=np.full(len(x_test), steps, np.int64),
        class_names=class_names,
        channel_names=texts(arrays, "channel_names", channels)
        or tuple(f"channel {index}" for index in range(channels)),
        channel_units=texts(arrays, "channel_units", channels) or ("",) * channels,
        sample_rate_hz=sample_rate(arrays),
        padding="none",
        attribution=f"{path.name}, a file of the user's own; it states no source and no licence.",
        unread=ignored,
    )


def _require_keys(present: tuple[str, ...]) -> None:
    missing = [key for key in REQUIRED if key not in present]
    if missing:
        raise InputError(
            f"Missing in the .npz file: {', '.join(missing)}. It has: {', '.join(present) or 'nothing'}.",
            f"It needs {', '.join(REQUIRED)}; optional are {', '.join(OPTIONAL)}.",
        )


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


def _labels(arrays: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return y_train and y_test as indices, and the class names."""
    names = texts(arrays, "class_names", None)
    if len(set(names)) != len(names):
        raise InputError("class_names names a class twice.")
    y_train, y_test = arrays["y_train"], arrays["y_test"]
    if y_train.dtype.kind == "U" and y_test.dtype.kind == "U":
        names = names or tuple(sorted(set(y_train.tolist())))
        y_train, y_test = (_named(key, arrays[key], names) for key in ("y_train", "y_test"))
    else:
        y_train = _numbered("y_train", y_train, len(names))
        names = names or tuple(f"class {index}" for index in range(int(y_train.max()) + 1))
        y_test = _numbered("y_test", y_test, len(names))
    if len(names) < 2:
        raise InputError("y_train holds one class only; a classifier needs at least two.")
    absent = sorted(set(range(len(names))) - set(y_train.tolist()))
    if absent:
        raise InputError(
            f"No training window has the label {absent[0]} ('{names[absent[0]]}'), "
            f"though there are {len(names)} classes.",
            "Labels are 0..classes-1: subtract 1 if yours start at 1, and name only classes that occur.",
        )
    return y_train, y_test, names


def label_indices(key: str, labels: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return labels (whole numbers or texts) as indices into `names`; an InputError says which is none."""
    return _named(key, labels, names) if labels.dtype.kind == "U" else _numbered(key, labels, len(names))


def _named(key: str, labels: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    index = {name: position for position, name in enumerate(names)}
    unknown = sorted(set(labels.tolist()) - set(names))
    if unknown:
        raise InputError(
            f"{key} holds the label '{unknown[0]}'; known are {', '.join(names)}.",
            "The known labels are class_names; where it is absent those of the model, or those in y_train.",
        )
    return np.array([index[label] for label in labels.tolist()], np.int64)


def _numbered(key: str, labels: np.ndarray, classes: int) -> np.ndarray:
    """Return whole numbers in 0..classes-1 (0: any number of classes) as int64."""
    if labels.dtype.kind not in "fiub":
        raise InputError(
            f"{key} holds {labels.dtype} values; allowed are whole numbers, or texts in both parts."
        )
    limit = classes or len(labels)  # more classes than windows cannot each have one
    bad = np.flatnonzero(~((labels >= 0) & (labels < limit) & (labels == np.floor(labels))))
    if len(bad):
        upward = f"to {classes - 1}" if classes else "on, one for each class"
        raise InputError(
            f"{key} holds the label {labels[bad[0]]} at window {bad[0]}; "
            f"allowed are whole numbers from 0 {upward}.",
            "Labels count from 0. The number of classes is that of class_names, or what y_train holds.",
        )
    return labels.astype(np.int64)


def texts(arrays: dict[str, np.ndarray], key: str, count: int | None) -> tuple[str, ...]:
    """Return an optional list of texts, () where the key is absent."""
    values = arrays.get(key)
    if values is None:
        return ()
    if values.ndim != 1 or values.dtype.kind != "U":
        raise InputError(
            f"{key} has shape {values.shape} and type {values.dtype}; allowed is a list of texts.",
            f"np.savez(..., {key}=np.array(['first', 'second'])).",
        )
    if count is not None and len(values) != count:
        raise InputError(f"{key} holds {len(values)} texts; there are {count} channels.")
    return tuple(values.tolist())


def sample_rate(arrays: dict[str, np.ndarray]) -> float | None:
    value = arrays.get("sample_rate_hz")
    if value is None:
        return None
    if value.size != 1 or value.dtype.kind not in "fiu" or not 0 < float(value.item()) < float("inf"):
        raise InputError(f"sample_rate_hz is {value}; allowed is one positive number.")
    return float(value.item())
