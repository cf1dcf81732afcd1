"""The model of a build, and some of its windows, as an export takes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.metadata import read_metadata
from converters.schema import read_bytes
from models.errors import InputError
from models.quiet_tensorflow import stderr_held_back
from pipeline import runtime
from pipeline.data.archive import as_windows, read_npz

DEFAULT_MODEL = "model_int8.tflite"
GOLDEN = "golden.npz"
REPORT = "report.json"


@dataclass(frozen=True, eq=False)
class BuiltModel:
    """One .tflite file of a build.

    Attributes:
        name: its file name in the build's folder.
        content: the file.
        metadata: what it says about itself (docs/tflite-file.md).
        windows: raw windows of the test part, each [steps of it, channels] float32.
        doubt: why it is not known to answer as the float model does, one sentence; "" where its parity held.
    """

    name: str
    content: bytes
    metadata: dict[str, Any]
    windows: tuple[NDArray[np.float32], ...]
    doubt: str = ""


def read_built(build: Path, model: str | None, windows: int = 20, force: bool = False) -> BuiltModel:
    """Read a file of a build, and windows spread over its test part.

    Args:
        build: the folder that `pipeline build` wrote.
        model: a file name in it; None: `model_int8.tflite`.
        windows: how many at most.
        force: take a file of which parity failed, or was never verified, too; its `doubt` says so.

    Raises:
        InputError: no such build or file, not one with our metadata, windows of another model, or a file
            that is not as it was built: an exporter that writes it anew would give it a checksum that fits.
            Without `force` also one in `doubt`.
    """
    there = sorted(file.name for file in build.glob("model_*.tflite"))
    if not there:
        raise InputError(
            f"'{build}' is no finished build: it holds no model.",
            "Make one with `pipeline build`, and name its folder with --from.",
        )
    name = DEFAULT_MODEL if model is None else model
    if name not in there:
        raise InputError(f"'{build}' has no '{name}'; it has {', '.join(there)}.", "Choose one with --model.")
    content = read_bytes(build / name)
    metadata = read_metadata(content)
    if metadata is None:
        raise InputError(f"'{build / name}' carries no metadata of ours: `pipeline build` did not make it.")
    try:
        runtime.read_checked(content)
    except runtime.ModelFileError as error:
        raise InputError(f"'{build / name}': {error}") from error
    doubt = _doubt(build, name)
    if doubt and not force:
        raise InputError(
            f"'{build}': {doubt}",
            "See its report.html. --force exports the model all the same, and the export says so.",
        )
    chosen = _windows(build / GOLDEN, windows, metadata["preprocessing"])
    return BuiltModel(name, content, metadata, chosen, doubt)


def opened(content: bytes, name: str) -> runtime.SequenceModel:
    """The model of a file, in the runtime that ships.

    Args:
        name: of the file, for messages.

    Raises:
        InputError: the interpreter, or the runtime, refuses it.
    """
    try:
        with stderr_held_back():  # the interpreter tells about its delegate
            return runtime.load_model(content)
    except runtime.ModelFileError as error:
        raise InputError(f"'{name}': {error}") from error


def _doubt(build: Path, name: str) -> str:
    """From the checks of the file itself: of several schemes one may fail and another hold."""
    try:
        schemes = json.loads((build / REPORT).read_text("utf-8"))["schemes"]
        verdict, checks = next((one["verdict"], one["checks"]) for one in schemes if one["file"] == name)
        failed = [str(check["name"]) for check in checks if check["passed"] is False]
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return f"Parity of '{name}' was not verified: {REPORT} has no verdict on it."
    if verdict == "pass" and not failed:
        return ""
    return f"Parity of '{name}' failed: {', '.join(dict.fromkeys(failed)) or 'nothing was held to a limit'}."


def _windows(path: Path, count: int, rule: dict[str, Any]) -> tuple[NDArray[np.float32], ...]:
    arrays = read_npz(path, _wanted)
    raw = as_windows("raw_features", arrays["raw_features"])  # [n, time, channels]
    lengths = arrays.get("lengths", np.full(len(raw), raw.shape[1]))
    steps, channels = rule["steps"], rule["features"]
    few = 1 if rule["padding"] != "none" else steps
    if raw.shape[2] != channels or lengths.shape != (len(raw),) or not _within(lengths, few, steps):
        raise InputError(
            f"'{path}' has windows of {raw.shape[1]} steps and {raw.shape[2]} channels, the model takes "
            f"{steps} and {channels}: they do not belong together.",
            "Run the build again.",
        )
    chosen = np.unique(np.linspace(0, len(raw) - 1, count).astype(int))
    return tuple(raw[index, : int(lengths[index])] for index in chosen)


def _within(lengths: NDArray[Any], least: int, most: int) -> bool:
    return bool(np.issubdtype(lengths.dtype, np.integer) and ((lengths >= least) & (lengths <= most)).all())


def _wanted(present: tuple[str, ...]) -> list[str]:
    if "raw_features" not in present:
        raise InputError(f"{GOLDEN} has no windows, 'raw_features'.", "Run the build again.")
    return [name for name in ("raw_features", "lengths") if name in present]
