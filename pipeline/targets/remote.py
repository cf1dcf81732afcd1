"""A machine at the other end of a line: push the job, run it, pull the answers, clean up."""

from __future__ import annotations

import importlib.metadata
import re
import shlex
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from models.errors import VerificationError
from pipeline.progress import Progress
from pipeline.targets.job import ANSWERS, RUNNER
from pipeline.targets.target import stream
from pipeline.targets.tools import call

_LOOK = "import ai_edge_litert.interpreter, numpy"


class Remote(ABC):
    """What ssh and adb have in common.

    Attributes:
        name: as the user named it.
        parent: the folder there in which a temporary one is made.
    """

    name: str
    parent: str

    @abstractmethod
    def shell(self, script: str) -> list[str]:
        """The command line, here, that has a shell there run a script."""

    @abstractmethod
    def push(self, sources: Sequence[Path], into: str) -> list[str]:
        """The command line that copies files from here into a folder there."""

    @abstractmethod
    def pull(self, source: str, into: Path) -> list[str]:
        """The command line that copies a folder from there into one here."""

    @abstractmethod
    def python(self) -> str:
        """How a shell there starts Python, after `prepare`; quoted."""

    @abstractmethod
    def prepare(self, progress: Progress) -> Mapping[str, str]:
        """See `Target.prepare`."""

    def run(self, folder: Path, progress: Progress) -> None:
        """See `Target.run`. The temporary folder there is removed, whatever happens."""
        with self._folder() as there:
            sources = sorted(path for path in folder.iterdir() if path.is_file())
            self.call(self.push(sources, there), f"The files could not be copied to {self.name}")
            script = f"{self.python()} -B {there}/{RUNNER} {there}"
            stream(self.shell(script), f"The files could not be run on {self.name}", progress)
            self.call(self.pull(f"{there}/{ANSWERS}", folder), f"{self.name}'s answers could not be fetched")

    def ask(self, script: str, what: str, tip: str = "") -> str:
        """What a script there prints."""
        return self.call(self.shell(script), what, tip).strip()

    def call(self, command: Sequence[str], what: str, tip: str = "") -> str:
        """Run a command line of one of the methods above."""
        return call(command, what, tip or f"Is {self.name} still connected?")

    def look_for_python(self, python: str) -> None:
        """Make sure that a Python there has numpy and the interpreter.

        Raises:
            VerificationError: it is not there, or has not.
        """
        wanted = " ".join(f"{one}=={importlib.metadata.version(one)}" for one in ("ai-edge-litert", "numpy"))
        self.ask(
            f"{python} -c {shlex.quote(_LOOK)}",
            f"{python} on {self.name} cannot import numpy and ai_edge_litert",
            f"Install there what runs here: {python} -m pip install {wanted}; or name another Python with "
            "--python PATH.",
        )

    @contextmanager
    def _folder(self) -> Iterator[str]:
        there = self.ask(f"mktemp -d {self.parent}/fuselage.XXXXXX", f"{self.name} makes no temporary folder")
        if not re.fullmatch(rf"{self.parent}/fuselage\.\w+", there):  # it goes into scripts, and is removed
            raise VerificationError(f"{self.name} answered '{there}' where a temporary folder was asked for.")
        try:
            yield there
        finally:
            with suppress(VerificationError):  # a line that is cut is told by what came before
                self.ask(f"rm -rf {there}", f"{there} could not be removed")
