"""Read .ts files, the format of the UEA & UCR archive, through aeon."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.errors import InputError
from pipeline.data.archive import require_finite
from pipeline.data.dataset import SequenceDataset, pad_front
from pipeline.data.labels import in_order
from pipeline.data.options import BY_DEFAULT, ReadOptions
from pipeline.data.registry import files_below, register_folder, register_reader, unreadable
from pipeline.data.split import by_share
from pipeline.data.targets import read_targets

# What aeon raises for a file that is none: it parses line by line and looks at little beforehand.
_DAMAGE = (ValueError, IndexError, KeyError, TypeError, AttributeError, ArithmeticError, MemoryError)
TRAIN, TEST = "_train.ts", "_test.ts"


@dataclass(frozen=True)
class _File:
    """The cases of a file: [channels, time_i] each, their labels, and whether these are values."""

    cases: list[np.ndarray]
    labels: np.ndarray
    values: bool


@register_folder(".ts", "longest", "keep")
def read_folder(folder: Path, options: ReadOptions = BY_DEFAULT) -> SequenceDataset:
    """Read `NAME_TRAIN.ts` and `NAME_TEST.ts` of a folder.

    Raises:
        InputError: there is not one of each, or anything that the pipeline could not use.
    """
    names = files_below(folder, ".ts")
    pair = [[name for name in names if name.lower().endswith(end)] for end in (TRAIN, TEST)]
    if [len(found) for found in pair] != [1, 1]:
        raise InputError(
            f"'{folder}' holds {', '.join(names)}; needed is one NAME_TRAIN.ts and one NAME_TEST.ts.",
            "Put each data set into a folder of its own.",
        )
    train, test = (_load(folder / found[0]) for found in pair)
    name = Path(pair[0][0]).name[: -len(TRAIN)]
    return _dataset(name, f"{folder.resolve().name}, a folder", train, test, (), options)


@register_reader(".ts", "test_fraction", "longest", "keep")
def read_file(path: Path, options: ReadOptions = BY_DEFAULT) -> SequenceDataset:
    """Read one file, whose test part is chosen by chance.

    Raises:
        InputError: it is half of a data set that has its own split, or cannot be used.
    """
    if path.name.lower().endswith((TRAIN, TEST)):
        raise InputError(
            f"'{path.name}' is one part of a data set.", f"Give the folder with both: --data {path.parent}."
        )
    every = _load(path)
    classes = np.zeros(len(every.cases), np.int64) if every.values else every.labels
    fraction = options.data.test_fraction
    test = by_share(np.arange(len(every.cases)), classes, fraction, options.seed)
    parts = [
        _File([case for case, its in zip(every.cases, chosen, strict=True) if its], every.labels[chosen],
              every.values)
        for chosen in (~test, test)
    ]  # fmt: skip
    if not parts[1].cases:
        raise InputError(f"'{path.name}' has too few cases to set some aside for testing.")
    note = f"The test part is chosen by chance, {fraction:g} of each class."
    return _dataset(path.stem, f"{path.name}, a file", parts[0], parts[1], (note,), options)


def _load(path: Path) -> _File:
    from aeon.datasets import load_from_ts_file

    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        cases, labels, meta = load_from_ts_file(str(path), return_meta_data=True)
    except (*_DAMAGE, OSError) as error:
        raise InputError(f"'{path.name}' is no .ts file that can be read: {error}.") from error
    if not len(cases):
        raise InputError(f"'{path.name}' holds no cases.", "They stand behind the line @data.")
    if not (meta["classlabel"] or meta["targetlabel"]):
        raise InputError(f"'{path.name}' has no labels.", "Its line @classlabel has to say true.")
    return _File(list(cases), np.asarray(labels), bool(meta["targetlabel"]))


def _dataset(
    name: str, what: str, train: _File, test: _File, notes: tuple[str, ...], options: ReadOptions
) -> SequenceDataset:
    every = [case.shape for part in (train, test) for case in part.cases]
    channels, longest = every[0][0], max(shape[1] for shape in every)
    if len({shape[0] for shape in every}) > 1 or train.values != test.values:
        raise InputError(f"The parts of '{name}' differ in their channels or labels.")
    steps = min(longest, options.data.longest or longest)
    if steps < 2:
        raise InputError(f"The longest case of '{name}' has one step; a sequence model needs at least 2.")
    longer = sum(shape[1] > steps for shape in every)
    if longer:
        cut = f"{longer} of {len(every)} cases are longer than {steps} steps, the longest has {longest};"
        notes = (*notes, f"{cut} their {options.data.keep} was kept.")
    arrays, lengths = {}, {}
    for key, part in (("train", train), ("test", test)):
        arrays[f"x_{key}"], lengths[key] = _windows(f"the {key} part", part.cases, steps, options.data.keep)
        arrays[f"y_{key}"] = part.labels
    if not train.values:
        arrays["class_names"] = np.array(in_order(train.labels))
    targets = read_targets(arrays, steps, "regression" if train.values else "classification")
    padded = any((one < steps).any() for one in lengths.values())
    return SequenceDataset(
        name=name,
        x_train=arrays["x_train"],
        y_train=targets.y_train,
        x_test=arrays["x_test"],
        y_test=targets.y_test,
        lengths_train=lengths["train"],
        lengths_test=lengths["test"],
        class_names=targets.names,
        channel_names=tuple(f"channel {index}" for index in range(channels)),
        channel_units=("",) * channels,
        sample_rate_hz=None,
        padding="front" if padded else "none",
        attribution=f"{what} of the user's own; it states no source and no licence.",
        task=targets.task,
        target_units=targets.units,
        notes=notes,
    )


def _windows(what: str, cases: list[np.ndarray], steps: int, keep: str) -> tuple[np.ndarray, np.ndarray]:
    """[n, steps, channels] float32 with NaN in front of shorter cases, and their lengths."""
    cut = [case.T[:steps] if keep == "start" else case.T[-steps:] for case in cases]
    for index, case in enumerate(cut):
        if not np.isfinite(case).all():
            require_finite(f"case {index} of {what}", case.astype(np.float32)[np.newaxis])
    return pad_front(cut, steps)
