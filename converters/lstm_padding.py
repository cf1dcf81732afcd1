"""A fused LSTM with more features or units that are zero: the same answers, other loops in the kernel."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np

from converters import schema
from converters.excerpt import alone
from converters.lstm_op import FUSED_LSTM, LstmInput, LstmNode
from models.errors import InputError

_INPUT_WEIGHTS = range(LstmInput.INPUT_TO_INPUT_WEIGHTS, LstmInput.RECURRENT_TO_INPUT_WEIGHTS)
_RECURRENT_WEIGHTS = range(LstmInput.RECURRENT_TO_INPUT_WEIGHTS, LstmInput.CELL_TO_INPUT_WEIGHTS)
_BIASES = range(LstmInput.INPUT_GATE_BIAS, LstmInput.PROJECTION_WEIGHTS)
_STATES = (LstmInput.HIDDEN_STATE, LstmInput.CELL_STATE)


def padded_lstm(model: schema.ModelT, place: int, features: int, units: int) -> schema.ModelT:
    """One fused LSTM of the main graph as a model of its own, with more features or units.

    A feature that is added has weights of 0: whatever it holds, no gate moves. A unit that is added has
    weights and bias 0: its cell candidate is tanh(0) = 0, so its cell state and its hidden state stay 0.

    Args:
        place: of the operator, counted from 0.
        features, units: how many it has then, at least as many as it has.

    Raises:
        InputError: the operator is no fused LSTM of Keras's kind (peephole, projection, layer normalization),
            or has more features or units than that.
    """
    cut = alone(model, place)
    (operator,) = cut.subgraphs[0].operators
    kind = schema.operator_name(cut, operator)
    if kind != FUSED_LSTM:
        raise InputError(f"Operator {place} is {kind}, no fused LSTM.")
    node = LstmNode(operator, cut.subgraphs[0])
    known = {LstmInput.INPUT, *_INPUT_WEIGHTS, *_RECURRENT_WEIGHTS, *_BIASES, *_STATES}
    extra = [one.name for one in LstmInput if one not in known and node.operand(one) is not None]
    if extra:
        raise InputError(f"The LSTM '{schema.name(node.output)}' has {', '.join(extra)}; it is not padded.")
    had_units, had_features = schema.shape(node.input_weights["output"])
    if features < had_features or units < had_units:
        raise InputError(
            f"The LSTM has {had_features} features and {had_units} units, more than {features} and {units}."
        )
    graph = cut.subgraphs[0]
    graph.tensors, cut.buffers = list(graph.tensors), list(cut.buffers)

    def resize(index: int, shape: Callable[[tuple[int, ...]], tuple[int, ...]]) -> None:
        if index >= 0:
            _resize(cut, index, shape(schema.shape(graph.tensors[index])))

    places = schema.indices(operator.inputs)
    for first in _INPUT_WEIGHTS:
        resize(places[first], lambda _: (units, features))
    for first in _RECURRENT_WEIGHTS:
        resize(places[first], lambda _: (units, units))
    for first in _BIASES:
        resize(places[first], lambda _: (units,))
    for first in _STATES:
        resize(places[first], lambda shape: (*shape[:-1], units))
    resize(places[LstmInput.INPUT], lambda shape: (*shape[:-1], features))
    resize(schema.indices(operator.outputs)[0], lambda shape: (*shape[:-1], units))
    return cut


def _resize(model: schema.ModelT, index: int, shape: tuple[int, ...]) -> None:
    """Give a tensor another shape; a constant gets zeros at the end of each axis, in a buffer of its own."""
    graph = model.subgraphs[0]
    old = graph.tensors[index]
    tensor = graph.tensors[index] = copy.copy(old)
    tensor.shape, tensor.shapeSignature = list(shape), None
    if not schema.has_data(model, old):
        return
    values = schema.constant(model, old)
    padded = np.pad(values, [(0, new - had) for new, had in zip(shape, values.shape, strict=True)])
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(padded).tobytes(), np.uint8)
    tensor.buffer = len(model.buffers)
    model.buffers.append(buffer)
