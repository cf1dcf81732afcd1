"""Calls of other programs, whose failures become errors a user can act on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence

from models.errors import VerificationError

LOG_LINES = 6  # of what a program said, in an error


def need(program: str, what_for: str, tip: str) -> str:
    """The path of a program.

    Raises:
        VerificationError: it is not installed.
    """
    found = shutil.which(program)
    if found is None:
        raise VerificationError(f"{what_for} needs the program '{program}', which is not installed.", tip)
    return found


def call(
    command: Sequence[str], what: str, tip: str, environment: Mapping[str, str] | None = None
) -> str:
    """Run a program to its end and return its stdout. It reads nothing, so that it asks nothing.

    Args:
        what: of the error, as in "The packages could not be fetched".

    Raises:
        VerificationError: it failed; the last lines it wrote are attached.
    """
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        env=None if environment is None else dict(environment), check=False,
    )  # fmt: skip
    if done.returncode:
        raise VerificationError(f"{what}: {failure(done.returncode, done.stdout + done.stderr)}", tip)
    return done.stdout


def failure(code: int, said: str) -> str:
    """How a program ended, and its last lines."""
    lines = [line for line in said.splitlines() if line.strip()][-LOG_LINES:]
    how = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
    return f"{how}. " + ("Its last lines:\n" + "\n".join(lines) if lines else "It printed nothing.")
