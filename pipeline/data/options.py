"""What somebody asks for when data is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from models.errors import InputError
from pipeline.config import AudioConfig, CsvConfig, DataConfig, Section

ALWAYS = ("source", "validation_fraction")
"""Fields of [data] that mean something whatever is read."""


@dataclass(frozen=True)
class ReadOptions:
    """How to read a source.

    Args:
        task: what is to be learned; None: what the data says, or what follows from its labels.
        data, csv, audio: as in the configuration.
        seed: of a split that nothing else decides.
    """

    task: str | None = None
    data: DataConfig = field(default_factory=DataConfig)
    csv: CsvConfig = field(default_factory=CsvConfig)
    audio: AudioConfig = field(default_factory=AudioConfig)
    seed: int = 0

    def require_used(self, source: str, used: Collection[str]) -> None:
        """Raise an InputError where an option differs from its default that would do nothing for the source.

        Args:
            used: fields of [data] that its reader looks at, and the names of other tables of which it does.
        """
        idle = [f"[data] {name}" for name in _changed(self.data) if name not in {*ALWAYS, *used}]
        for table, section in self._tables.items():
            if table not in used:
                idle += [f"[{table}] {name}" for name in _changed(section)]
        if idle:
            known = ", ".join(f"[{n}]" if n in self._tables else f"[data] {n}" for n in used) or "none"
            raise InputError(
                f"{', '.join(idle)} would do nothing: what '{source}' is read by is {known}.", "Leave it out."
            )


    @property
    def _tables(self) -> dict[str, Section]:
        return {"csv": self.csv, "audio": self.audio}


BY_DEFAULT = ReadOptions()


def _changed(section: Section) -> Iterator[str]:
    """The fields that differ from their defaults."""
    for name, one in type(section).model_fields.items():
        if getattr(section, name) != one.default:
            yield name
