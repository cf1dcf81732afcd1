"""What is to be learned about a window, task by task: read, named, checked.

| task | y | as the models take it |
|---|---|---|
| classification | [n] whole numbers or texts | [n] int64, indices into the classes |
| per-step | [n, T] whole numbers or texts | [n, T] int64, `NO_LABEL` where a step is padding |
| multi-label | [n, labels] of 0 and 1 | [n, labels] int64 |
| regression | [n] or [n, targets] numbers | [n, targets] float32, standardized by `Preprocessing` |
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from models.config import NO_LABEL, TASKS
from models.errors import InputError
from pipeline.data.labels import SAY_TASK, label_indices, named, numbered, real_numbers, zeros_and_ones

Arrays = Mapping[str, np.ndarray]

NAMES = {"classification": "class_names", "per-step": "class_names",
         "multi-label": "label_names", "regression": "target_names"}  # fmt: skip
"""The key of an .npz under which the names of a task's outputs stand."""
MANY = {"classification": "classes", "per-step": "classes", "multi-label": "labels", "regression": "targets"}
"""What several outputs of a task are called."""
KEYS = ("task", *dict.fromkeys(NAMES.values()), "target_units")


@dataclass(frozen=True)
class Targets:
    """The labels of a data set.

    Attributes:
        task: see above.
        y_train, y_test: as in the table's second column, checked; of a regression [n, targets], raw units.
        names: of the classes, labels or targets.
        units: of the targets; empty of other tasks.
    """

    task: str
    y_train: np.ndarray
    y_test: np.ndarray
    names: tuple[str, ...]
    units: tuple[str, ...] = ()


def read_targets(arrays: Arrays, steps: int, asked: str | None = None) -> Targets:
    """Read the labels of an .npz.

    Args:
        arrays: its keys: `y_train`, `y_test`, and those of `KEYS` that are there.
        steps: T of the windows.
        asked: the task that somebody wants, where the file says none.

    Raises:
        InputError: labels that cannot be used, or from which the task does not follow.
    """
    task = task_of_labels(arrays, steps, asked)
    fitting = {"task", NAMES[task], *(["target_units"] if task == "regression" else [])}
    for key in KEYS:
        if key in arrays and key not in fitting:
            tip = f"Its names are {NAMES[task]}."
            if said_task(arrays) is None and asked is None:
                meant = next((other for other, names in NAMES.items() if names == key), "regression")
                tip = f"The file says no task, so it was taken for {task}. Say {SAY_TASK.format(task=meant)}."
            raise InputError(f"{key} does not go with the task {task!r}.", tip)
    return _READERS[task](arrays, task, steps)


def target_values(
    task: str, key: str, values: np.ndarray, names: tuple[str, ...], shape: tuple[int, int]
) -> np.ndarray:
    """Labels of some windows as `Targets` has them, the names being known already.

    Args:
        shape: (n, T) of the windows.

    Raises:
        InputError: a label that is none of them, or another shape.
    """
    if task == "multi-label":
        return zeros_and_ones(key, values, len(names))
    if task == "regression":
        return real_numbers(key, values, len(names))
    expected = shape if task == "per-step" else shape[:1]
    if values.shape != expected:
        raise InputError(f"{key} has shape {values.shape}; of the task {task!r} it is {list(expected)}.")
    if task == "per-step" and values.dtype.kind in "if":
        padding = values == NO_LABEL
        return np.where(padding, NO_LABEL, label_indices(key, np.where(padding, 0, values), names))
    return label_indices(key, values, names)


def texts(arrays: Arrays, key: str, count: int | None, what: str = "channels") -> tuple[str, ...]:
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
        raise InputError(f"{key} holds {len(values)} texts; there are {count} {what}.")
    return tuple(values.tolist())


def said_task(arrays: Arrays) -> str | None:
    """What the key `task` says, None where it is not there; an InputError where it says something else."""
    if "task" not in arrays:
        return None
    task = arrays["task"]
    if task.size != 1 or task.dtype.kind != "U" or task.item() not in TASKS:
        close = difflib.get_close_matches(str(task), TASKS, n=1)
        raise InputError(
            f"task is {str(task)!r}; allowed is one of {', '.join(TASKS)}.",
            f"Did you mean '{close[0]}'?" if close else "",
        )
    return str(task.item())


def task_of_labels(arrays: Arrays, steps: int, asked: str | None = None) -> str:
    """The task that the file says, else the one asked for, else what follows from the labels beyond doubt."""
    labels = arrays["y_train"]
    followed = "per-step" if labels.ndim == 2 and labels.shape[1] == steps else "classification"
    return said_task(arrays) or asked or followed


