"""A table of comma-separated values, row by row; every mistake is told with its line."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError
from pipeline.data.registry import unreadable

SEPARATORS = ",;\t"


@dataclass(frozen=True)
class Table:
    """A file whose first line names its columns.

    Attributes:
        path: of the file.
        columns: their names, in order.
        separator: what stands between them.
    """

    path: Path
    columns: tuple[str, ...]
    separator: str

    @classmethod
    def open(cls, path: Path) -> Table:
        """Read the first line of a file.

        Columns are separated by commas, or by semicolons or tabs where the first line has more of these.

        Raises:
            InputError: the file is missing, empty, no text, or its first line names no columns.
        """
        with _explained(path), open(path, newline="", encoding="utf-8-sig") as file:
            first = file.readline(1_000_000)
            separator = max(SEPARATORS, key=first.count)
            names = [name.strip() for name in next(csv.reader([first], delimiter=separator, strict=True), [])]
        if not any(names):
            raise InputError(f"'{path}' is empty.", "Its first line has to name the columns.")
        if all(_number(name) is not None for name in names):
            raise InputError(
                f"The first line of '{path}' is numbers: {first.strip()[:40]}.",
                "It has to name the columns: time,acc_x,acc_y,label.",
            )
        unnamed = [index + 1 for index, name in enumerate(names) if not name]
        twice = sorted({name for name in names if name and names.count(name) > 1})
        if unnamed or twice:
            what = f"column {unnamed[0]} has no name" if unnamed else f"'{twice[0]}' names two columns"
            raise InputError(f"'{path}', line 1: {what}.")
        return cls(path, tuple(names), separator)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of a line and its cells, as many as there are columns; empty lines are left out.

        Raises:
            InputError: a row has another number of cells, or the file is damaged.
        """
        with _explained(self.path), open(self.path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=self.separator, strict=True)
            next(reader, None)
            for row in reader:
                if len(row) == len(self.columns):
                    yield reader.line_num, row
                elif any(cell.strip() for cell in row):
                    raise InputError(
                        f"'{self.path}', line {reader.line_num}: {len(row)} columns; line 1 names "
                        f"{len(self.columns)}.",
                        "Is a cell missing, or is the decimal sign a comma?",
                    )

    def places(self, names: Sequence[str]) -> list[int]:
        """Where columns stand.

        Raises:
            InputError: there is no such column.
        """
        for name in names:
            if name not in self.columns:
                raise InputError(
                    f"'{self.path}' has no column '{name}'. It has: {', '.join(self.columns)}."
                )
        return [self.columns.index(name) for name in names]

    def numbers(self, line: int, row: Sequence[str], places: Sequence[int]) -> list[float]:
        """Some cells of a row as numbers.

        Raises:
            InputError: one is no finite number.
        """
        found = [_number(row[place]) for place in places]
        for place, value in zip(places, found, strict=True):
            if value is None or not math.isfinite(value):
                said = f"'{row[place].strip()}' is no finite number" if row[place].strip() else "it is empty"
                raise InputError(
                    f"'{self.path}', line {line}, column '{self.columns[place]}': {said}.",
                    "Fill gaps, by interpolation for example, or leave the recording out. "
                    "The decimal sign is a point.",
                )
        return [value for value in found if value is not None]


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unreadable(path, error) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"'{path}' is not a text file of separated values: {error}.") from error
