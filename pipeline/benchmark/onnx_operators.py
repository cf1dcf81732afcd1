"""TFLite's float operators in terms of ONNX's: those that our architectures are made of.

Sources: tensorflow/lite/kernels (2.21) and the ONNX operator specification, opset 20.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from converters import schema
from converters.lstm_op import LstmInput, LstmNode
from models.errors import InputError
from pipeline.benchmark.onnx_graph import OnnxGraph, gates_stacked

Translation = Callable[[OnnxGraph, schema.OperatorT], None]
OPERATORS: dict[str, Translation] = {}

_ACTIVATIONS = {0: None, 1: "Relu", 4: "Tanh"}
"""By `ActivationFunctionType`."""
_TANH = 4
_SMALLEST_NORM = 1e-6
"""What TFLite's L2_NORMALIZATION divides by at least (l2norm.cc)."""
_ALL = np.iinfo(np.int64).max
_GATES = (
    LstmInput.INPUT_TO_INPUT_WEIGHTS,
    LstmInput.RECURRENT_TO_INPUT_WEIGHTS,
    LstmInput.INPUT_GATE_BIAS,
)


def operator(*names: str) -> Callable[[Translation], Translation]:
    """Register a translation under the names of its operators."""

    def register(function: Translation) -> Translation:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return register


