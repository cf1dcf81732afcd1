"""A float .tflite whose LSTMs stay WHILE loops: what the fused op is worth, measured against itself.

The converter fuses an LSTM where the SavedModel says that a function implements one (`api_implements`, an
attribute that Keras 2 writes; TensorFlow 2.21, `prepare_composite_functions_tf.cc`). Without the attribute
the same functions, with the same weights, are converted as they stand. `tensorflow.core.protobuf` is
generated from TensorFlow's own .proto files and public, but carries no promise between versions.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from converters import schema
from converters.lstm_op import FUSED_LSTM
from models.errors import ConversionError

UNFUSED = "unfused.tflite"
_ATTRIBUTE = "api_implements"


def convert_unfused(saved_model: Path, work: Path) -> bytes:
    """A float32 .tflite with a WHILE loop for each LSTM.

    Args:
        saved_model: from `converters.export.export_saved_model`; it is not changed.
        work: a folder for a copy of it.

    Raises:
        ConversionError: the SavedModel has no LSTM of Keras 2, or the converter refuses it or fuses it still.
    """
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    copy = work / "saved_model"
    shutil.copytree(saved_model, copy)
    document = saved_model_pb2.SavedModel()
    document.ParseFromString((copy / "saved_model.pb").read_bytes())
    taken = 0
    for graph in document.meta_graphs:
        for function in graph.graph_def.library.function:
            if _ATTRIBUTE in function.attr:
                del function.attr[_ATTRIBUTE]
                taken += 1
    if not taken:
        raise ConversionError("The SavedModel has no LSTM that the converter would fuse.")
    (copy / "saved_model.pb").write_bytes(document.SerializeToString())
    try:
        content = bytes(tf.lite.TFLiteConverter.from_saved_model(str(copy)).convert())
    except Exception as error:  # ConverterError, and whatever the MLIR passes raise through pybind
        last = str(error).strip().splitlines() or [type(error).__name__]
        raise ConversionError(f"TFLite cannot convert the unfused model: {last[-1]}") from error
    model = schema.read_model(content)
    if any(list(schema.operators(model, graph, FUSED_LSTM)) for graph in model.subgraphs):
        raise ConversionError("The converter fused an LSTM although nothing says that it is one.")
    return content


def unfused_job(folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    """Make `unfused.tflite` in a folder from `saved_model` (path); the body of a child process."""
    (folder / UNFUSED).write_bytes(convert_unfused(Path(arguments["saved_model"]), folder))
    return {}
