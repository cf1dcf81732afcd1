"""The LSTM that a fused op stands for, in real numbers: what its quantization is measured against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converters import schema
from converters.lstm_op import GATES, LstmInput, LstmNode

Values = NDArray[np.float64]

_TANH = 4  # ActivationFunctionType of schema.fbs
_PARTS_KERAS_LACKS = (
    *range(LstmInput.CELL_TO_INPUT_WEIGHTS, LstmInput.INPUT_GATE_BIAS),
    LstmInput.PROJECTION_WEIGHTS,
    *range(LstmInput.INPUT_LAYER_NORM, LstmInput.OUTPUT_LAYER_NORM + 1),
)
_DTYPES = {"float32": "<f4", "float16": "<f2", "int8": "i1", "int32": "<i4"}


def dequantized(model: schema.ModelT, tensor: schema.TensorT) -> Values | None:
    """A constant's values, real = scale * (q - zero_point); None for a type or a record not known here."""
    dtype, data = _DTYPES.get(schema.tensor_type_name(tensor)), model.buffers[tensor.buffer].data
    if dtype is None or data is None or len(data) != schema.elements(tensor) * np.dtype(dtype).itemsize:
        return None
    values = np.frombuffer(bytes(data), dtype).astype(np.float64).reshape(schema.shape(tensor))
    if schema.is_float(tensor):
        return values
    record = schema.scale_and_zero_point(tensor)
    return None if record is None else record[0] * (values - record[1])


def run(model: schema.ModelT, node: LstmNode, x: Values) -> tuple[Values, Values] | None:
    """h and c of every step, from the zero state and without a cell clip.

    i, f, o = sigmoid(W x + R h + b), g = tanh(W x + R h + b); c = f c + i g; h = o tanh(c).

    Args:
        x: [batch, time, features], real numbers.

    Returns:
        h and c, [batch, time, units] each; None for an LSTM that Keras does not write (peepholes,
        projection, layer normalization, a gate left out, another activation) or that is damaged.
    """
    if any(node.operand(LstmInput(place)) is not None for place in _PARTS_KERAS_LACKS):
        return None
    if node.operator.builtinOptions.fusedActivationFunction != _TANH:
        return None
    parts = []
    for tensors in (node.input_weights, node.recurrent_weights, node.biases):
        gates = [dequantized(model, tensors[gate]) for gate in GATES if gate in tensors]
        known = [gate for gate in gates if gate is not None]
        if len(known) != len(GATES) or len({gate.shape for gate in known}) != 1:
            return None
        parts.append(np.concatenate(known))  # [4 * units, ...], gates in the order i, f, g, o
    w, r, b = parts
    units = len(b) // 4
    if b.ndim != 1 or w.shape != (4 * units, x.shape[-1]) or r.shape != (4 * units, units):
        return None
    batch, steps, _ = x.shape
    h, c = np.zeros((batch, units)), np.zeros((batch, units))
    hidden, cell = np.empty((2, batch, steps, units))
    with np.errstate(over="ignore"):  # exp overflows where the sigmoid is 0, and 1 / inf is 0
        for t in range(steps):
            a = (x[:, t] @ w.T + h @ r.T + b).reshape(batch, 4, units)  # gate inputs
            i, f, o = (1 / (1 + np.exp(-a[:, place])) for place in (0, 1, 3))
            c = f * c + i * np.tanh(a[:, 2])
            h = o * np.tanh(c)
            hidden[:, t], cell[:, t] = h, c
    return hidden, cell
