"""Which column of a table is what: as somebody says, else by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import InputError
from pipeline.config import CsvConfig
from pipeline.data.csv_table import Table

IDS = ("id", "recording", "recording_id", "series", "series_id", "sequence", "sequence_id", "session")
TIMES = ("time", "timestamp", "t", "step", "time_s", "time_ms")
LABELS = ("label", "class", "activity", "target")
WHO = ("subject", "person", "user", "participant", "speaker", "patient", "group", "split", "part", "fold")
"""Names, in small letters, of columns that tell who or which part: never channels by themselves."""


@dataclass(frozen=True)
class Columns:
    """The columns of a table by what they are.

    Attributes:
        id, time: None where there is none.
        label, channels: in order; no label column where the names of the files say it.
        others: all that are neither; a rule or a group may ask for them.
    """

    id: str | None
    time: str | None
    label: tuple[str, ...]
    channels: tuple[str, ...]
    others: tuple[str, ...]

    def __str__(self) -> str:
        """In words."""
        parts = [f"id {self.id}" if self.id else "", f"time {self.time}" if self.time else ""]
        parts += [f"label {', '.join(self.label)}" if self.label else ""]
        parts += [f"channels {', '.join(self.channels)}"]
        parts += [f"others {', '.join(self.others)}" if self.others else ""]
        return "; ".join(part for part in parts if part)


def find_columns(
    table: Table, given: CsvConfig, asked: Sequence[str], needs_id: bool, needs_label: bool
) -> Columns:
    """Say what each column of a table is.

    Args:
        given: what somebody says; the rest follows from the names.
        asked: columns that a rule or the group asks for, so that they are no channels.
        needs_id: whether the table holds several recordings.
        needs_label: whether nothing but a column can say the label.

    Raises:
        InputError: a column that is needed is not there, is two things at once, or no channel is left.
    """
    identity = given.id or _named(table, IDS)
    time = given.time or _named(table, TIMES)
    found_label = _named(table, LABELS) if needs_label else None
    label = given.label or ((found_label,) if found_label else ())
    table.places([name for name in (identity, time, *label, *given.channels) if name])
    for what, names, known, missing in (
        ("recordings apart", IDS, "--csv-id", needs_id and identity is None),
        ("what is learned", LABELS, "--csv-label", needs_label and not label),
    ):
        if missing:
            raise InputError(
                f"'{table.path}' has no column that tells {what}. It has: {', '.join(table.columns)}.",
                f"Name it: {known} NAME; by itself one named {', '.join(names[:3])}, ... is taken.",
            )
    taken = [name for name in (identity, time, *label) if name]
    aside = {*taken, *asked, *(n for n in table.columns if n.lower() in (*WHO, *IDS, *LABELS))}
    channels = given.channels or _numeric(table, [name for name in table.columns if name not in aside])
    roles = [*taken, *channels]
    twice = next((name for name in roles if roles.count(name) > 1), None)
    if twice:
        raise InputError(f"The column '{twice}' of '{table.path}' is asked for as two things at once.")
    if not channels:
        raise InputError(
            f"'{table.path}' has no column of numbers left for a channel. "
            f"It has: {', '.join(table.columns)}.",
            "Name them: --csv-channels acc_x --csv-channels acc_y.",
        )
    others = tuple(name for name in table.columns if name not in roles)
    return Columns(identity, time, label, channels, others)


def _named(table: Table, names: Sequence[str]) -> str | None:
    """The first of the names that a column has, whatever its letters' case."""
    by_name = {name.lower(): name for name in table.columns}
    return next((by_name[name] for name in names if name in by_name), None)


def _numeric(table: Table, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the columns whose first cell is a number; an empty one may be a gap, which is told later."""
    first = next(table.rows(), None)
    if first is None:
        raise InputError(f"'{table.path}' has a first line and no rows.")
    _, row = first
    return tuple(name for name in names if _may_be_number(row[table.columns.index(name)]))


def _may_be_number(cell: str) -> bool:
    try:
        float(cell.strip() or "0")
    except ValueError:
        return False
    return True
