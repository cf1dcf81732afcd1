"""Whatever the file: what the native interpreter does not survive ends a child process, and we say so.

Many damaged files are measured in one child; where it dies, the next child goes on behind that file.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import interpreter_batch
import mutants
import pytest
from fuzzing import EXAMPLES, tries
from hypothesis import given
from hypothesis import strategies as st

from converters.inspection import inspect_model
from converters.schema import read_model
from models.errors import InputError

pytestmark = pytest.mark.slow

CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGBUS, signal.SIGALRM}

FILES = st.sampled_from(sorted(mutants.seeds().values()))


def acceptable(count: int) -> list[bytes]:
    """Damaged files that the reader does not refuse, so that the interpreter would get them."""
    made = []

    @tries(count)
    @given(FILES.flatmap(mutants.damaged) | FILES.flatmap(mutants.senseless))
    def collect(content: bytes) -> None:
        try:
            read_model(content)
        except InputError:
            return
        made.append(content)

    collect()
    return made


def run_all(folder: Path, files: list[bytes]) -> dict[int, int]:
    """Measure all of them; return which ones ended the process, and by which signal."""
    for number, content in enumerate(files):
        (folder / f"{number}.tflite").write_bytes(content)
    ended, first = {}, 0
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    while first < len(files):
        command = [sys.executable, interpreter_batch.__file__, str(folder), str(first)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        last = int(done.stdout.split()[-1])
        assert done.returncode <= 0, f"{folder}/{last}.tflite\n{done.stderr[-3000:]}"
        if done.returncode < 0:
            ended[last] = -done.returncode
        first = last + 1
    EXAMPLES["run in a child process"] += len(files)
    EXAMPLES["of which ended it"] += len(ended)
    return ended


def test_files_the_reader_takes_end_a_child_at_most(tmp_path: Path) -> None:
    files = acceptable(250)
    assert files
    ended = run_all(tmp_path, files)
    assert set(ended.values()) <= CRASHES
    for number in list(ended)[:2]:
        found = inspect_model(files[number])
        assert [one.rule for one in found.findings if one.severity == "error"], number
