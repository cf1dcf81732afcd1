"""This machine: what every target is compared with."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.progress import Progress
from pipeline.targets.job import RUNNER
from pipeline.targets.target import Options, stream, target, without_address


@dataclass(frozen=True)
class Host:
    """The Python and the interpreter that run this."""

    name: str = "host"

    def prepare(self, progress: Progress) -> Mapping[str, str]:
        """Nothing is needed that is not there."""
        return {}

    def run(self, folder: Path, progress: Progress) -> None:
        """In a process of its own, which a file may end."""
        stream(
            [sys.executable, "-B", RUNNER, "."], "The files could not be run on this machine", progress,
            folder, {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )  # fmt: skip


@target("host", "host")
def _host(rest: str, options: Options) -> Host:
    without_address("host", rest)
    return Host()
