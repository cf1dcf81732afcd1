"""The fused int8 LSTM in NumPy, bit for bit, with every gate and step visible.

The op UNIDIRECTIONAL_SEQUENCE_LSTM with int8 activations and an int16 cell ("8x8_16"), without
peepholes, projection or layer normalization, which is every LSTM that comes from Keras. docs/integer-lstm.md
explains it and says how it is proven equal to the interpreters. Per step::

    a = sat16(M(W x + bx))                      input part of the gate inputs: int16, Q3.12
    a = sat16(M(R h + bh) + a)                  gate inputs: int16, Q3.12
    i, f, o = logistic(a),   g = tanh(a)        gates: int16, Q0.15
    c = clip(sat16(f c + i g))                  cell state: int16, scale 2^e
    h = sat8(M(o tanh(c)) + zero point)         hidden state: int8

M is a multiplication by a quantized multiplier. Gate order i, f, g, o as in the op and in Keras.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import models.quantization.fixed_point as fixed_point
from converters import schema
from converters.lstm_kernels import KERNELS, Flags, Kernel, saturate16
from converters.lstm_op import GATES, lstm_nodes
from converters.lstm_reader import (
    GateProduct,
    check_is_modelled,
    read_cell_exponent,
    read_constant,
    read_format,
    read_multiplier,
    read_product,
)
from models.errors import InputError
from models.quantization.number_formats import INT8_MAX, INT8_MIN, AffineFormat

Int8 = NDArray[np.int8]
Int16 = NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class IntegerTrace:
    """Everything a run computed. Gates in the order i, f, g, o."""

    hidden: Int8
    """[batch, time, units]: the op's output, in ``IntegerLstm.hidden_format``."""
    cell: Int16
    """[batch, time, units], scale ``2^cell_exponent``."""
    gate_inputs: Int16
    """[batch, time, 4, units], Q3.12."""
    gates: Int16
    """[batch, time, 4, units], Q0.15."""
    tanh_cell: Int16
    """[batch, time, units], Q0.15."""
    gate_input_saturated: Flags
    """[batch, time, 4, units]: the gate input, or a part of it, left +-8."""
    cell_saturated: Flags
    """[batch, time, units]: the cell state left int16."""
    cell_clipped: Flags
    """[batch, time, units]: the cell clip changed the cell state."""
    hidden_saturated: Flags
    """[batch, time, units]: the hidden state left int8."""


