"""Rules about what is integer and what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from converters import schema
from converters.findings.finding import Evidence, Finding, error, info, rule, warning
from converters.metadata import METADATA_NAME

DYNAMIC_RANGE_ELEMENTS = 1024
"""The converter leaves smaller weight matrices in float, and an LSTM with one such matrix altogether."""

_BORDERS = ("QUANTIZE", "DEQUANTIZE")


@rule("lstm-left-in-float")
def left_in_float(evidence: Evidence) -> Iterator[Finding]:
    """A float LSTM in a file whose other weights are quantized."""
    if not _has_quantized_weights(evidence.model):
        return
    for node, _ in evidence.lstms:
        if node.kind != "float32":
            continue
        gates = [*node.input_weights.values(), *node.recurrent_weights.values()]
        smallest = min(gates, key=schema.elements)
        message = "The model is quantized, but this LSTM is float: neither smaller nor faster."
        remedy = "Quantize to int8 with representative data, which takes an LSTM of any size."
        if schema.elements(smallest) < DYNAMIC_RANGE_ELEMENTS:
            rows = " x ".join(map(str, schema.shape(smallest)))
            message += (
                f" Dynamic-range quantization leaves an LSTM alone, without a word, when a gate's matrix has "
                f"under {DYNAMIC_RANGE_ELEMENTS} elements; its smallest has {rows}."
            )
        else:
            message += " It was denylisted, or fake-quant ops stood beside it."
        yield warning(schema.name(node.output), message, remedy)


@rule("lstm-dynamic-range")
def dynamic_range(evidence: Evidence) -> Iterator[Finding]:
    """int8 weights, float values."""
    for node, _ in evidence.lstms:
        if node.kind == "hybrid":
            yield info(
                schema.name(node.output),
                "The LSTM has int8 weights and computes in float (dynamic range): a small file, but no "
                "integer kernel and no integer-only device.",
                "Quantize to int8 with representative data if the device has no float unit.",
            )


@rule("float-island")
def float_island(evidence: Evidence) -> Iterator[Finding]:
    """Float ops in a file that computes in integers."""
    model = evidence.model
    for graph in model.subgraphs:
        if not any(_writes_integers(model, graph, operator) for operator in graph.operators or []):
            continue
        for island in _islands(model, graph):
            names = Counter(schema.operator_name(model, operator) for operator in island)
            listed = ", ".join(f"{name} x {count}" if count > 1 else name for name, count in names.items())
            remedy = (
                "Give every tensor a range (representative data), denylist no op, and ask for "
                "TFLITE_BUILTINS_INT8: the converter then names an op that has no int8 kernel."
            )
            if "SOFTMAX" in names and any(schema.name(one) == METADATA_NAME for one in model.metadata or []):
                remedy = (
                    "It is the attention of a build with --attention-precision float32. Where integers are "
                    "needed, build with --attention-precision int8 or int16."
                )
            yield warning(
                schema.name(graph.tensors[max(schema.indices(island[0].outputs))]),
                f"In an int8 file this computes in float: {listed}. An integer-only device cannot run it, "
                "and every border costs a QUANTIZE or DEQUANTIZE.",
                remedy,
            )


@rule("int16-kernels")
def int16_kernels(evidence: Evidence) -> Iterator[Finding]:
    """int16 activations (16x8). The int16 cell state inside an int8 LSTM is not meant: it needs no more."""
    model = evidence.model
    for node, _ in evidence.lstms:
        if schema.tensor_type_name(node.input) == "int16":
            yield error(
                schema.name(node.output),
                "This LSTM takes int16 activations (16x8). TFLite Micro has a kernel for it; LiteRT and "
                "TensorFlow Lite have not and refuse the file.",
                "Use the int8 LSTM (8x8_16) where the file has to run on LiteRT; what comes after it may "
                "still be int16.",
            )
    names = sorted(
        {
            schema.operator_name(model, operator)
            for graph in model.subgraphs
            for operator in schema.operators(model, graph)
            if "int16" in _result_types(model, graph, operator)
        }
        - {"UNIDIRECTIONAL_SEQUENCE_LSTM"}
    )
    if names:
        yield info(
            "",
            f"int16 activations in {', '.join(names)}: the file runs only where the runtime has int16 "
            "kernels for them. LiteRT's CPU has them; delegates and int8 accelerators often have not.",
            "Look up these ops for the device in question.",
        )


def _has_quantized_weights(model: schema.ModelT) -> bool:
    """True where a constant of two axes or more is int8 with a scale."""
    return any(
        schema.tensor_type_name(tensor) in ("int8", "uint8", "int4")
        and len(schema.shape(tensor)) > 1
        and schema.has_data(model, tensor)
        and schema.quantization(tensor)[0]
        for graph in model.subgraphs
        for tensor in graph.tensors or []
    )


def _result_types(model: schema.ModelT, graph: schema.SubGraphT, operator: schema.OperatorT) -> set[str]:
    """Types of the quantized or float tensors an operator writes."""
    written = [graph.tensors[index] for index in schema.indices(operator.outputs) if index >= 0]
    return {
        schema.tensor_type_name(tensor)
        for tensor in written
        if schema.is_float(tensor) or schema.quantization(tensor)[0]
    }


def _writes_integers(model: schema.ModelT, graph: schema.SubGraphT, operator: schema.OperatorT) -> bool:
    """True for an op that computes in quantized integers."""
    types = _result_types(model, graph, operator)
    return bool(types & {"int8", "uint8", "int16"}) and schema.operator_name(model, operator) not in _BORDERS


def _islands(model: schema.ModelT, graph: schema.SubGraphT) -> list[list[schema.OperatorT]]:
    """Operators that compute in float, in groups that hand float values to each other."""
    islands: list[tuple[set[int], list[schema.OperatorT]]] = []
    for operator in graph.operators or []:
        touched = {
            index
            for index in (*schema.indices(operator.inputs), *schema.indices(operator.outputs))
            if index >= 0
            and schema.is_float(graph.tensors[index])
            and not schema.has_data(model, graph.tensors[index])
        }
        writes = [index for index in schema.indices(operator.outputs) if index in touched]
        if not writes or schema.operator_name(model, operator) in _BORDERS:
            continue
        joined = [island for island in islands if island[0] & touched]
        islands = [island for island in islands if not island[0] & touched]
        values = touched.union(*(island[0] for island in joined))
        islands.append((values, [*(op for island in joined for op in island[1]), operator]))
    return [operators for _, operators in islands]
