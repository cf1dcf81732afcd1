"""A float .tflite and the ranges of its quantities -> one that computes in int8, int16 or float, op by op.

TensorFlow's own quantizer takes one precision for the whole model, refuses a fused LSTM beside int16, and
lets a CONCATENATION overwrite the scale of the LSTM's output. Here each value has the precision of its
quantity (``converters.ranges``), and a QUANTIZE stands on each edge between two formats. The rules are
docs/quantizer.md; data flows

    formats, constants    numbers -> integers
    values                quantities -> the format of a value
    observation           what a brought model's other values are seen to hold -> quantities
    operators             what the kernel of each op asks (the registry)
    graph, lstm           the rewrite
    writer, versions      tensors, buffers, operator codes -> bytes
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters import schema
from converters.lstm_op import lstm_nodes
from converters.quantizer.formats import Format
from converters.quantizer.graph import Rewrite
from converters.quantizer.lstm import check_operands
from converters.quantizer.observation import observe
from converters.ranges import RangeTable
from models.errors import ConversionError
from models.quantization.number_formats import Range

IO_TYPES = ("float32", "int8")


@dataclass(frozen=True)
class Assigned:
    """The format a value got, and the quantity it came from.

    Args:
        tensor: in the quantized model.
        quantity: its name.
        range: of the quantity.
        format: of the tensor.
        left_in_float: the op that computes it, where that has no integer kernel here; else "".
    """

    tensor: str
    quantity: str
    range: Range
    format: Format
    left_in_float: str = ""


def quantize(
    model: bytes,
    table: RangeTable,
    io: str = "float32",
    windows: NDArray[np.float32] | None = None,
) -> tuple[bytes, list[Assigned]]:
    """Quantize a float model.

    Args:
        model: a float .tflite with one subgraph, whose LSTMs are fused and whose cell clip is off.
        table: the quantities of the same weights.
        io: type of the float inputs and outputs of the model, "float32" or "int8". An int8 output of a value
            that is computed in int16 goes through a QUANTIZE into the value's int8 format (a softmax's is
            1/256, -128).
        windows: [n, steps, features] for a model that was brought and that the table does not cover: what
            matches no quantity gets the range that it has on them, and ops that are not known stay in float.

    Returns:
        The quantized model, and what each value got, in the graph's order.

    Raises:
        ConversionError: an unknown io type, op or operand, or a value that matches no quantity.
    """
    from converters.inner_tensors import all_tensors

    if io not in IO_TYPES:
        raise ConversionError(f"Unknown io type '{io}'. Known: {', '.join(IO_TYPES)}.")
    unpacked = schema.read_model(model)
    if len(unpacked.subgraphs) != 1:
        raise ConversionError(f"The model has {len(unpacked.subgraphs)} subgraphs, one is expected.")
    for node in lstm_nodes(unpacked):
        check_operands(node)
    observed = all_tensors(model, table.probe_window, **table.probe_inputs)
    seen = None if windows is None else observe(model, windows)
    content, homes = Rewrite(
        unpacked, {index: value for index, (_, value) in observed.items()}, table, io, seen
    ).run()
    return content, [Assigned(name, v.quantity.name, v.quantity.range, v.home, op) for name, v, op in homes]
