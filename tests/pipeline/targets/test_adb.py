"""A phone by adb, played by a script: no phone is attached here. The arm64 root runs under qemu instead."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from source_tree import ROOT

from models.errors import VerificationError
from pipeline.parity.verdict import verdict
from pipeline.targets import Options, target_named
from pipeline.targets.emulator import Emulator
from pipeline.targets.job import TargetFile
from pipeline.targets.verification import on_targets


@pytest.fixture
def phone(tmp_path: Path, on_path: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that plays the phone."""
    on_path("adb", f'#!/bin/sh\nexec {sys.executable} {ROOT}/tests/support/fake_adb.py "$@"\n')
    folder = tmp_path / "phone"
    folder.mkdir()
    monkeypatch.setenv("FAKE_PHONE", str(folder))
    monkeypatch.setenv("FAKE_ABI", "arm64-v8a")
    return folder


def test_files_run_with_a_python_that_is_there(integer_file: TargetFile, phone: Path, heard: Any) -> None:
    target = target_named("adb:cardboard-1", Options(python=sys.executable))
    found = on_targets([target], {"A": integer_file}, "classification", heard)
    assert verdict(found.checks) == "pass"
    assert found.provenance["adb:cardboard-1"]["model"] == "Cardboard"
    assert "(Cardboard)" in found.notes[0]
    assert list((phone / "tmp").iterdir()) == []  # cleaned up
    calls = (phone / "calls").read_text().splitlines()
    assert all(line.startswith("-s cardboard-1 ") for line in calls)


def test_the_temporary_folder_goes_where_running_fails_too(
    integer_file: TargetFile, phone: Path, heard: Any
) -> None:
    target = target_named("adb", Options(python=sys.executable))
    target.prepare(heard)
    folder = phone.parent / "empty"
    folder.mkdir()
    (folder / "job.json").write_text("{}")
    with pytest.raises(VerificationError, match="could not be run on adb: exit code"):
        target.run(folder, heard)
    assert list((phone / "tmp").iterdir()) == []


def test_a_phone_that_is_not_there_is_told(phone: Path, heard: Any) -> None:
    with pytest.raises(VerificationError, match="device 'gone' not found") as caught:
        target_named("adb:gone", Options()).prepare(heard)
    assert "USB debugging" in caught.value.tip


def test_another_processor_is_told(phone: Path, heard: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_ABI", "x86_64")
    with pytest.raises(VerificationError, match="runs 'x86_64'") as caught:
        target_named("adb", Options()).prepare(heard)
    assert "--python" in caught.value.tip


def test_a_python_without_the_interpreter_is_told(phone: Path, heard: Any) -> None:
    with pytest.raises(VerificationError, match="cannot import numpy and ai_edge_litert") as caught:
        target_named("adb", Options(python="/bin/false")).prepare(heard)
    assert "ai-edge-litert==" in caught.value.tip


def test_without_adb_the_error_says_what_to_install(
    tmp_path: Path, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VerificationError, match="'adb', which is not installed"):
        target_named("adb", Options()).prepare(heard)


@pytest.mark.slow
def test_the_arm64_root_is_brought_once_and_runs_by_its_own_loader(
    emulation: Emulator, integer_file: TargetFile, phone: Path, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = emulation.folder / "cpus" / "cortex-a76"  # for /proc/cpuinfo alone: the phone has its own
    monkeypatch.setenv("FAKE_EMULATOR", f"{emulation.qemu} -L {view} -cpu cortex-a76")
    for _ in range(2):
        found = on_targets([target_named("adb", Options())], {"A": integer_file}, "classification", heard)
        assert verdict(found.checks) == "pass"
        assert found.provenance["adb"]["machine"] == "aarch64"
    left = [path.name for path in (phone / "tmp").iterdir()]
    assert left == [f"fuselage-{emulation.folder.name}"]
    assert (phone / "calls").read_text().count("root.tar") == 2  # one push, one unpacking
