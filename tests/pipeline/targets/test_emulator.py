"""The set-up of the emulation: said when it cannot be, whole when it is."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import VerificationError
from pipeline.progress import Silence
from pipeline.targets import emulator
from pipeline.targets.cpus import CPUS
from pipeline.targets.emulator import Emulator, set_up


def test_without_qemu_and_debian_the_error_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VerificationError, match="needs the program 'dpkg'"):
        set_up(tmp_path / "cache")


def test_without_a_network_nothing_is_left(
    tmp_path: Path, on_path: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path("qemu-aarch64", "#!/bin/sh\necho qemu-aarch64 version 7.2.0\n")
    on_path("apt-get", "#!/bin/sh\necho 'Could not connect' >&2; exit 100\n")
    on_path("dpkg", "#!/bin/sh\n")
    cache = tmp_path / "cache"
    with pytest.raises(VerificationError, match="Could not connect") as caught:
        set_up(cache)
    assert "network" in caught.value.tip
    assert [path.name for path in cache.iterdir() if path.name != ".lock"] == []


def test_wheels_that_cannot_be_fetched_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator.sys, "executable", "/bin/false")
    with pytest.raises(VerificationError, match=r"aarch64 wheels for Python 3\.11 could not be fetched"):
        emulator._unpack_wheels({"numpy": "2.3.5"}, "3.11", tmp_path / "site", tmp_path / "work")


def test_a_program_gets_nothing_of_this_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/here")
    monkeypatch.setenv("LD_PRELOAD", "/here.so")
    machine = Emulator(Path("/qemu"), Path("/libraries"), Path("/cache/arm64"), {})
    monkeypatch.setattr(emulator, "_python", lambda folder: folder / "python3.11")
    command, environment = machine.command("cortex-a53", ["x.py"], "plugin.so,out=y")
    assert command == [
        "/qemu", "-L", "/cache/arm64/cpus/cortex-a53", "-cpu", "cortex-a53", "-U", "LD_LIBRARY_PATH",
        "-seed", "1", "-plugin", "plugin.so,out=y", "/cache/arm64/python3.11", "-S", "x.py",
    ]  # fmt: skip
    assert environment["PYTHONPATH"] == "/cache/arm64/site"
    assert environment["LD_LIBRARY_PATH"] == "/libraries"
    assert "LD_PRELOAD" not in environment


@pytest.mark.slow
@pytest.mark.parametrize("cpu", CPUS)
def test_programs_see_the_processor_that_is_emulated(emulation: Emulator, cpu: str) -> None:
    script = "import platform; print(platform.machine(), open('/proc/cpuinfo').read())"
    command, environment = emulation.command(cpu, ["-c", script])
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert said.startswith("aarch64 ")
    assert f"CPU part\t: {CPUS[cpu].part:#x}" in said


@pytest.mark.slow
def test_all_of_it_is_set_up_from_nothing(
    emulation: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """qemu too, as where it is not installed."""
    found = shutil.which
    monkeypatch.setattr(emulator.shutil, "which", lambda name: None if name == emulator.QEMU else found(name))
    machine = set_up(tmp_path, Silence())
    assert machine.qemu.is_relative_to(tmp_path)
    command, environment = machine.command("cortex-a76", ["-c", "import ai_edge_litert.interpreter"])
    subprocess.run(command, env=environment, capture_output=True, check=True)
    assert not list(tmp_path.glob(".part-*"))
