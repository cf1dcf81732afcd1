"""Edits of a finished .tflite."""

from __future__ import annotations

from converters.lstm_op import lstm_nodes
from converters.metadata import seal
from converters.schema import read_model, write_model
from models.errors import ConversionError


def set_cell_clip(model: bytes, value: float) -> bytes:
    """Write the bound on |c| into every fused LSTM.

    The converter writes 10, which Keras does not have: where |c| passes 10, even the float file differs
    from Keras. 0 turns the clip off, and a 0 written before quantization stays.

    The checksum in our metadata is renewed.

    Args:
        model: content of a .tflite.
        value: the bound in units of the cell state, 0 for none.

    Raises:
        ConversionError: the model has no fused LSTM, or the bound is negative or not a number.
        InputError: the content is no model.
    """
    if not value >= 0:
        raise ConversionError(f"A cell clip is 0 (none) or positive, got {value}.")
    unpacked = read_model(model)
    nodes = lstm_nodes(unpacked)
    if not nodes:
        raise ConversionError("There is no fused LSTM whose cell clip could be set.")
    for node in nodes:
        node.operator.builtinOptions.cellClip = float(value)
    return seal(write_model(unpacked))
