"""Loads the delegate where it is known to work, and says why elsewhere.

The library meets the interpreter through structures whose layout its header calls "semi-stable": a changed
one would crash and not raise. Three guards stand before the first use: a list of interpreter versions that it
was tested with, a self-test against the built-in kernel in a child process, and the library's own checks of
every node.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import sys
from types import SimpleNamespace
from typing import Any

from fuselage_kernels.library import LIBRARY, runnable_paths
from fuselage_kernels.trial import trial_problem

TESTED = {"ai_edge_litert": ("2.3.0",), "tensorflow": ("2.21.0",), "tflite_runtime": ()}
"""Interpreters by the module they are imported from, and the versions of each that all tests passed with."""

_DISTRIBUTIONS = {
    "ai_edge_litert": ("ai-edge-litert",),
    "tflite_runtime": ("tflite-runtime",),
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
}


class Unavailable(RuntimeError):
    """The delegate cannot be used here; the text says why. The built-in kernel gives the same results."""


def load(interpreter: str | None = None, *, path: str | None = None, untested: bool = False) -> Any:
    """Return a delegate for `experimental_delegates` of the stock interpreter.

    The first call with a version of the interpreter, of this library and on a CPU runs a self-test in a child
    process, a second or two, and remembers that it passed (in $XDG_CACHE_HOME or ~/.cache).

    Args:
        interpreter: the module whose Interpreter will get it: "ai_edge_litert", "tensorflow" or
            "tflite_runtime". None: the one that is imported, else the one that is installed; of several the
            first in that order.
        path: an instruction set of `runnable_paths()`; None: the best.
        untested: True takes a version of the interpreter that is not in `TESTED`, if the self-test passes.

    Raises:
        Unavailable: no interpreter, an untested version, no library, a path that this CPU cannot run, or a
            self-test that failed.
    """
    module = interpreter or _default_interpreter()
    if module not in TESTED:
        raise Unavailable(f"Unknown interpreter '{module}'. Known: {', '.join(TESTED)}.")
    version = _version(module)
    if version not in TESTED[module] and not untested:
        tested = ", ".join(TESTED[module]) or "none"
        raise Unavailable(
            f"{module} {version} was not tested with fuselage-kernels; tested: {tested}. "
            "load(untested=True) takes it if the self-test passes."
        )
    if not LIBRARY.exists():
        raise Unavailable(f"The library {LIBRARY.name} is missing. Install fuselage-kernels again.")
    if path is not None and path not in runnable_paths():
        raise Unavailable(f"This CPU cannot run '{path}'. It runs: {', '.join(runnable_paths())}.")
    problem = trial_problem(module, version, path)
    if problem:
        raise Unavailable(f"The self-test with {module} {version} failed: {problem}")
    return open_delegate(module, path)


def open_delegate(module: str, path: str | None) -> Any:
    """Load the library into an interpreter's Delegate, without any guard.

    Raises:
        Unavailable: the interpreter or the library refuses.
    """
    options = {} if path is None else {"path": path}
    try:
        ctypes.CDLL(str(LIBRARY))  # a Delegate whose library cannot be loaded raises again when it is deleted
        return interpreter_of(module).load_delegate(str(LIBRARY), options)
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        raise Unavailable(f"{module} cannot load the delegate: {error}") from error


def interpreter_of(module: str) -> Any:
    """The namespace of an interpreter library that has `Interpreter` and `load_delegate`."""
    if module != "tensorflow":
        return importlib.import_module(f"{module}.interpreter")
    lite = importlib.import_module("tensorflow").lite
    return SimpleNamespace(Interpreter=lite.Interpreter, load_delegate=lite.experimental.load_delegate)


def _default_interpreter() -> str:
    installed = [module for module in _DISTRIBUTIONS if _version(module, missing_ok=True)]
    if not installed:
        raise Unavailable("No TFLite interpreter is installed. Try: pip install ai-edge-litert")
    imported = [module for module in installed if module in sys.modules]
    return (imported or installed)[0]


def _version(module: str, missing_ok: bool = False) -> str:
    for name in _DISTRIBUTIONS[module]:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    if missing_ok:
        return ""
    raise Unavailable(f"{module} is not installed.")
