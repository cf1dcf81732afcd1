"""What TensorFlow's own int8 quantizer makes of a float model, to be compared with.

Post-training quantization as its documentation has it: representative windows, `Optimize.DEFAULT`, float
input and outputs. Nothing is repaired afterwards: neither the scales of the LSTM's state nor its cell clip.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from converters.export import INPUT, LENGTHS
from converters.metadata import attach_metadata
from models.errors import ConversionError

STOCK = "model_int8_stock.tflite"


def convert_stock(saved_model: Path, windows: np.ndarray, lengths: np.ndarray | None = None) -> bytes:
    """An int8 .tflite of the stock quantizer.

    Its calibrator may end the process, so run this in a child process.

    Args:
        saved_model: of the float model, from `converters.export.export_saved_model`.
        windows: [n, time, features] float32, what it is calibrated on, in this order.
        lengths: [n] int32, how many steps of each count, where the model takes them.

    Raises:
        ConversionError: the converter refuses the model.
    """
    import tensorflow as tf

    named = {INPUT: windows} if lengths is None else {INPUT: windows, LENGTHS: lengths}

    def representative() -> Iterator[dict[str, np.ndarray]]:
        for place in range(len(windows)):
            yield {name: values[place : place + 1] for name, values in named.items()}

    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    try:
        return bytes(converter.convert())
    except Exception as error:  # ConverterError, and whatever the MLIR passes raise through pybind
        last = str(error).strip().splitlines() or [type(error).__name__]
        raise ConversionError(f"TensorFlow's stock quantizer refuses the model: {last[-1]}") from error


def stock_job(folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    """Make `model_int8_stock.tflite` in a folder; the body of the child process.

    Args:
        folder: where to write.
        arguments: `saved_model`, `windows`, `lengths` (paths; `lengths` is None where the model takes none),
            `metadata` (JSON).
    """
    windows, told = np.load(arguments["windows"], allow_pickle=False), arguments["lengths"]
    lengths = None if told is None else np.load(told, allow_pickle=False)
    content = convert_stock(Path(arguments["saved_model"]), windows, lengths)
    (Path(folder) / STOCK).write_bytes(attach_metadata(content, arguments["metadata"]))
    return {}
