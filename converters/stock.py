"""What TensorFlow's own int8 quantizer makes of a float model, to be compared with.

Post-training quantization as its documentation has it: representative windows, `Optimize.DEFAULT`, float
input and outputs. Nothing is repaired afterwards: neither the scales of the LSTM's state nor its cell clip.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from converters.metadata import attach_metadata
from models.errors import ConversionError

STOCK = "model_int8_stock.tflite"


def convert_stock(saved_model: Path, windows: np.ndarray) -> bytes:
    """An int8 .tflite of the stock quantizer.

    Its calibrator may end the process, so run this in a child process.

    Args:
        saved_model: of the float model, from `converters.export.export_saved_model`.
        windows: [n, time, features] float32, what it is calibrated on, in this order.

    Raises:
        ConversionError: the converter refuses the model.
    """
    import tensorflow as tf

    def representative() -> Iterator[list[np.ndarray]]:
        for window in windows:
            yield [window[np.newaxis]]

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
        arguments: `saved_model`, `windows` (paths), `metadata` (JSON).
    """
    windows = np.load(arguments["windows"], allow_pickle=False)
    content = convert_stock(Path(arguments["saved_model"]), windows)
    (Path(folder) / STOCK).write_bytes(attach_metadata(content, arguments["metadata"]))
    return {}