@dataclass(frozen=True, eq=False)
class IntegerLstm:
    """The integers of one fused int8 LSTM and the rules that run it.

    Attributes:
        from_input: product of x, [4 * units, features]; from_hidden: product of h, [4 * units, units].
        input_format: of x. state_format: in which h is read back (input 18).
        hidden_format: in which h is written. output_format: in which the next op reads it.
            The kernel converts between none of the three: where they differ, values are misread.
        cell_exponent: log2 of the cell state's scale. cell_clip: bound on |c| as an integer, 0 if none.
        hidden_multiplier: takes ``o * tanh(c)``, Q0.30, to the hidden scale; multiplier and shift.
        time_major: the op's tensors are [time, batch, ...] in the file; ``run`` never is.
        kernel: whose rules.
    """

    from_input: GateProduct
    from_hidden: GateProduct
    input_format: AffineFormat
    state_format: AffineFormat
    hidden_format: AffineFormat
    output_format: AffineFormat
    cell_exponent: int
    cell_clip: int
    hidden_multiplier: tuple[int, int]
    time_major: bool
    kernel: Kernel

    @property
    def units(self) -> int:
        return int(self.from_hidden.weights.shape[1])

    @property
    def features(self) -> int:
        return int(self.from_input.weights.shape[1])

    @classmethod
    def from_model(cls, source: schema.Source, index: int = 0, kernel: str = "lite") -> IntegerLstm:
        """Read the index-th fused LSTM of a .tflite.

        Args:
            source: bytes, path or unpacked model.
            kernel: "lite" (LiteRT, TensorFlow Lite) or "micro" (TFLite Micro).

        Raises:
            InputError: there is no such LSTM, it is not int8, or it has a part that is not modelled.
        """
        if kernel not in KERNELS:
            raise InputError(f"Unknown kernel '{kernel}'. Known: {', '.join(KERNELS)}.")
        model = schema.read_model(source)
        nodes = lstm_nodes(model)
        if not 0 <= index < len(nodes):
            raise InputError(f"The model has {len(nodes)} fused LSTM(s), there is no index {index}.")
        node, rules = nodes[index], KERNELS[kernel]
        check_is_modelled(node)
        cell_scale = read_format(node.cell_state, "the cell state").scale
        exponent = read_cell_exponent(cell_scale, rules)
        input_format = read_format(node.input, "the input")
        state_format = read_format(node.hidden_state, "the hidden state")
        hidden_format = read_format(rules.written(node), "the hidden value (intermediate 4)")
        biases = [read_constant(model, node.biases[gate], np.int32).astype(np.int64) for gate in GATES]
        no_bias = [np.zeros_like(bias) for bias in biases]
        return cls(
            from_input=read_product(model, node.input_weights, biases, input_format),
            from_hidden=read_product(model, node.recurrent_weights, no_bias, state_format),
            input_format=input_format,
            state_format=state_format,
            hidden_format=hidden_format,
            output_format=read_format(node.output, "the output"),
            cell_exponent=exponent,
            cell_clip=rules.cell_clip(node.cell_clip, cell_scale),
            hidden_multiplier=read_multiplier(rules.hidden_factor(hidden_format.scale), "the hidden value"),
            time_major=bool(node.operator.builtinOptions.timeMajor),
            kernel=rules,
        )

    def quantize_input(self, x: NDArray[np.floating[Any]]) -> Int8:
        """``clip(round(x / scale) + zero_point)`` in float32, ties to even: the interpreter's QUANTIZE.

        (Its reference kernels and TFLite Micro round ties away from zero.)

        Raises:
            InputError: a value is not finite.
        """
        x = np.asarray(x, np.float32)
        if not np.isfinite(x).all():
            raise InputError("The input holds values that are not finite.")
        rounded = np.rint(x / np.float32(self.input_format.scale)) + self.input_format.zero_point
        quantized: Int8 = np.clip(rounded, INT8_MIN, INT8_MAX).astype(np.int8)
        return quantized

    def run(self, x: Int8, hidden: Int8 | None = None, cell: Int16 | None = None) -> IntegerTrace:
        """Run the kernel over a batch of windows.

        Args:
            x: int8 [batch, time, features].
            hidden, cell: the state before the first step, int8 and int16 [batch, units]; without them
                the state after a reset.

        Raises:
            InputError: a type or shape is wrong.
        """
        _check_array("x", x, np.int8, (None, None, self.features))
        batch, steps = x.shape[:2]
        units, kernel = self.units, self.kernel
        if hidden is None:
            hidden = np.full((batch, units), self.state_format.zero_point, np.int8)
        if cell is None:
            cell = np.zeros((batch, units), np.int16)
        _check_array("hidden", hidden, np.int8, (batch, units))
        _check_array("cell", cell, np.int16, (batch, units))
        trace = _empty_trace(batch, steps, units)
        logistic, tanh = kernel.gate_tables()
        cell_tanh = kernel.cell_tanh(self.cell_exponent)

        part, part_saturated = saturate16(self.from_input(x.reshape(-1, self.features)))  # Q3.12
        part = part.reshape(batch, steps, 4 * units)
        part_saturated = part_saturated.reshape(batch, steps, 4, units)
        for t in range(steps):
            a, a_saturated = kernel.gate_inputs(part[:, t], self.from_hidden(hidden))  # Q3.12
            a = a.reshape(batch, 4, units)
            gates = logistic[a + 32768].astype(np.int64)  # Q0.15
            gates[:, 2] = tanh[a[:, 2] + 32768]
            i, f, g, o = gates.transpose(1, 0, 2)
            wide = kernel.cell(f, cell.astype(np.int64), i, g, self.cell_exponent)
            saturated, trace.cell_saturated[:, t] = saturate16(wide)
            clipped = np.clip(saturated, -self.cell_clip, self.cell_clip) if self.cell_clip else saturated
            tanh_cell = cell_tanh[clipped + 32768].astype(np.int64)  # Q0.15
            wide = fixed_point.multiply_by_quantized_multiplier(o * tanh_cell, *self.hidden_multiplier)
            wide = wide + self.hidden_format.zero_point
            hidden = np.clip(wide, INT8_MIN, INT8_MAX).astype(np.int8)
            cell = clipped.astype(np.int16)

            trace.hidden[:, t], trace.cell[:, t], trace.tanh_cell[:, t] = hidden, cell, tanh_cell
            trace.gate_inputs[:, t], trace.gates[:, t] = a, gates
            trace.gate_input_saturated[:, t] = a_saturated.reshape(a.shape) | part_saturated[:, t]
            trace.cell_clipped[:, t] = clipped != saturated
            trace.hidden_saturated[:, t] = hidden != wide
        return trace


def _check_array(name: str, array: NDArray[np.generic], dtype: type, shape: tuple[int | None, ...]) -> None:
    fits = array.ndim == len(shape) and all(
        want in (None, have) for want, have in zip(shape, array.shape, strict=True)
    )
    if array.dtype != dtype or not fits:
        expected = ", ".join("any" if size is None else str(size) for size in shape)
        raise InputError(
            f"'{name}' is {array.dtype} {list(array.shape)}, expected {np.dtype(dtype).name} [{expected}]."
        )


def _empty_trace(batch: int, steps: int, units: int) -> IntegerTrace:
    one, four = (batch, steps, units), (batch, steps, 4, units)
    return IntegerTrace(
        hidden=np.empty(one, np.int8),
        cell=np.empty(one, np.int16),
        gate_inputs=np.empty(four, np.int16),
        gates=np.empty(four, np.int16),
        tanh_cell=np.empty(one, np.int16),
        gate_input_saturated=np.empty(four, np.bool_),
        cell_saturated=np.empty(one, np.bool_),
        cell_clipped=np.empty(one, np.bool_),
        hidden_saturated=np.empty(one, np.bool_),
    )
