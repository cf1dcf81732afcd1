"""From SavedModels and ranges to the two .tflite files.

Runs in a child process (``converters.child``), because the converter may end
its process where an exception is due.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.flatbuffer import set_cell_clip
from converters.lint import (
    check_cell_clip_off,
    check_fused,
    check_integer_only,
    check_scales,
    check_state_scales_tied,
)
from converters.metadata import attach_metadata
from converters.quantizer import quantize
from converters.quantizer.formats import FLOAT
from converters.ranges import RangeTable
from models.errors import ConversionError


def convert_float(saved_model: Path, lstm_layers: Sequence[str]) -> bytes:
    """A float32 .tflite with every LSTM fused and no cell clip.

    Args:
        saved_model: from ``converters.export.export_saved_model``.
        lstm_layers: names of the model's LSTM layers.

    Raises:
        ConversionError: the converter refuses the model, or an LSTM did not fuse.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    try:
        content: bytes = converter.convert()
    except Exception as error:  # ConverterError, and whatever the MLIR passes raise through pybind
        raise ConversionError(
            f"TFLite cannot convert the model: {_reason(error)}",
            "Every layer must be a TFLite builtin, the batch size 1 and the number of steps fixed.",
        ) from error
    check_fused(content, lstm_layers)
    content = set_cell_clip(content, 0.0)
    check_cell_clip_off(content)
    return content


def _reason(error: Exception) -> str:
    """What MLIR calls the error, out of pages of program text and without its place in there."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    told = next((line.partition("error: ")[2] for line in lines if "error: " in line), lines[-1])
    return re.sub(r"^loc\(.*?\)+: ", "", told)


def quantize_int8(
    float_model: bytes,
    table: RangeTable,
    io: str = "float32",
    windows: NDArray[np.float32] | None = None,
) -> tuple[bytes, list[dict[str, Any]]]:
    """A quantized .tflite from a float one and the ranges of its quantities, checked.

    Integer-only unless a quantity asks for float32, or an op of a brought model has no integer kernel.

    Args:
        float_model: from ``convert_float``.
        table: ranges of the same weights.
        io: type of float inputs and outputs, "float32" or "int8".
        windows: [n, steps, features], of a model that the table does not cover (``converters.quantizer``).

    Returns:
        The file, and for each activation: tensor, quantity, minimum, maximum, precision, scale, zero point,
        and the op that was left in float, "" of all others.

    Raises:
        ConversionError: a range is missing, or the file does not have the scales it was told to have.
    """
    content, assigned = quantize(float_model, table, io, windows)
    if all(one.format != FLOAT for one in assigned):
        check_integer_only(content)
    check_state_scales_tied(content)
    check_cell_clip_off(content)
    check_scales(
        content, {a.tensor: (a.format.scale, a.format.zero_point) for a in assigned if a.format != FLOAT}
    )
    return content, [
        {
            "tensor": a.tensor,
            "quantity": a.quantity,
            "minimum": a.range.minimum,
            "maximum": a.range.maximum,
            "precision": a.format.precision,
            "scale": a.format.scale,
            "zero_point": a.format.zero_point,
            "left_in_float": a.left_in_float,
        }
        for a in assigned
    ]


def convert_job(folder: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Make a file for each scheme in a folder; the body of the child process.

    Args:
        folder: where to write.
        arguments: ``schemes`` (by name ``file``, ``conversion``, and ``attention``, a precision, None without
            a twin), ``float_saved_model`` (path), ``quantized`` (by precision the paths ``saved_model`` and
            ``ranges``, and of a model that was brought ``windows``, an .npy), ``io``, ``lstm_layers``
            (names), ``metadata`` (JSON).

    Returns:
        JSON-able, by scheme name: the ``ranges`` that were written.
    """
    from converters.schemes import Source, convert  # which needs this file

    lstm_layers, metadata = arguments["lstm_layers"], arguments["metadata"]
    original = convert_float(Path(arguments["float_saved_model"]), lstm_layers)
    told: dict[str, Any] = {}
    for name, about in arguments["schemes"].items():
        source = Source(original, io=arguments["io"])
        if about["attention"]:
            made = arguments["quantized"][about["attention"]]
            trained = convert_float(Path(made["saved_model"]), lstm_layers)
            windows = np.load(made["windows"], allow_pickle=False) if "windows" in made else None
            table = RangeTable.load(Path(made["ranges"]))
            source = Source(original, trained, table, arguments["io"], windows)
        converted = convert(about["conversion"], source)
        Path(folder, about["file"]).write_bytes(attach_metadata(converted.content, metadata))
        told[name] = {"ranges": converted.ranges}
    return told
