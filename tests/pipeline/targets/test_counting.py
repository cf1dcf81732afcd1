"""Executed instructions: marks are read rightly, and two runs count the same."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from target_files import SEED, windows

from models.errors import InputError, VerificationError
from pipeline.targets import counting
from pipeline.targets.counting import count_instructions
from pipeline.targets.emulator import Emulator


def test_marks_become_counts_without_what_marking_takes() -> None:
    # nothing: 3, opening: 103; then the only window twice: 53 and 43
    marks = "\n".join(map(str, [10, 13, 20, 123, 200, 253, 300, 343]))
    (found,) = counting._counted(marks, [1])
    assert (found.start_up, found.by_window) == (100, (40,))


def test_a_mark_too_many_is_an_error() -> None:
    with pytest.raises(VerificationError, match="wrote 9 marks; the job has 8 places"):
        counting._counted("\n".join(map(str, range(9))), [1])


def test_what_the_counts_may_be_off_by_is_a_bound() -> None:
    """Off by at most 500: 499 may be 999, and -300 nothing; 500 is told as it is."""
    found = [counting.OpInstructions.counted(0, "RESHAPE", one) for one in (-300, 499, 500)]
    assert [(one.instructions, one.below) for one in found] == [(None, 1000), (None, 1000), (500, None)]


def test_a_processor_and_windows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="Unknown processor 'max'"):
        count_instructions(SEED, windows(1, 6, 3), "max")
    with pytest.raises(InputError, match=r"The windows are \[1, 7, 3\]; .* takes \[n, 6, 3\]"):
        count_instructions(SEED, windows(1, 7, 3))


def test_without_a_compiler_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VerificationError, match="'cc', which is not installed") as caught:
        counting._plugin(tmp_path, "7.2.0")
    assert "gcc" in caught.value.tip


def test_a_compiler_that_fails_leaves_no_plugin(
    tmp_path: Path, on_path: Callable[[str, str], Path]
) -> None:
    on_path("cc", "#!/bin/sh\necho 'fatal error' >&2; exit 1\n")
    with pytest.raises(VerificationError, match="cannot be compiled: exit code 1"):
        counting._plugin(tmp_path, "7.2.0")
    assert not list(tmp_path.glob("*.so"))


@pytest.mark.parametrize(("qemu", "interface"), [("7.2.22", "1"), ("8.2.0", "1"), ("10.0.2", "2")])
def test_the_interface_is_that_of_qemus_version(
    tmp_path: Path, on_path: Callable[[str, str], Path], qemu: str, interface: str
) -> None:
    last = "while [ $1 != -o ]; do shift; done; touch $2"
    on_path("cc", f'#!/bin/sh\necho "$@" > {tmp_path}/called\n{last}\n')
    counting._plugin(tmp_path, qemu)
    assert f"-DINTERFACE={interface} " in (tmp_path / "called").read_text()


@pytest.mark.slow
def test_an_lstm_takes_as_many_instructions_in_every_run(emulation: Emulator) -> None:
    given = np.repeat(windows(1, 6, 3), 2, axis=0)
    first, second = (count_instructions(SEED, given) for _ in range(2))
    assert first.by_window == second.by_window
    assert first.by_op == second.by_op
    assert first.by_window[0] == first.by_window[1] == first.per_inference  # of equal windows
    named = {one.name: one.instructions or 0 for one in first.by_op}
    assert named["UNIDIRECTIONAL_SEQUENCE_LSTM"] == max(named.values())
    assert first.start_up > first.per_inference
    # By op the delegate is left out: about the same work, a few thousand instructions of calls.
    assert abs(sum(one.instructions or 0 for one in first.by_op) - first.per_inference) < 20_000
    other = count_instructions(SEED, given, "cortex-a53")  # without a dot product
    assert other.per_inference > first.per_inference


@pytest.mark.slow
def test_twice_the_steps_take_twice_the_instructions(emulation: Emulator, tmp_path: Path) -> None:
    """A program whose length is known: a loop in the shell of nothing but Python's own."""
    plugin = counting._plugin(tmp_path, emulation.versions["qemu"])
    took = []
    for rounds in (10_000, 20_000, 30_000):
        script = f"import os\nm = os.getppid\nm()\nfor _ in range({rounds}): pass\nm()"
        out = tmp_path / "marks"
        command, environment = emulation.command("cortex-a76", ["-c", script], f"{plugin},out={out}")
        subprocess.run(command, env=environment, check=True, stdin=subprocess.DEVNULL)
        start, end = map(int, out.read_text().split())
        took.append(end - start)
    assert took[2] - took[1] == pytest.approx(took[1] - took[0], rel=0.01)