def names_of(arrays: Arrays) -> tuple[str, ...]:
    """The names of the classes, labels or targets, () where there are none."""
    return next((texts(arrays, key, None) for key in NAMES.values() if key in arrays), ())


def _classes(arrays: Arrays, task: str, steps: int) -> Targets:
    """Classes of windows, or of their steps."""
    for part in ("train", "test"):
        windows, labels = len(arrays[f"x_{part}"]), arrays[f"y_{part}"]
        expected = (windows, steps) if task == "per-step" else (windows,)
        if labels.shape != expected:
            raise InputError(
                f"y_{part} has shape {labels.shape}, x_{part} holds {windows} windows"
                + (f" of {steps} steps." if task == "per-step" else "."),
                "Labels are one number or text a window, [n], or one a step, [n, time]; of one-hot rows take "
                f"the argmax. For several labels a window say {SAY_TASK.format(task='multi-label')}, for "
                "several numbers task='regression'.",
            )
    names = texts(arrays, "class_names", None)
    _require_different("class_names", names)
    y_train, y_test = arrays["y_train"], arrays["y_test"]
    if y_train.dtype.kind == "U" and y_test.dtype.kind == "U":
        names = names or tuple(sorted(set(y_train.ravel().tolist())))
        y_train, y_test = (named(key, arrays[key], names) for key in ("y_train", "y_test"))
    else:
        y_train = numbered("y_train", y_train, len(names))
        names = names or tuple(f"class {index}" for index in range(int(y_train.max()) + 1))
        y_test = numbered("y_test", y_test, len(names))
    if len(names) < 2:
        raise InputError("y_train holds one class only; a classifier needs at least two.")
    absent = sorted(set(range(len(names))) - set(y_train.ravel().tolist()))
    if absent:
        raise InputError(
            f"No training window has the label {absent[0]} ('{names[absent[0]]}'), "
            f"though there are {len(names)} classes.",
            "Labels are 0..classes-1: subtract 1 if yours start at 1, and name only classes that occur.",
        )
    return Targets(task, y_train, y_test, names)


def _labels(arrays: Arrays, task: str, steps: int) -> Targets:
    """Any number of labels at once, 0 or 1 each."""
    _require_rows(arrays, "labels")
    count = arrays["y_train"].shape[1]
    names = texts(arrays, "label_names", count, "labels") or tuple(f"label {index}" for index in range(count))
    _require_different("label_names", names)
    y_train, y_test = (zeros_and_ones(key, arrays[key], count) for key in ("y_train", "y_test"))
    for index, column in enumerate(y_train.T):
        if len(set(column.tolist())) < 2:
            given = "every" if column[0] else "no"
            raise InputError(
                f"In training {given} window has the label '{names[index]}': there is nothing to learn.",
                "Leave it out, or record windows with and without it.",
            )
    return Targets(task, y_train, y_test, names)


def _values(arrays: Arrays, task: str, steps: int) -> Targets:
    """Numbers in the user's units."""
    columns = {
        key: arrays[key][:, np.newaxis] if arrays[key].ndim == 1 else arrays[key]
        for key in ("y_train", "y_test")
    }
    _require_rows({**arrays, **columns}, "targets")
    count = columns["y_train"].shape[1]
    names = texts(arrays, "target_names", count, "targets")
    _require_different("target_names", names)
    y_train, y_test = (real_numbers(key, values, count) for key, values in columns.items())
    names = names or tuple(f"target {index}" for index in range(count))
    for name, column in zip(names, y_train.T, strict=True):
        if column.min() == column.max():
            raise InputError(f"The target '{name}' is {column[0]:g} in all training windows.")
    units = texts(arrays, "target_units", count, "targets") or ("",) * count
    return Targets(task, y_train, y_test, names, units)


_READERS: dict[str, Callable[[Arrays, str, int], Targets]] = {
    "classification": _classes,
    "per-step": _classes,
    "multi-label": _labels,
    "regression": _values,
}


def _require_rows(arrays: Arrays, what: str) -> None:
    """[n, k] in both parts."""
    for part in ("train", "test"):
        windows, rows = len(arrays[f"x_{part}"]), arrays[f"y_{part}"]
        if rows.ndim != 2 or len(rows) != windows or rows.shape[1] == 0:
            raise InputError(
                f"y_{part} has shape {rows.shape}, x_{part} holds {windows} windows; needed is [n, {what}]."
            )


def _require_different(key: str, names: tuple[str, ...]) -> None:
    if len(set(names)) != len(names):
        what = {"class_names": "class", "label_names": "label", "target_names": "target"}[key]
        raise InputError(f"{key} names a {what} twice.")
