"""The shared library beside this file, and what it says about itself."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIBRARY = Path(__file__).with_name("libfuselage_kernels.so")


@dataclass(frozen=True)
class Taken:
    """What a delegate has done with the models of the interpreters that it was given to.

    Attributes:
        path: the instruction set it uses.
        taken: fused LSTMs that it runs.
        refused: fused LSTMs that it has left to the built-in kernel.
        reasons: why, for the first eight of them.
    """

    path: str
    taken: int
    refused: int
    reasons: tuple[str, ...]


@functools.cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(LIBRARY))
    library.fuselage_kernels_runnable.argtypes = [ctypes.c_int]
    library.fuselage_kernels_runnable.restype = ctypes.c_char_p
    library.fuselage_kernels_path.argtypes = [ctypes.c_void_p]
    library.fuselage_kernels_path.restype = ctypes.c_char_p
    library.fuselage_kernels_taken.argtypes = [ctypes.c_void_p]
    library.fuselage_kernels_refused.argtypes = [ctypes.c_void_p]
    library.fuselage_kernels_reason.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.fuselage_kernels_reason.restype = ctypes.c_char_p
    return library


def runnable_paths() -> tuple[str, ...]:
    """The instruction sets that the library can use on this CPU, best first."""
    found: list[str] = []
    while (name := _library().fuselage_kernels_runnable(len(found))) is not None:
        found.append(name.decode())
    return tuple(found)


def describe(delegate: Any) -> Taken:
    """Say what a delegate of `load` has taken over so far, in all interpreters that it was given to."""
    library, pointer = _library(), delegate._get_native_delegate_pointer()
    refused = library.fuselage_kernels_refused(pointer)
    reasons = [library.fuselage_kernels_reason(pointer, number) for number in range(min(refused, 8))]
    return Taken(
        library.fuselage_kernels_path(pointer).decode(),
        library.fuselage_kernels_taken(pointer),
        refused,
        tuple(reason.decode() for reason in reasons if reason is not None),
    )
