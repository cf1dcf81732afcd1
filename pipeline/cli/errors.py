"""The one place where an error becomes text and an exit code."""

import os
import select
import sys
import traceback
from collections.abc import Callable
from types import FrameType

import click

from models import errors
from pipeline.cli.output import printable

EXIT_CODES: dict[type[errors.FuselageError], int] = {
    errors.InputError: 2,
    errors.TrainingError: 3,
    errors.QuantizationError: 4,
    errors.ConversionError: 5,
    errors.VerificationError: 6,
    errors.ReportError: 7,
}
USAGE, BUG, INTERRUPTED, BROKEN_PIPE, TERMINATED = 2, 70, 130, 141, 143


class Terminated(BaseException):
    """SIGTERM arrived. No Exception, so that no stage takes it for a failure of its own."""


class PipeBroken(Exception):
    """A BrokenPipeError under a name that click does not take for exit code 1."""


def guarded(call: Callable[[], object]) -> int:
    """Run a command and give its exit code, 0 where it returns none; errors are printed to stderr."""
    try:
        code = call()
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt) as error:
        return _stopped("Interrupted", error.__cause__ or error, INTERRUPTED)  # click's Abort has a cause
    except Terminated as error:
        return _stopped("Terminated", error, TERMINATED)
    except Exception as error:
        if isinstance(error, PipeBroken) and _reader_has_gone():  # `| head`: enough was read
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            return BROKEN_PIPE
        known = _as_known(error)
        if known is None:
            traceback.print_exc()
            _tell("Error: This is a bug in fuselage; the lines above say where.")
            return BUG
        _tell(f"Error: {known.message}")
        if known.tip:
            _tell(f"Tip: {known.tip}")
        return EXIT_CODES.get(type(known), USAGE)


def _as_known(error: Exception) -> errors.FuselageError | None:
    """The error in our vocabulary, or None for a bug. `pipeline.runtime` has its own kinds."""
    if isinstance(error, errors.FuselageError):
        return error
    runtime = sys.modules.get("pipeline.runtime")
    if runtime is not None and isinstance(error, runtime.ModelFileError | runtime.WindowError):
        return errors.InputError(str(error))
    return None


def _reader_has_gone() -> bool:
    """Whether nobody reads our stdout or stderr any more; a child's broken pipe is something else."""
    poll = select.poll()
    for stream in (1, 2):
        poll.register(stream, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _stopped(how: str, error: BaseException, code: int) -> int:
    _tell(" ".join([f"{how}.", *getattr(error, "__notes__", ())]))
    return code


def _tell(text: str) -> None:
    click.echo(printable(text), err=True)


def terminate(_signal: int, _frame: FrameType | None) -> None:
    """The handler of SIGTERM."""
    raise Terminated
