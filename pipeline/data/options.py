"""What somebody asks for when data is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from models.errors import InputError
from pipeline.config import AudioConfig, DataConfig, Section

ALWAYS = ("source", "validation_fraction")
"""Fields of [data] that mean something whatever is read."""


@dataclass(frozen=True)
class ReadOptions:
    """How to read a source.

    Args:
        task: what is to be learned; None: what the data says, or what follows from its labels.
        data, audio: as in the configuration.
        seed: of a split that nothing else decides.
    """

    task: str | None = None
    data: DataConfig = field(default_factory=DataConfig)
    audio: AudioConfig = field(default_factory=AudioConfig)
    seed: int = 0

    def require_used(self, source: str, used: Collection[str]) -> None:
        """Raise an InputError where an option differs from its default that would do nothing for the source.

        Args:
            used: fields of [data] that its reader looks at, and "audio" where it looks at that table.
        """
        idle = [f"[data] {name}" for name in _changed(self.data) if name not in {*ALWAYS, *used}]
        if "audio" not in used:
            idle += [f"[audio] {name}" for name in _changed(self.audio)]
        if idle:
            known = ", ".join(f"[data] {name}" for name in used if name != "audio") or "none of these"
            raise InputError(
                f"{', '.join(idle)} would do nothing: '{source}' is read by {known}.", "Leave it out."
            )


BY_DEFAULT = ReadOptions()


def _changed(section: Section) -> Iterator[str]:
    """The fields that differ from their defaults."""
    for name, one in type(section).model_fields.items():
        if getattr(section, name) != one.default:
            yield name
