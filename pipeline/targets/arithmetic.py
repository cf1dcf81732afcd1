"""What a file computes in: it decides how equal two machines have to be."""

from __future__ import annotations

from typing import Literal

from converters import schema
from converters.summary import summarize

Arithmetic = Literal["integer", "float", "float attention", "mixed"]

INTEGER_LSTM = "int8 8x8_16"  # as `LstmSummary.kind` has it
_QUANTIZED = {"int8", "uint8", "int16", "int4"}


def arithmetic(content: bytes) -> Arithmetic:
    """What a file computes in.

    `integer` where nothing but inputs and outputs is float; `float` where nothing is quantized (weights in
    float16 are not); `float attention` where every LSTM is of integers and something behind it is float; else
    `mixed`: int8 weights with float activations.

    Raises:
        InputError: the content is no readable .tflite.
    """
    model = schema.read_model(content)
    summary = summarize(model)
    if summary.integer_only:
        return "integer"
    kinds = {schema.tensor_type_name(tensor) for graph in model.subgraphs for tensor in graph.tensors}
    if not kinds & _QUANTIZED:
        return "float"
    lstms = {one.kind for one in summary.lstms}
    return "float attention" if lstms == {INTEGER_LSTM} else "mixed"
