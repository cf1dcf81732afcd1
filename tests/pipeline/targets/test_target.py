"""Targets by name, and how far a program tells it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.errors import InputError, VerificationError
from pipeline.targets import Options, target_named
from pipeline.targets.target import stream


@pytest.mark.parametrize(
    "text", ["host", "arm64", "adb", "adb:emulator-5554", "adb:10.0.0.2:5555", "ssh:pi@board", "ssh:board:22"]
)
def test_a_target_is_called_as_it_was_named(text: str) -> None:
    assert target_named(text, Options()).name == text


@pytest.mark.parametrize("text", ["arm", "", "qemu:arm64", "ARM64"])
def test_an_unknown_target_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(InputError, match=r"Known: adb\[:SERIAL\], arm64, host, ssh:USER@HOST\[:PORT\]"):
        target_named(text, Options())


@pytest.mark.parametrize("text", ["host:here", "arm64:cortex-a53"])
def test_a_target_without_an_address_takes_none(text: str) -> None:
    with pytest.raises(InputError, match="takes no address"):
        target_named(text, Options())


@pytest.mark.parametrize(
    "text",
    ["ssh:", "ssh:-oProxyCommand=x", "ssh:pi@", "ssh:pi@board:0", "ssh:pi@board:99999", "ssh:-l@board",
     "ssh:pi@board extra", "ssh:pi@board;reboot", "adb:-s", "adb:a b", "adb:$(x)"],
)  # fmt: skip
def test_an_address_that_ssh_or_adb_would_take_for_something_else_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        target_named(text, Options())


def test_an_unknown_processor_is_refused() -> None:
    with pytest.raises(InputError, match=r"Unknown processor 'max'\. Known: cortex-a53"):
        target_named("arm64", Options(cpu="max"))


def test_progress_is_read_from_lines_of_a_role_and_a_number(heard: Any, tmp_path: Path) -> None:
    stream(["sh", "-c", "echo A 16; echo something else here; echo A 4"], "It failed", heard, tmp_path)
    assert heard.done == 20


def test_a_program_that_fails_is_told_with_what_it_said(heard: Any) -> None:
    with pytest.raises(VerificationError, match=r"It failed: exit code 7\. Its last lines:\nno model"):
        stream(["sh", "-c", "echo no model >&2; exit 7"], "It failed", heard)


def test_a_program_that_crashes_is_told_with_its_signal(heard: Any) -> None:
    with pytest.raises(VerificationError, match="ended by signal 11"):
        stream(["sh", "-c", "kill -SEGV $$"], "It failed", heard)
