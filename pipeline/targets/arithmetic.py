"""What a file computes in: it decides how equal two machines have to be."""

from __future__ import annotations

from typing import Literal

from converters import schema
from converters.summary import summarize

Arithmetic = Literal["integer", "float", "mixed"]

_QUANTIZED = {"int8", "uint8", "int16", "int4"}


def arithmetic(content: bytes) -> Arithmetic:
    """`integer` where nothing but inputs and outputs is float, `float` where nothing is quantized (weights in
    float16 are not), else `mixed`: int8 weights with float activations, or attention in float.

    Raises:
        InputError: the content is no readable .tflite.
    """
    model = schema.read_model(content)
    if summarize(model).integer_only:
        return "integer"
    kinds = {schema.tensor_type_name(tensor) for graph in model.subgraphs for tensor in graph.tensors}
    return "mixed" if kinds & _QUANTIZED else "float"
