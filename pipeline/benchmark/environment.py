"""The machine at hand: a time means nothing without it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pipeline

PACKAGES = ("ai-edge-litert", "numpy", "onnxruntime", "onnx", "tensorflow")
BUSY = 0.5
"""Of the cores. Above it, another program is likely to take a core away in the middle of a run."""


@dataclass(frozen=True)
class Environment:
    """What was measured on.

    Attributes:
        cpu: the processor's own name.
        machine: its architecture, as `platform.machine()` names it.
        cores: that this process may use.
        load: average number of runnable processes over the last minute, before anything was measured.
        threads: that each model may use.
        system: kernel and its release.
        versions: of fuselage, Python and the packages that are installed.
    """

    cpu: str
    machine: str
    cores: int
    load: float
    threads: int
    system: str
    versions: dict[str, str]

    @property
    def busy(self) -> bool:
        """Whether so much else was running that the times are those of a machine that is shared."""
        return self.load > BUSY * self.cores


def describe(threads: int, packages: Iterable[str] = PACKAGES) -> Environment:
    """The machine, now. Nothing is imported to learn a version."""
    return Environment(
        cpu=cpu_name(),
        machine=platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        load=round(os.getloadavg()[0], 2),
        threads=threads,
        system=f"{platform.system()} {platform.release()}",
        versions={
            "fuselage": pipeline.__version__,
            "python": platform.python_version(),
            **{name: found for name in packages if (found := _version(name)) is not None},
        },
    )


def cpu_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """What the processor calls itself; on Arm, whose kernel gives numbers, those of its maker and part."""
    try:
        lines = cpuinfo.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    if "model name" in fields:
        return " ".join(fields["model name"].split())
    if "CPU part" in fields:
        return f"Arm implementer {fields.get('CPU implementer', '?')} part {fields['CPU part']}"
    return platform.processor() or platform.machine() or "unknown"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
