"""In processes of their own: TensorFlow is imported once only, and file descriptor 2 is the process's."""

import subprocess
import sys

import pytest

BROKEN = """
import os, sys
from models.quiet_tensorflow import stderr_held_back
with stderr_held_back():
    os.write(2, b"native: out of luck\\n")
    raise ImportError("no such library")
"""


def run(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_native_lines_are_dropped_and_what_follows_is_shown() -> None:
    code = BROKEN.replace('    raise ImportError("no such library")', "os.write(2, b'after\\n')")
    assert run(code).stderr == "after\n"


def test_native_lines_are_shown_when_the_import_fails() -> None:
    done = run(BROKEN)
    assert done.returncode == 1
    assert done.stderr.startswith("native: out of luck\n")
    assert "ImportError: no such library" in done.stderr


@pytest.mark.slow
def test_tensorflow_starts_without_a_word() -> None:
    code = "from models.quiet_tensorflow import load_tensorflow; load_tensorflow(); import tensorflow as tf"
    done = run(f"{code}; print(tf.function(lambda x: x + 1, jit_compile=True)(1).numpy())")
    assert (done.stdout, done.stderr) == ("2\n", "")