def translate(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """Add one operator to the graph.

    Raises:
        InputError: it is not known, or a variant of it is not.
    """
    name = schema.operator_name(graph.model, node)
    if name not in OPERATORS:
        raise InputError(f"It has the operator {name}, which is not translated to ONNX.")
    OPERATORS[name](graph, node)


@operator("UNIDIRECTIONAL_SEQUENCE_LSTM")
def lstm(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """LSTM: [time, batch, features] -> [time, 1, batch, units], from the zero state."""
    one = LstmNode(node, graph.graph)
    known = {
        LstmInput.INPUT, LstmInput.HIDDEN_STATE, LstmInput.CELL_STATE,
        *(LstmInput(first + gate) for first in _GATES for gate in range(4)),
    }  # fmt: skip
    present = {place for place in LstmInput if one.operand(place) is not None}
    if present != known:
        extra = ", ".join(sorted(place.name for place in present ^ known))
        raise InputError(f"Its LSTM '{schema.name(one.output)}' differs from Keras's in {extra}.")
    if one.cell_clip or node.builtinOptions.fusedActivationFunction != _TANH:
        raise InputError(
            f"Its LSTM '{schema.name(one.output)}' has a cell clip of {one.cell_clip:g} or an "
            "activation that is not tanh; ONNX's LSTM has neither."
        )
    weights, recurrent, bias = (
        gates_stacked(graph, one, [first + gate for gate in range(4)]) for first in _GATES
    )
    units = recurrent.shape[1]
    x, time_major = graph.of(node.inputs[LstmInput.INPUT]), node.builtinOptions.timeMajor
    if not time_major:
        x = graph.add("Transpose", x, perm=[1, 0, 2])  # [time, batch, features]
    hidden = graph.add(
        "LSTM",
        x,
        graph.constant(weights[np.newaxis]),
        graph.constant(recurrent[np.newaxis]),
        graph.constant(np.concatenate([bias, np.zeros_like(bias)])[np.newaxis]),
        hidden_size=units,
    )
    to = node.outputs[0]
    if time_major:
        graph.add("Squeeze", hidden, graph.integers(1), to=to)
    else:
        hidden = graph.add("Squeeze", hidden, graph.integers(1))  # [time, batch, units]
        graph.add("Transpose", hidden, to=to, perm=[1, 0, 2])


@operator("FULLY_CONNECTED")
def fully_connected(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """x W^T + b over the last axis; without `keep_num_dims` the axes before it become one."""
    x, weights, *bias = schema.indices(node.inputs)
    taken, size = graph.of(x), graph.shape(weights)[1]
    options, to = node.builtinOptions, node.outputs[0]
    if not options.keepNumDims and len(graph.shape(x)) != 2:
        taken = graph.add("Reshape", taken, graph.integers(-1, size))
    if graph.is_constant(weights):
        transposed = graph.constant(graph.values(weights).T)
    else:
        transposed = graph.add("Transpose", graph.of(weights), perm=[1, 0])
    parts = [graph.of(one) for one in bias if one >= 0]
    if not parts:
        _activated(graph, node, "MatMul", taken, transposed, to=to)
        return
    _activated(graph, node, "Add", graph.add("MatMul", taken, transposed), *parts, to=to)


@operator("BATCH_MATMUL")
def batch_matmul(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """MatMul of the last two axes, each side perhaps transposed."""
    options, sides = node.builtinOptions, []
    for index, adjoint in zip(schema.indices(node.inputs), (options.adjX, options.adjY), strict=True):
        side = graph.of(index)
        if adjoint:
            axes = [*range(len(graph.shape(index)))]
            side = graph.add("Transpose", side, perm=[*axes[:-2], axes[-1], axes[-2]])
        sides.append(side)
    graph.add("MatMul", *sides, to=node.outputs[0])


@operator("SOFTMAX")
def softmax(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """softmax(beta x) over the last axis."""
    x, beta = graph.of(node.inputs[0]), node.builtinOptions.beta
    if beta != 1.0:
        x = graph.add("Mul", x, graph.constant(np.array(beta, np.float32)))
    graph.add("Softmax", x, to=node.outputs[0], axis=-1)


@operator("ADD", "SUB", "MUL")
def arithmetic(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """The same, with the same broadcasting."""
    kind = schema.operator_name(graph.model, node).capitalize()
    _activated(graph, node, kind, *map(graph.of, schema.indices(node.inputs)), to=node.outputs[0])


@operator("TANH", "LOGISTIC")
def elementwise(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """The same under ONNX's name."""
    kind = {"TANH": "Tanh", "LOGISTIC": "Sigmoid"}[schema.operator_name(graph.model, node)]
    graph.add(kind, graph.of(node.inputs[0]), to=node.outputs[0])


@operator("L2_NORMALIZATION")
def l2_normalization(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """x / max(|x|, 1e-6) over the last axis."""
    x = graph.of(node.inputs[0])
    norm = graph.add("ReduceL2", x, graph.integers(-1), keepdims=1)
    norm = graph.add("Max", norm, graph.constant(np.array(_SMALLEST_NORM, np.float32)))
    graph.add("Div", x, norm, to=node.outputs[0])


@operator("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
def reshape(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """To the shape that the file gives its output."""
    to = node.outputs[0]
    graph.add("Reshape", graph.of(node.inputs[0]), graph.integers(*graph.shape(to)), to=to)


@operator("TRANSPOSE")
def transpose(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """The same; the order of the axes has to be a constant."""
    order = [int(axis) for axis in graph.values(node.inputs[1])]
    graph.add("Transpose", graph.of(node.inputs[0]), to=node.outputs[0], perm=order)


@operator("REVERSE_V2")
def reverse(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """A Slice that goes backward over the axes."""
    axes = [int(axis) for axis in graph.values(node.inputs[1]).reshape(-1)]
    count = len(axes)
    graph.add(
        "Slice", graph.of(node.inputs[0]), graph.integers(*[-1] * count), graph.integers(*[-_ALL] * count),
        graph.integers(*axes), graph.integers(*[-1] * count), to=node.outputs[0],
    )  # fmt: skip


@operator("MEAN", "SUM")
def reduction(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """ReduceMean or ReduceSum over constant axes."""
    kind = {"MEAN": "ReduceMean", "SUM": "ReduceSum"}[schema.operator_name(graph.model, node)]
    axes = [int(axis) for axis in graph.values(node.inputs[1]).reshape(-1)]
    keep = int(node.builtinOptions.keepDims)
    graph.add(kind, graph.of(node.inputs[0]), graph.integers(*axes), to=node.outputs[0], keepdims=keep)


@operator("CONCATENATION")
def concatenation(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """Concat."""
    parts = map(graph.of, schema.indices(node.inputs))
    _activated(graph, node, "Concat", *parts, to=node.outputs[0], axis=node.builtinOptions.axis)


@operator("STRIDED_SLICE")
def strided_slice(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """Slice, then a Reshape where single places of an axis were taken: axis by axis, from its masks."""
    x, *bounds = schema.indices(node.inputs)
    options, to, shape = node.builtinOptions, node.outputs[0], graph.shape(x)
    if options.ellipsisMask or options.newAxisMask or getattr(options, "offset", False):
        raise InputError("It has a STRIDED_SLICE with an ellipsis, a new axis or an offset.")
    begins, ends, strides = (graph.values(one).astype(np.int64) for one in bounds)
    if (strides < 1).any():
        raise InputError("It has a STRIDED_SLICE that goes backward.")
    starts, stops = [], []
    for axis, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        bit, size = 1 << axis, shape[axis]
        if options.shrinkAxisMask & bit:  # one place: the end and its mask do not count
            place = 0 if options.beginMask & bit else int(begin) % size
            starts.append(place)
            stops.append(place + 1)
        else:
            starts.append(0 if options.beginMask & bit else int(begin))
            stops.append(_ALL if options.endMask & bit else int(end))
    cut = graph.add(
        "Slice", graph.of(x), graph.integers(*starts), graph.integers(*stops),
        graph.integers(*range(len(starts))), graph.integers(*map(int, strides)),
    )  # fmt: skip
    graph.add("Reshape", cut, graph.integers(*graph.shape(to)), to=to)


@operator("GATHER")
def gather(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """Gather; with one batch axis, where each window has a place of its own along the next, GatherND."""
    x, places = (graph.of(index) for index in schema.indices(node.inputs))
    axis, batch = node.builtinOptions.axis, getattr(node.builtinOptions, "batchDims", 0)
    if batch == 0:
        graph.add("Gather", x, places, to=node.outputs[0], axis=axis)
        return
    if (batch, axis, len(graph.shape(node.inputs[1]))) != (1, 1, 1):
        raise InputError(f"It has a GATHER along axis {axis} with {batch} batch axes.")
    rows = graph.add("Reshape", graph.cast_to_int64(places), graph.integers(-1, 1))  # [batch, 1]
    graph.add("GatherND", x, rows, to=node.outputs[0], batch_dims=1)


@operator("LESS")
def less(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """The same."""
    graph.add("Less", *map(graph.of, schema.indices(node.inputs)), to=node.outputs[0])


@operator("SELECT_V2")
def select(graph: OnnxGraph, node: schema.OperatorT) -> None:
    """Where."""
    graph.add("Where", *map(graph.of, schema.indices(node.inputs)), to=node.outputs[0])


def _activated(
    graph: OnnxGraph, node: schema.OperatorT, kind: str, *inputs: str, to: int, **more: int
) -> None:
    """A node, followed by the activation that TFLite has fused into its operator."""
    code = node.builtinOptions.fusedActivationFunction
    if code not in _ACTIVATIONS:
        raise InputError(f"It has a {schema.operator_name(graph.model, node)} with the activation {code}.")
    activation = _ACTIVATIONS[code]
    if activation is None:
        graph.add(kind, *inputs, to=to, **more)
    else:
        graph.add(activation, graph.add(kind, *inputs, **more), to=to)
