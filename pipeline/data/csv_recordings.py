"""Recordings in tables: one file that holds several, one behind the other, or a file for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import numpy as np

from models.errors import InputError
from pipeline.data.csv_columns import Columns, find_columns
from pipeline.data.csv_table import Table
from pipeline.data.file_names import LABEL
from pipeline.data.options import ReadOptions
from pipeline.data.recordings import find_recordings
from pipeline.data.rule import Rule


@dataclass
class Recording:
    """One recording as it stands in a table.

    Attributes:
        name: what tells it apart.
        line: where it begins.
        fields: what is known of all of it, by name; a column that changes within it is not known.
        labels: of each label column one text a row; none where the names of the files say it.
        values: [rows, channels] float32.
        uneven: how many times a step of the time is more than half as long again as the middle one.
    """

    name: str
    line: int
    fields: dict[str, str]
    labels: list[list[str]]
    values: np.ndarray
    uneven: int = 0


class Source:
    """The recordings of a file or folder; iterated over they are read, one at a time."""

    columns: Columns
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Recording]:
        raise NotImplementedError


class LongFile(Source):
    """One table with a column that tells recordings apart; the rows of each stand together."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.table = Table.open(path)
        self.columns = find_columns(self.table, options.csv, _asked(options), True, True)

    def __iter__(self) -> Iterator[Recording]:
        assert self.columns.id is not None
        place = self.table.columns.index(self.columns.id)
        seen: set[str] = set()
        rows: _Rows | None = None
        for line, row in self.table.rows():
            name = row[place].strip()
            if rows is None or name != rows.name:
                if rows is not None:
                    yield rows.recording()
                if name in seen:
                    raise InputError(
                        f"'{self.table.path}', line {line}: recording '{name}' goes on after another one.",
                        f"The rows of a recording stand together: sort the file by {self.columns.id}"
                        + (f" and {self.columns.time}." if self.columns.time else "."),
                    )
                seen.add(name)
                rows = _Rows(self.table, self.columns, name, line, {self.columns.id: name})
            rows.add(line, row)
        if rows is None:
            raise InputError(f"'{self.table.path}' has a first line and no rows.")
        yield rows.recording()


class Folder(Source):
    """A table for each recording; all have the columns of the first one, in any order."""

    def __init__(self, folder: Path, options: ReadOptions) -> None:
        needs_label = bool(options.csv.label) or not _paths_say_label(folder, options)
        found = find_recordings(folder, ".csv", options.data.pattern, labelled=not needs_label)
        self.folder, self.found, self.notes = folder, found, found.notes
        asked = [name for name in _asked(options) if name not in found.fields[0]]
        first = Table.open(folder / found.paths[0])
        columns = find_columns(first, options.csv, asked, False, needs_label)
        self.columns = replace(columns, others=tuple(asked))  # other files need no others

    def __iter__(self) -> Iterator[Recording]:
        for path, fields in zip(self.found.paths, self.found.fields, strict=True):
            table = Table.open(self.folder / path)
            rows = _Rows(table, self.columns, path, 2, fields)
            for line, row in table.rows():
                rows.add(line, row)
            if not len(rows):
                raise InputError(f"'{table.path}' has a first line and no rows.", "Leave it out.")
            yield rows.recording()


def _asked(options: ReadOptions) -> list[str]:
    """Fields that the rule and the group of the options ask for."""
    names = Rule.parse(options.data.test).names if options.data.test else frozenset()
    return sorted({*names, *([options.data.group] if options.data.group else [])} - {LABEL})


def _paths_say_label(folder: Path, options: ReadOptions) -> bool:
    """Whether the pattern has the label, or without one the files lie in folders."""
    if options.data.pattern is not None:
        return f"{{{LABEL}}}" in options.data.pattern
    return not any(path.suffix.lower() == ".csv" for path in folder.iterdir())


@dataclass
class _Rows:
    """The rows of one recording as they come in."""

    table: Table
    columns: Columns
    name: str
    line: int
    fields: Mapping[str, str]
    _values: array[float] = field(default_factory=lambda: array("f"))
    _times: array[float] = field(default_factory=lambda: array("d"))
    _labels: list[list[str]] = field(default_factory=list)
    _others: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        columns, places = self.columns, self.table.places
        self._channels = places(columns.channels)
        self._time = places([columns.time])[0] if columns.time else None
        self._label_places, self._other_places = places(columns.label), places(columns.others)
        self._labels = [[] for _ in columns.label]

    def __len__(self) -> int:
        return len(self._values) // len(self._channels)

    def add(self, line: int, row: Sequence[str]) -> None:
        """Take a row; an InputError says what is wrong with it."""
        self._values.extend(self.table.numbers(line, row, self._channels))
        for texts, place in zip(self._labels, self._label_places, strict=True):
            text = row[place].strip()
            if not text:
                column = self.table.columns[place]
                raise InputError(f"'{self.table.path}', line {line}, column '{column}': no label.")
            texts.append(texts[-1] if texts and texts[-1] == text else text)  # one object a text
        others = [row[place].strip() for place in self._other_places]
        if not self._others:
            self._others = list(others)
        elif others != self._others:
            pairs = zip(self._others, others, strict=True)
            self._others = [old if old == new else None for old, new in pairs]
        if self._time is not None:
            (time,) = self.table.numbers(line, row, [self._time])
            if self._times and not time > self._times[-1]:
                raise InputError(
                    f"'{self.table.path}', line {line}: the time {time:g} comes after {self._times[-1]:g} in "
                    f"recording '{self.name}'.",
                    "Rows of a recording stand in the order of their time, each later than the one before.",
                )
            self._times.append(time)

    def recording(self) -> Recording:
        """What came in."""
        known = {
            name: value
            for name, value in zip(self.columns.others, self._others, strict=True)
            if value is not None
        }
        values = np.frombuffer(self._values, np.float32).reshape(-1, len(self._channels))
        if not np.isfinite(values).all():
            raise InputError(f"'{self.table.path}': a value of recording '{self.name}' overflows float32.")
        gaps = np.diff(np.frombuffer(self._times, np.float64)) if self._times else np.zeros(0)
        uneven = int((gaps > 1.5 * np.median(gaps)).sum()) if len(gaps) else 0
        fields = dict(chain(known.items(), self.fields.items()))
        return Recording(self.name, self.line, fields, self._labels, values, uneven)
