"""The self-test before first use: in a child process, its success remembered.

A success holds for an interpreter's version, this library's content, an instruction set and a CPU: they name
the file in which it is remembered. A failure is not remembered: it may have been a full disk.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

from fuselage_kernels.library import LIBRARY

TIMEOUT_S = 120  # importing TensorFlow on a slow disk included
_CPU_LINES = ("model name", "flags", "Features", "CPU implementer", "CPU part", "CPU variant")


@functools.cache
def trial_problem(module: str, version: str, path: str | None) -> str:
    """Return what is wrong with the delegate in this interpreter, "" if nothing is."""
    remembered = cache_folder() / f"{_key(module, version, path)}.json"
    if remembered.exists():
        return ""
    problem = _try(module, path)
    if not problem:
        _remember(remembered, {"interpreter": module, "version": version, "path": path or "best"})
    return problem


def cache_folder() -> Path:
    """Where successes are remembered."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fuselage-kernels"


def _key(module: str, version: str, path: str | None) -> str:
    parts = (module, version, path or "", platform.python_version(), platform.machine(), _cpu())
    whole = hashlib.sha256(LIBRARY.read_bytes())
    whole.update(json.dumps(parts).encode())
    return whole.hexdigest()


def _cpu() -> str:
    """What the system says about the first CPU; "" where it says nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return ""
    return "\n".join(line for line in lines if line.startswith(_CPU_LINES))


def _try(module: str, path: str | None) -> str:
    if not sys.executable:
        return "there is no Python executable to run it in."
    command = [sys.executable, "-m", "fuselage_kernels.selftest", module, path or ""]
    # The child imports what the parent can import, installed or not.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(place or os.getcwd() for place in sys.path)}
    try:
        child = subprocess.run(
            command, env=environment, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {TIMEOUT_S} s."
    except OSError as error:
        return f"its process could not be started: {error}."
    if child.returncode == 0:
        return ""
    last = (child.stderr.strip().splitlines() or ["it printed nothing"])[-1]
    if child.returncode < 0:
        with contextlib.suppress(ValueError):
            return f"its process was ended by {signal.Signals(-child.returncode).name}; last line: {last}"
    return last


def _remember(file: Path, what: dict[str, str]) -> None:
    """Write the file whole or not at all; where nothing can be written, the next process tests again."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(what))
        temporary.replace(file)
