"""Run a function of ours in a child process, so that its crash becomes an error message.

TFLite's converter and calibrator can end the whole Python process (a segmentation fault at a WHILE loop or
at a value that is not finite). The parent writes `job.json` into a folder, the child writes `result.json`
or `error.json` beside it, each under a temporary name first; nothing is pickled. What the child prints,
native code included, goes to `log.txt`. A pipe carries progress, and its other end in the child's stdin
tells the child when the parent is gone.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TextIO

import models.errors
from models.errors import ConversionError, FuselageError

JOB, RESULT, ERROR, LOG = "job.json", "result.json", "error.json", "log.txt"
LOG_LINES = 12  # attached to an error: enough for a traceback's end, little enough to read
GRACE_S = 5.0  # between asking a child to end and ending it

Job = Callable[[Path, dict[str, Any]], dict[str, Any]]
"""A function that can run in a child: (folder, arguments) -> result; both dicts are JSON."""

_pipe: TextIO | None = None  # to the parent; None in any process that is no child


def say(text: str) -> None:
    """In a child: tell the parent's listener how far the job is. Elsewhere: nothing."""
    if _pipe is not None:
        _pipe.write(" ".join(text.splitlines()) + "\n")


class Listener(Protocol):
    """Who wants to hear how far the child is."""

    def message(self, text: str) -> None:
        """One line a person should read."""


Crash = Callable[[int, str], FuselageError]
"""(exit code, how it ended and what it printed last) -> the error to raise; negative: the signal's number."""


def run_in_child(
    function: str,
    folder: Path,
    arguments: Mapping[str, Any],
    progress: Listener | None = None,
    crash: Crash | None = None,
) -> dict[str, Any]:
    """Call a function in a child process and return its result.

    Args:
        function: "module:name" of a `Job`, importable in a new process.
        folder: where job, result and log are written; also handed to the function for files of its own.
        arguments: what the function gets, JSON-able.
        progress: is told every line that the function hands to `say`.
        crash: makes another error than a ConversionError of a child that crashed, for jobs that convert
            nothing.

    Raises:
        ConversionError: the child crashed, was killed, or raised what is not one of our errors; the last
            lines of its log are attached.
        FuselageError: what the function raised, of the same class, with message and tip.
        KeyboardInterrupt: as in any call; the child is ended first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in (RESULT, ERROR):
        (folder / leftover).unlink(missing_ok=True)
    _write_json(folder / JOB, {"function": function, "arguments": dict(arguments)})
    code = _run(folder, progress)
    if (folder / ERROR).exists():
        raise _read_error(folder / ERROR)
    if code == 0 and (folder / RESULT).exists():
        result: dict[str, Any] = json.loads((folder / RESULT).read_text("utf-8"))
        return result
    raise (crash or _crash)(code, _how_it_ended(code, folder / LOG))


def _run(folder: Path, progress: Listener | None) -> int:
    """Start the child, pass its messages on, and return its exit code."""
    command = [sys.executable, "-m", "converters.child", os.fspath(folder)]
    # The child imports what the parent can import, installed or not.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    with (
        (folder / LOG).open("wb") as log,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment
        ) as child,
        _ended(child),
    ):
        assert child.stdout is not None
        for line in child.stdout:
            if progress is not None:
                progress.message(line.decode("utf-8", errors="replace").rstrip("\n"))
        return child.wait()


@contextlib.contextmanager
def _ended(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """End the child, whatever ends the block."""
    try:
        yield
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                child.kill()


def _crash(code: int, how: str) -> ConversionError:
    """Say what ended the child and what to try."""
    tips = {
        -signal.SIGSEGV: "Look for NaN or infinite values in the data and for a WHILE loop in the float "
        "model: both crash TFLite's calibrator.",
        -signal.SIGABRT: "A check inside the converter failed; the last lines name it.",
        -signal.SIGKILL: "The system ends a process that needs too much memory: close other programs, or "
        "use fewer calibration windows.",
    }
    return ConversionError(f"The conversion process {how}", tips.get(code, ""))


def _how_it_ended(code: int, log: Path) -> str:
    """The end of a sentence, and what the child printed last."""
    how = "ended without a result" if code == 0 else f"failed with exit code {code}"
    if code < 0:
        with contextlib.suppress(ValueError):
            how = f"was ended by {signal.Signals(-code).name}"
    lines = log.read_text("utf-8", errors="replace").splitlines()[-LOG_LINES:]
    return f"{how}. " + ("Its last lines:\n" + "\n".join(lines) if lines else "It printed nothing.")


def _read_error(path: Path) -> FuselageError:
    """The error the child wrote, of the class it had there."""
    document = json.loads(path.read_text("utf-8"))
    kind = getattr(models.errors, document["kind"], ConversionError)
    error: FuselageError = kind(document["message"], document["tip"])
    return error


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(document, allow_nan=False), "utf-8")
    temporary.replace(path)


# --- In the child ---------------------------------------------------------------------------------


def _main(folder: Path) -> None:
    """Do the job of a folder. stdout is the pipe for messages; what else writes there is sent to the log."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    global _pipe
    _pipe = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    job = json.loads((folder / JOB).read_text("utf-8"))
    module, name = job["function"].split(":")
    function: Job = getattr(importlib.import_module(module), name)
    try:
        result = function(folder, job["arguments"])
    except FuselageError as error:
        document = {"kind": type(error).__name__, "message": error.message, "tip": error.tip}
        _write_json(folder / ERROR, document)
        sys.exit(1)
    _write_json(folder / RESULT, result)
    for stream in (_pipe, sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)  # the result stands: no crash while libraries are torn down can undo it


def _end_with_parent() -> None:
    """Wait for the end of stdin, which is when the parent is gone, and leave at once."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    from converters import child  # this file under its own name, whose `say` the job imports

    child._main(Path(sys.argv[1]))
