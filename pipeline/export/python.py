"""A folder that runs a model where there is Python, numpy and an interpreter, and tests itself there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.streaming import streaming_file
from models.errors import ConversionError, InputError
from pipeline import runtime
from pipeline.export.built import BuiltModel, opened, read_built
from pipeline.export.folder import export_folder, written_files
from pipeline.export.limits import device_limits
from pipeline.export.readme import readme

REQUIREMENTS = """\
# Tried: ai-edge-litert 2.0.2, 2.1.0, 2.2.0 and 2.3.0 with numpy 2.4.6, and 2.3.0 with numpy 2.0.2 and 2.3.5.
numpy>=2.0.2,<2.5
ai-edge-litert>=2.0.2,<2.4
"""
ROUNDED = 1.001
"""The thousandth is for the roundings of scale * (q - zero_point) in float32."""


def export_python(
    build: Path, out: Path, model: str | None = None, streaming: bool = False, force: bool = False
) -> list[Path]:
    """Write a folder with a model of a build, the runtime, golden vectors and a self-test.

    Args:
        build: the folder that `pipeline build` wrote.
        out: new, empty, or an earlier export of this kind.
        model: a file name in the build; None: `model_int8.tflite`.
        streaming: the model in its streaming form too, and what runs it.
        force: take any folder, see `export_folder`, and a model in doubt, see `read_built`.

    Returns:
        the files written.

    Raises:
        InputError: no such build or file, a folder that is not to be written, a model that cannot stream.
    """
    built = read_built(build, model, force=force)
    streamed = _streaming(built) if streaming else None
    with export_folder(out, "python", force) as folder:
        (folder / "model.tflite").write_bytes(built.content)
        _copy("runtime.py", folder)
        _copy("export/device/selftest.py", folder)
        if streamed is not None:
            (folder / "streaming.tflite").write_bytes(streamed)
            _copy("streaming.py", folder)
        np.savez_compressed(folder / "golden.npz", allow_pickle=False, **golden_vectors(built))
        (folder / "requirements.txt").write_text(REQUIREMENTS, "utf-8")
        (folder / "README.md").write_text(readme(built, streaming), "utf-8")
    return written_files(out)


def golden_vectors(built: BuiltModel) -> dict[str, NDArray[Any]]:
    """Raw windows and what this file answers on this machine, through the runtime that is exported.

    Returns:
        `windows` [n, steps, channels] float32, zeros behind the first `lengths` [n] steps; by output
        `expected_*` [n, ...] float32, dequantized, and `limit_*`, by how much another machine may differ, as
        `device_limits` says: of a quantized output in real numbers, of a float one a share of the value.
    """
    model = opened(built.content, built.name)
    steps, channels = model.metadata["preprocessing"]["steps"], model.metadata["preprocessing"]["features"]
    windows = np.zeros((len(built.windows), steps, channels), np.float32)
    lengths = np.array([len(window) for window in built.windows])
    for row, window in zip(windows, built.windows, strict=True):
        row[: len(window)] = window
    found = [
        model.run(model.standardize(one), len(one) if model.takes_lengths else None) for one in built.windows
    ]
    vectors: dict[str, NDArray[Any]] = {"windows": windows, "lengths": lengths}
    limits = device_limits(built.content, steps, model.output_scales)
    for name, scale in model.output_scales.items():
        vectors[f"expected_{name}"] = np.stack([one[name] for one in found])
        vectors[f"limit_{name}"] = np.array(limits[name] * (ROUNDED * scale if scale else 1.0))
    return vectors


def _streaming(built: BuiltModel) -> bytes:
    try:
        return streaming_file(built.content)
    except ConversionError as error:
        raise InputError(f"'{built.name}' cannot stream: {error.message}", error.tip) from error


def _copy(name: str, folder: Path) -> None:
    shutil.copyfile(Path(runtime.__file__).parent / name, folder / Path(name).name)
