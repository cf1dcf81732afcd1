"""Labels and numbers of windows as the arrays that models take; an InputError says what is wrong where."""

from __future__ import annotations

import numpy as np

from models.errors import InputError

SAY_TASK = "np.savez(..., task={task!r})"


def label_indices(key: str, labels: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return labels (whole numbers or texts) as indices into `names`; an InputError says which is none."""
    return named(key, labels, names) if labels.dtype.kind == "U" else numbered(key, labels, len(names))


def zeros_and_ones(key: str, values: np.ndarray, count: int) -> np.ndarray:
    """Return [n, count] of 0 and 1 as int64."""
    if values.ndim != 2 or values.shape[1] != count:
        raise InputError(f"{key} has shape {values.shape}; there are {count} labels, [n, {count}].")
    if values.dtype.kind not in "fiub":
        raise InputError(f"{key} holds {values.dtype} values; allowed are 0 and 1.")
    bad = np.argwhere((values != 0) & (values != 1))
    if len(bad):
        row, column = bad[0]
        raise InputError(
            f"{key} holds {values[row, column]} at window {row}, label {column}; allowed are 0 and 1."
        )
    return values.astype(np.int64)


def real_numbers(key: str, values: np.ndarray, count: int) -> np.ndarray:
    """Return [n, count] (or [n] where the count is 1) finite numbers as float32 [n, count]."""
    values = values[:, np.newaxis] if values.ndim == 1 else values
    if values.ndim != 2 or values.shape[1] != count:
        raise InputError(f"{key} has shape {values.shape}; there are {count} targets, [n, {count}].")
    if values.dtype.kind not in "fiub":
        raise InputError(f"{key} holds {values.dtype} values; allowed are numbers.")
    with np.errstate(over="ignore"):
        numbers = values.astype(np.float32)
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        window, target = bad[0]
        raise InputError(
            f"{key}: {len(bad)} of {numbers.size} values are NaN, infinite or too large for float32; "
            f"the first at window {window}, target {target}."
        )
    return numbers


def named(key: str, labels: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return texts as indices into `names`, int64."""
    index = {name: position for position, name in enumerate(names)}
    unknown = sorted(set(labels.ravel().tolist()) - set(names))
    if unknown:
        raise InputError(
            f"{key} holds the label '{unknown[0]}'; known are {', '.join(names)}.",
            "The known labels are class_names; where it is absent those of the model, or those in y_train.",
        )
    return np.array([index[label] for label in labels.ravel().tolist()], np.int64).reshape(labels.shape)


def numbered(key: str, labels: np.ndarray, classes: int) -> np.ndarray:
    """Return whole numbers in 0..classes-1 (0: any number of classes) as int64."""
    if labels.dtype.kind not in "fiub":
        raise InputError(
            f"{key} holds {labels.dtype} values; allowed are whole numbers, or texts in both parts."
        )
    limit = classes or labels.size  # more classes than labels cannot each have one
    bad = np.argwhere(~((labels >= 0) & (labels < limit) & (labels == np.floor(labels))))
    if len(bad):
        upward = f"to {classes - 1}" if classes else "on, one for each class"
        where = ", ".join(f"{axis} {index}" for axis, index in zip(("window", "step"), bad[0], strict=False))
        raise InputError(
            f"{key} holds the label {labels[tuple(bad[0])]} at {where}; "
            f"allowed are whole numbers from 0 {upward}.",
            "Labels count from 0. The number of classes is that of class_names, or what y_train holds. "
            f"For numbers that are no classes say {SAY_TASK.format(task='regression')}.",
        )
    return labels.astype(np.int64)


def in_order(labels: np.ndarray) -> list[str]:
    """Return the different ones: whole numbers by their size, texts by the alphabet."""
    names = sorted(set(labels.ravel().tolist()))
    return sorted(names, key=int) if all(name.isdecimal() for name in names) else names
