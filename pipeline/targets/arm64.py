"""Arm code on this machine, under qemu's user emulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError
from pipeline.progress import Progress
from pipeline.targets import cpus, emulator
from pipeline.targets.cache import cache_folder
from pipeline.targets.job import RUNNER
from pipeline.targets.target import Options, stream, target, without_address


@dataclass(frozen=True)
class Arm64:
    """The aarch64 interpreter on an emulated processor.

    Args:
        cpu: a name of `cpus.CPUS`.
        cache: where the emulation is set up.
    """

    cpu: str
    cache: Path
    name: str = "arm64"

    def prepare(self, progress: Progress) -> Mapping[str, str]:
        """Fetch qemu and the arm64 root into the cache, where they are not there yet."""
        machine = emulator.set_up(self.cache, progress)
        return {"cpu": self.cpu, "emulation": f"qemu {machine.versions['qemu']}", **machine.versions}

    def run(self, folder: Path, progress: Progress) -> None:
        """One process of the emulator for the whole job."""
        command, environment = emulator.set_up(self.cache, progress).command(self.cpu, ["-B", RUNNER, "."])
        stream(command, f"The files could not be run as {self.cpu} code", progress, folder, environment)


@target("arm64", "arm64", ("cpu", "cache"))
def _arm64(rest: str, options: Options) -> Arm64:
    without_address("arm64", rest)
    if options.cpu not in cpus.CPUS:
        raise InputError(f"Unknown processor '{options.cpu}'. Known: {', '.join(cpus.CPUS)}.")
    return Arm64(options.cpu, cache_folder(options.cache))
