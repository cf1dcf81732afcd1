"""Integers at the borders: the conversions from and to float cut off, nothing else changed."""

from __future__ import annotations

from converters import schema
from converters.lstm_op import lstm_nodes
from converters.metadata import SIGNATURE_KEY, attach_metadata, read_metadata, signature_of
from converters.part import part_of, replace_graphs
from models.errors import ConversionError

_TIP = "Build the scheme int8 (--quantize int8), and export its model_int8.tflite."


def with_integer_io(model: bytes) -> bytes:
    """Return the model with the integers as inputs and outputs that stand behind its float ones.

    An input's QUANTIZE and an output's DEQUANTIZE are taken off; what lies between runs as before. A model
    whose borders are integers already is returned as it is.

    Args:
        model: content of a .tflite of ours.

    Raises:
        ConversionError: no metadata of ours, more than one subgraph, or an input or output that is computed
            in float.
        InputError: the content is no model.
    """
    document, unpacked = read_metadata(model), schema.read_model(model)
    if document is None:
        raise ConversionError("The model carries no metadata of ours.")
    if len(unpacked.subgraphs) != 1:
        raise ConversionError(f"The model has {len(unpacked.subgraphs)} subgraphs; one is needed.")
    graph, whole = unpacked.subgraphs[0], signature_of(unpacked)
    if any(node.kind != "int8 8x8_16" for node in lstm_nodes(unpacked)):
        raise ConversionError("An LSTM of the model computes in float.", _TIP)
    removed: list[schema.OperatorT] = []
    inputs, outputs = {}, {}
    for entry in whole.inputs:
        inputs[schema.name(entry)] = _behind(unpacked, entry.tensorIndex, "QUANTIZE", removed)
    for entry in whole.outputs:
        outputs[schema.name(entry)] = _behind(unpacked, entry.tensorIndex, "DEQUANTIZE", removed)
    if not removed:
        return model
    kept = [operator for operator in graph.operators if not any(operator is one for one in removed)]
    replace_graphs(unpacked, {SIGNATURE_KEY: part_of(graph, schema.name(graph), kept, inputs, outputs)})
    return attach_metadata(schema.write_model(unpacked), document)


def _behind(model: schema.ModelT, border: int, conversion: str, removed: list[schema.OperatorT]) -> int:
    """The tensor of integers behind a border; the op between the two is added to `removed`."""
    (graph,) = model.subgraphs
    tensor = graph.tensors[border]
    if not schema.is_float(tensor):
        return border
    side, other = ("inputs", "outputs") if conversion == "QUANTIZE" else ("outputs", "inputs")
    touching = [
        operator
        for operator in graph.operators
        if border in schema.indices(operator.inputs) or border in schema.indices(operator.outputs)
    ]
    only = touching[0] if len(touching) == 1 else None
    if (
        only is None
        or schema.operator_name(model, only) != conversion
        or schema.indices(getattr(only, side)) != [border]
    ):
        raise ConversionError(
            f"'{schema.name(tensor)}' is computed in float: no {conversion} stands there.", _TIP
        )
    removed.append(only)
    return schema.indices(getattr(only, other))[0]
