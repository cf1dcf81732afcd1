"""Read numpy files that we did not write, without ever unpickling."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import InputError
from pipeline.data.registry import unreadable

# What numpy and zipfile raise for a damaged file. (RuntimeError: an encrypted or unknown kind of zip.)
_DAMAGE = (
    ValueError, EOFError, KeyError, SyntaxError, MemoryError, RuntimeError,
    tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read_npz(path: Path, choose: Callable[[tuple[str, ...]], Collection[str]]) -> dict[str, np.ndarray]:
    """Read some arrays of an .npz file.

    Args:
        path: the file.
        choose: gets the names of all arrays in the file, returns those to read; may raise.

    Raises:
        InputError: the file is missing, damaged, no .npz, or a chosen array holds Python objects.
    """
    with _opened(path) as archive:
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise InputError(f"'{path}' is no .npz file but a single array.", "Write it with numpy.savez.")
        arrays = {}
        for name in choose(tuple(archive.files)):
            with _explained(path, f"array '{name}' of "):
                arrays[name] = np.asarray(archive[name])
        return arrays


def npz_keys(path: Path) -> tuple[str, ...]:
    """Return the names of all arrays in an .npz file; reads none of them.

    Raises:
        InputError: as `read_npz`.
    """
    found: list[str] = []

    def choose(present: tuple[str, ...]) -> tuple[str, ...]:
        found.extend(present)
        return ()

    read_npz(path, choose)
    return tuple(found)


def read_npy(path: Path) -> np.ndarray:
    """Read the array of a .npy file.

    Raises:
        InputError: the file is missing, damaged, no .npy, or holds Python objects.
    """
    with _opened(path) as array:
        if not isinstance(array, np.ndarray):
            raise InputError(f"'{path}' is no .npy file but an archive of arrays.", "Name it .npz.")
        return array


def require_finite(name: str, windows: np.ndarray) -> None:
    """Raise an InputError that says where, if a value of [n, time, channels] is NaN or infinite."""
    bad = np.argwhere(~np.isfinite(windows))
    if len(bad):
        window, step, channel = bad[0]
        raise InputError(
            f"{name}: {len(bad)} of {windows.size} values are NaN, infinite or too large for float32; "
            f"the first at window {window}, step {step}, channel {channel}.",
            "Remove or repair these windows; a gap is best filled by interpolation.",
        )


def as_windows(name: str, values: np.ndarray) -> np.ndarray:
    """Return numbers as float32; values too large for it become infinite.

    Raises:
        InputError: the array does not hold numbers.
    """
    if values.dtype.kind not in "fiub":
        raise InputError(f"{name} holds {values.dtype} values; allowed are real numbers.")
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Yield what numpy makes of the file, then close it. (numpy.load leaves a damaged file open.)"""
    with ExitStack() as stack:
        with _explained(path):
            file = stack.enter_context(open(path, "rb"))
            content = np.load(file, allow_pickle=False)
        yield content


@contextmanager
def _explained(path: Path, part: str = "") -> Iterator[None]:
    """Turn what a damaged file raises into an InputError."""
    try:
        yield
    except OSError as error:
        raise unreadable(path, error) from error
    except _DAMAGE as error:
        raise _unusable(path, error, part) from error


def _unusable(path: Path, error: BaseException, part: str) -> InputError:
    if "Object arrays" in str(error):
        return InputError(
            f"The {part}'{path}' holds Python objects, which are never loaded from a file.",
            "Save arrays of numbers, or of text for names: np.array(values, dtype=np.float32).",
        )
    reason = "" if "allow_pickle" in str(error) else f": {error}"  # no advice to load it unsafely
    return InputError(
        f"The {part}'{path}' is damaged or not a numpy file{reason}.",
        "Write it again with numpy.savez.",
    )
