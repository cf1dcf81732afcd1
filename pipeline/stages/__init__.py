"""The stages of a build, in order, and what a stage is.

A stage unpacks its part of the configuration, makes one call and writes the result. Stages never
import each other: what one needs from another it reads from that one's folder in the store.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from pipeline.config import BuildConfig
from pipeline.progress import Progress

NAMES = ("data", "train", "quantize", "convert", "verify", "report")


@dataclass(frozen=True)
class StageContext:
    """What a stage gets to work with.

    Args:
        config: the whole configuration; a stage uses only what its `options` name.
        folder: an empty folder to write into. It appears under its final name only when the
            stage has returned, so a stage may be killed at any moment.
        artifact: the checked folder of a stage named in `reads`.
        progress: the listener.
    """

    config: BuildConfig
    folder: Path
    artifact: Callable[[str], Path]
    progress: Progress


class Stage(Protocol):
    """One step of a build; a module of this package has one as `STAGE`."""

    @property
    def name(self) -> str:
        """Its name, which is its folder's name too."""

    @property
    def version(self) -> int:
        """Raised when the same inputs give another result than before."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The earlier stages whose folders it reads."""

    def options(self, config: BuildConfig) -> dict[str, Any]:
        """The JSON-able part of the configuration its result depends on."""

    def run(self, context: StageContext) -> None:
        """Write the result into `context.folder`."""


def load(name: str) -> Stage:
    """The stage of that name; its module is imported only now."""
    return cast(Stage, import_module(f"{__name__}.{name}").STAGE)
