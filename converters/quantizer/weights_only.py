"""Float models with smaller weights: float16, and int8 with float activations ("dynamic range").

TensorFlow's own modes do both, with two faults that are why they are written here. Its dynamic mode leaves
an LSTM in float when a gate's matrix has fewer than 1024 elements (64 units of 9 features, for example) and
says nothing; no public option lowers that threshold (`minimum_elements_for_weights` of the MLIR pass
`prepare_quantize_dynamic_range`, TensorFlow 2.21). Its float16 mode turns the LSTM's zero state into
a float16 constant, and a DEQUANTIZE into the state that has to survive `invoke`.
"""

from __future__ import annotations

import copy

import numpy as np

from converters import schema
from converters.lstm_op import FUSED_LSTM, lstm_nodes
from converters.quantizer import constants
from converters.quantizer.formats import FLOAT
from converters.quantizer.lstm import WEIGHTS
from converters.quantizer.writer import Writer
from models.errors import ConversionError

_WEIGHTS = {FUSED_LSTM: WEIGHTS, "FULLY_CONNECTED": (1,)}
"""Where the hybrid kernels take int8: `unidirectional_sequence_lstm.cc`, `fully_connected.cc`."""


def convert_float16(model: bytes) -> bytes:
    """Every float constant of two elements and more in float16, behind a DEQUANTIZE; the rest as it is.

    Half the size; the interpreter widens the constants once and computes in float32.

    Args:
        model: a float .tflite with one subgraph.

    Raises:
        ConversionError: a constant is beyond float16 (65504).
    """
    source, graph, writer = _opened(model)
    widened: dict[int, int] = {}

    def operand(index: int) -> int:
        tensor = graph.tensors[index]
        if not (schema.is_float(tensor) and schema.has_data(source, tensor) and schema.elements(tensor) > 1):
            return writer.copied(index)
        if index not in widened:
            values = schema.constant(source, tensor)
            largest = np.abs(values).max()
            if largest > np.finfo(np.float16).max:
                raise ConversionError(
                    f"Constant '{schema.name(tensor)}' holds {largest:g}, beyond float16 (65504)."
                )
            narrow = writer.half(writer.new_name(f"{schema.name(tensor)}_float16"), tensor, values)
            widened[index] = writer.tensor(writer.constant_name(tensor), tensor, FLOAT)
            writer.operator("DEQUANTIZE", [narrow], [widened[index]])
        return widened[index]

    for operator in graph.operators:
        inputs = [operand(i) if i >= 0 else -1 for i in schema.indices(operator.inputs)]
        writer.untouched(operator, inputs, [writer.copied(i) for i in schema.indices(operator.outputs)])
    return _finished(writer, graph)


def convert_dynamic(model: bytes) -> bytes:
    """int8 weights in every LSTM (one scale a matrix) and FULLY_CONNECTED (one an output); the rest float.

    The kernels quantize their inputs while they run, asymmetric, with the range of each row; hidden and cell
    state stay float. Every weight of every LSTM is int8, whatever its size.

    Args:
        model: a float .tflite with one subgraph.

    Raises:
        ConversionError: an LSTM did not become a hybrid one.
    """
    source, graph, writer = _opened(model)
    narrow: dict[int, int] = {}
    for operator in graph.operators:
        name = schema.operator_name(source, operator)
        inputs = schema.indices(operator.inputs)
        given = [writer.copied(i) if i >= 0 and not _is_weight(name, p) else -1 for p, i in enumerate(inputs)]
        for place in _WEIGHTS.get(name, ()):
            index = inputs[place]
            tensor = graph.tensors[index]
            if not schema.has_data(source, tensor):
                given[place] = writer.copied(index)
                continue
            if index not in narrow:
                made = constants.weights(schema.constant(source, tensor), per_channel=name != FUSED_LSTM)
                narrow[index] = writer.constant(writer.constant_name(tensor), tensor, made)
            given[place] = narrow[index]
        outputs = [writer.copied(i) for i in schema.indices(operator.outputs)]
        if name not in _WEIGHTS:
            writer.untouched(operator, given, outputs)
            continue
        options = copy.copy(operator.builtinOptions)
        options.asymmetricQuantizeInputs = True
        writer.operator(name, given, outputs, operator, options)
    content = _finished(writer, graph)
    check_hybrid(content)
    return content


def check_hybrid(content: bytes) -> None:
    """Raise ConversionError unless every LSTM has int8 weights throughout and float values."""
    for node in lstm_nodes(schema.read_model(content)):
        matrices = [*node.input_weights.values(), *node.recurrent_weights.values()]
        kinds = sorted({schema.tensor_type_name(tensor) for tensor in matrices})
        if node.kind != "hybrid" or kinds != ["int8"]:
            raise ConversionError(
                f"The LSTM '{schema.name(node.output)}' is {node.kind} with weights {', '.join(kinds)}; "
                "a dynamic-range file has int8 weights in every LSTM."
            )


def _is_weight(name: str, place: int) -> bool:
    return place in _WEIGHTS.get(name, ())


def _opened(model: bytes) -> tuple[schema.ModelT, schema.SubGraphT, Writer]:
    source = schema.read_model(model)
    if len(source.subgraphs) != 1:
        raise ConversionError(f"The model has {len(source.subgraphs)} subgraphs, one is expected.")
    return source, source.subgraphs[0], Writer(source)


def _finished(writer: Writer, graph: schema.SubGraphT) -> bytes:
    borders = [*schema.indices(graph.inputs), *schema.indices(graph.outputs)]
    numbers = {index: writer.copied(index) for index in borders}
    return writer.finish(numbers, numbers)
