"""Read windows from tables: a .csv file with many recordings, or a folder with one in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.errors import InputError
from pipeline.data.csv_labels import as_arrays, labels_of, window_labels, without_padded_labels
from pipeline.data.csv_recordings import Folder, LongFile, Recording, Source
from pipeline.data.dataset import SequenceDataset
from pipeline.data.file_names import LABEL
from pipeline.data.options import BY_DEFAULT, ReadOptions
from pipeline.data.recordings import Recordings, groups_of, part_recordings
from pipeline.data.registry import register_folder, register_reader
from pipeline.data.targets import read_targets
from pipeline.data.windowing import PER_STEP, REGRESSION, Windows, cut_windows

USED = ("test", "test_fraction", "group", "longest", "keep", "csv")
SAY_TASK = "Say which with --task."


@register_reader(".csv", *USED)
def read_file(path: Path, options: ReadOptions = BY_DEFAULT) -> SequenceDataset:
    """Read a table whose rows are steps: columns for the recording, perhaps the time, channels and labels.

    Raises:
        InputError: anything the pipeline could not use; the message says the line.
    """
    return _read(LongFile(path, options), path.stem, None, f"{path.name}, a file", options)


@register_folder(".csv", "pattern", *USED)
def read_folder(folder: Path, options: ReadOptions = BY_DEFAULT) -> SequenceDataset:
    """Read a folder of tables, a recording each; the label is in their paths or in a column; see above."""
    name = folder.resolve().name
    return _read(Folder(folder, options), name, folder, f"{name}, a folder", options)


@dataclass(frozen=True)
class _Seen:
    """What the first reading keeps of a recording; `labels` as of `window_labels`."""

    name: str
    fields: dict[str, str]
    windows: Windows
    labels: np.ndarray
    uneven: int


def _read(
    source: Source, name: str, folder: Path | None, what: str, options: ReadOptions
) -> SequenceDataset:
    """Read every recording twice: to look at it, and into its place in the arrays, which are held once."""
    task = options.task or "classification"
    if len(source.columns.label) > 1 and task not in ("multi-label", REGRESSION):
        raise InputError(
            f"There are {len(source.columns.label)} label columns; the task {task!r} has one.", SAY_TASK
        )
    seen = [_look_at(recording, task, options) for recording in source]
    known = set.intersection(*(set(one.fields) for one in seen))
    fields = tuple({key: value for key, value in one.fields.items() if key in known} for one in seen)
    found = Recordings(folder, tuple(one.name for one in seen), fields)
    _require_windows(seen)
    parts = part_recordings(found, options)
    steps, keep = _steps(seen, options), options.data.keep
    train = ~parts.test
    x_train, x_test = _fill(source, seen, parts.test, steps, len(source.columns.channels), options)
    per_window = [len(one.windows.starts) for one in seen]
    lengths = np.repeat([min(one.windows.steps, steps) for one in seen], per_window)
    in_train = np.repeat(train, per_window)
    labels = {
        part: labels_of([one.labels for one, its in zip(seen, chosen, strict=True) if its], task, steps, keep)
        for part, chosen in (("train", train), ("test", parts.test))
    }
    arrays = {"x_train": x_train, "x_test": x_test, **as_arrays(labels, task, source.columns.label)}
    targets = read_targets(arrays, steps, task)
    padded = bool((lengths < steps).any())
    dataset = SequenceDataset(
        name=name,
        x_train=x_train,
        y_train=targets.y_train,
        x_test=x_test,
        y_test=targets.y_test,
        lengths_train=lengths[in_train],
        lengths_test=lengths[~in_train],
        class_names=targets.names,
        channel_names=source.columns.channels,
        channel_units=("",) * len(source.columns.channels),
        sample_rate_hz=options.csv.sample_rate_hz,
        padding="front" if padded else "none",
        attribution=f"{what} of the user's own; it states no source and no licence.",
        task=task,
        target_units=targets.units,
        validation=None if parts.validation is None else np.repeat(parts.validation, per_window)[in_train],
        groups_train=np.repeat(groups_of(found, options), per_window)[in_train],
        notes=(f"Columns: {source.columns}.", *source.notes, *parts.notes, *_notes(seen, steps, options)),
        suspicious=_suspicious(seen),
    )
    return without_padded_labels(dataset) if task == PER_STEP and padded else dataset


def _look_at(recording: Recording, task: str, options: ReadOptions) -> _Seen:
    labels = recording.labels or [[recording.fields[LABEL]] * len(recording.values)]
    windows = cut_windows(len(recording.values), labels, task, options.csv.window, options.csv.hop)
    most = Counter(labels[0]).most_common(1)[0][0]
    fields = {**recording.fields, LABEL: most}
    return _Seen(recording.name, fields, windows, window_labels(labels, windows, task), recording.uneven)


def _require_windows(seen: Sequence[_Seen]) -> None:
    if any(len(one.windows.starts) for one in seen):
        return
    mixed = sum(one.windows.mixed for one in seen)
    longest = max(one.windows.unused for one in seen)
    raise InputError(
        f"None of the {len(seen)} recordings has a window with one label: "
        + (f"in all {mixed} it changes." if mixed else f"the longest has {longest} steps."),
        "Take shorter windows (--csv-window), or a label for every step (--task per-step).",
    )


def _steps(seen: Sequence[_Seen], options: ReadOptions) -> int:
    if options.csv.window:
        return options.csv.window
    longest = max(one.windows.steps for one in seen)
    steps = min(longest, options.data.longest or longest)
    if steps < 2:
        raise InputError("The longest recording has one step; a sequence model needs at least 2.")
    return steps


def _fill(
    source: Source, seen: Sequence[_Seen], test: np.ndarray, steps: int, channels: int, options: ReadOptions
) -> list[np.ndarray]:
    """Windows [n, steps, channels] float32 of training and test part, NaN in front of shorter ones."""
    counts = np.array([len(one.windows.starts) for one in seen])
    for what, part in (("test", test), ("training", ~test)):
        if not counts[part].sum():
            raise InputError(
                f"The {part.sum()} recordings of the {what} part have no window.", "Take shorter ones."
            )
    arrays = [np.full((counts[part].sum(), steps, channels), np.nan, np.float32) for part in (~test, test)]
    at = [0, 0]
    for recording, one, tested in zip(source, seen, map(int, test), strict=True):
        for start in one.windows.starts:
            values = recording.values[start : start + one.windows.steps]
            values = values[:steps] if options.data.keep == "start" else values[-steps:]
            arrays[tested][at[tested], steps - len(values) :] = values
            at[tested] += 1
    return arrays


def _notes(seen: Sequence[_Seen], steps: int, options: ReadOptions) -> tuple[str, ...]:
    told = []
    window = options.csv.window
    longer = [one.windows.steps for one in seen if one.windows.steps > steps]
    if longer:
        told.append(
            f"{len(longer)} of {len(seen)} recordings are longer than {steps} steps, the longest has "
            f"{max(longer)}; their {options.data.keep} was kept."
        )
    if window:
        windows = sum(len(one.windows.starts) for one in seen)
        hop = options.csv.hop or window
        told.append(f"{windows} windows of {window} steps, one every {hop}, of {len(seen)} recordings.")
    mixed = sum(one.windows.mixed for one in seen)
    without = sum(not len(one.windows.starts) for one in seen)
    unused = sum(one.windows.unused for one in seen)
    if mixed:
        told.append(f"{mixed} windows were left out: their label changes within them.")
    if without:
        told.append(f"{without} recordings have no window.")
    if unused:
        told.append(f"{unused} steps at the ends of recordings fill no window and were left out.")
    return tuple(told)


def _suspicious(seen: Sequence[_Seen]) -> tuple[str, ...]:
    uneven = [one for one in seen if one.uneven]
    if not uneven:
        return ()
    gaps = sum(one.uneven for one in uneven)
    return (
        f"In {len(uneven)} recordings the time jumps, {gaps} times by more than half a step; the first is "
        f"'{uneven[0].name}'.",
    )
