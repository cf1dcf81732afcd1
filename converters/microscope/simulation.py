"""An int8 LSTM in float64 whose roundings can be switched off, each by itself.

With all of them on it is the integer kernel to the last bit, with all off the float LSTM:

    a = W x + b + R h,   i, f, o = sigmoid(a),   g = tanh(a),   c = f c + i g,   h = o tanh(c)

Between the roundings numbers are counted in the integers' own steps but may be fractions; a rounding that
is on takes them to integers by the kernel's rule. float64 holds the sums of an int32 accumulator exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters import schema
from converters.integer_lstm import IntegerLstm
from converters.lstm_kernels import Table
from converters.lstm_op import GATES, LstmNode
from converters.lstm_reader import read_format
from converters.microscope.roundings import WEIGHTS, Rounding, Switch, Switches, switches
from models.quantization.number_formats import (
    GATE_FRACTION_BITS,
    GATE_OUTPUT_FRACTION_BITS,
    INT8_MAX,
    INT8_MIN,
    INT16_MAX,
    INT16_MIN,
)

Values = NDArray[np.float64]

GATE_INPUT_STEP = 2.0**-GATE_FRACTION_BITS
GATE_STEP = 2.0**-GATE_OUTPUT_FRACTION_BITS


@dataclass(frozen=True, eq=False)
class FloatWeights:
    """W [4 * units, features], R [4 * units, units] and b [4 * units]; gates in the order i, f, g, o."""

    input: Values
    recurrent: Values
    bias: Values


@dataclass(frozen=True, eq=False)
class Input:
    """What goes into the LSTM: as int8, and in real numbers before anything was rounded.

    ``real`` is None where the file does not have it: the LSTM's input then counts as exact. ``counted`` says
    which steps are no padding, of which every step has at least one; None: all.
    """

    quantized: NDArray[np.int8]  # [windows, time, features]
    real: Values | None  # the same
    counted: NDArray[np.bool_] | None = None  # [windows, time]

    @property
    def where(self) -> NDArray[np.bool_]:
        """``counted``, as a mask of values [time, windows, units]: [time, windows, 1]."""
        if self.counted is None:
            windows, steps, _ = self.quantized.shape
            return np.ones((steps, windows, 1), np.bool_)
        return self.counted.T[:, :, np.newaxis]

    def window(self, index: int) -> Input:
        """One window alone."""
        return self._part(np.s_[index : index + 1])

    def until(self, step: int) -> Input:
        """The steps before this one alone."""
        return self._part(np.s_[:, :step])

    def _part(self, part: slice | tuple[slice, slice]) -> Input:
        return Input(
            self.quantized[part],
            None if self.real is None else self.real[part],
            None if self.counted is None else self.counted[part],
        )


@dataclass(frozen=True, eq=False)
class Step:
    """What one time step computes, in real numbers."""

    gate_inputs: Values  # [4, windows, units]
    gates: Values  # [4, windows, units]
    cell: Values  # [windows, units]
    tanh_cell: Values
    hidden: Values  # as the next op reads it


@dataclass(frozen=True, eq=False)
class SwitchableLstm:
    """A fused int8 LSTM and the float LSTM it stands for.

    Attributes:
        integer: the integers and the rules that run them.
        weights: of the float LSTM; None: the integers' own, dequantized.
        input_weight_scales, recurrent_weight_scales: one a gate.
    """

    integer: IntegerLstm
    weights: FloatWeights | None
    input_weight_scales: tuple[float, ...]
    recurrent_weight_scales: tuple[float, ...]

    @classmethod
    def from_model(
        cls, model: schema.ModelT, node: LstmNode, index: int, weights: FloatWeights | None
    ) -> SwitchableLstm:
        """The index-th LSTM of a file, which is ``node``.

        Raises:
            InputError: it is no int8 LSTM that the integer reference models.
        """
        integer = IntegerLstm.from_model(model, index)
        scales = (
            tuple(read_format(tensors[gate], f"the weights of gate '{gate}'").scale for gate in GATES)
            for tensors in (node.input_weights, node.recurrent_weights)
        )
        return cls(integer, weights, *scales)

    def switches(self, x: Input) -> Switches:
        """Everything that can be switched: what this LSTM rounds, and what is known before rounding."""
        lstm = self.integer
        untied = len({lstm.state_format, lstm.hidden_format, lstm.output_format}) > 1
        known = {
            Rounding.INPUT: x.real is not None,
            **dict.fromkeys(WEIGHTS, self.weights is not None),
            Rounding.CELL_CLIP: 0 < lstm.cell_clip < INT16_MAX,
            Rounding.STATE_SCALES: untied,
        }
        return switches(rounding for rounding in Rounding if known.get(rounding, True))

    def simulate(self, x: Input, on: Switches) -> Iterator[Step]:
        """Run the windows from the zero state with these roundings on."""
        lstm = self.integer
        units, cell_step = lstm.units, 2.0**lstm.cell_exponent
        lowest = -INT16_MAX if lstm.cell_clip == INT16_MAX else INT16_MIN  # a clip beyond the range
        logistic_table, tanh_table = lstm.kernel.gate_tables()
        logistic = _Function(_sigmoid, logistic_table, GATE_INPUT_STEP)
        tanh = _Function(np.tanh, tanh_table, GATE_INPUT_STEP)
        cell_tanh = _Function(np.tanh, lstm.kernel.cell_tanh(lstm.cell_exponent), cell_step)
        inputs = self._inputs(x, on)  # [windows, time, features], in steps of x
        weights, recurrent, bias = self._weights(on)
        windows, steps, _ = inputs.shape
        state, cell = np.zeros((windows, units)), np.zeros((windows, units))  # in steps of h and c
        for t in range(steps):
            from_input, from_hidden = _product(inputs[:, t], weights) + bias, _product(state, recurrent)
            a, gates = np.empty_like(from_input), np.empty_like(from_input)
            for place, gate in enumerate(GATES):
                rounded = Switch(Rounding.GATE_INPUTS, gate) in on
                a[place] = self._gate_input(place, from_input[place], from_hidden[place], rounded)
                function = tanh if gate == "cell" else logistic
                gates[place] = function(a[place], Switch(Rounding.GATES, gate) in on)
            i, f, g, o = gates
            kept, new = f * cell, i * g / cell_step
            if Switch(Rounding.CELL) in on:
                cell = _clip(_half_away(kept) + _half_away(new), lowest, INT16_MAX)
            else:
                cell = kept + new
            if Switch(Rounding.CELL_CLIP) in on:
                cell = _clip(cell, -lstm.cell_clip, lstm.cell_clip)
            tanh_cell = cell_tanh(cell * cell_step, Switch(Rounding.TANH_CELL) in on)
            state, hidden = self._hidden(o * tanh_cell, on)
            yield Step(a, gates, cell * cell_step, tanh_cell, hidden)

    def integers(self) -> tuple[Values, Values, Values]:
        """W [4 * units, features], R [4 * units, units] and b [4 * units] as the file has them, in steps."""
        lstm = self.integer
        w, r = (product.weights.astype(np.float64) for product in (lstm.from_input, lstm.from_hidden))
        return w, r, lstm.from_input.bias + lstm.input_format.zero_point * w.sum(axis=1)  # unfolded again

    def _inputs(self, x: Input, on: Switches) -> Values:
        form = self.integer.input_format
        if x.real is None or Switch(Rounding.INPUT) in on:
            return x.quantized.astype(np.float64) - form.zero_point
        return x.real / form.scale

    def _weights(self, on: Switches) -> tuple[Values, Values, Values]:
        """W [4, features, units], R [4, units, units] and b [4, 1, units] in the integers' steps."""
        lstm, units = self.integer, self.integer.units
        w, r, b = self.integers()
        if self.weights is not None:
            for place, gate in enumerate(GATES):
                rows = slice(place * units, (place + 1) * units)
                w_scale, r_scale = self.input_weight_scales[place], self.recurrent_weight_scales[place]
                for kind, steps, real, scale in (
                    (Rounding.INPUT_WEIGHTS, w, self.weights.input, w_scale),
                    (Rounding.RECURRENT_WEIGHTS, r, self.weights.recurrent, r_scale),
                    (Rounding.BIAS, b, self.weights.bias, w_scale * lstm.input_format.scale),
                ):
                    if Switch(kind, gate) not in on:
                        steps[rows] = real[rows] / scale
        by_gate = (part.reshape(4, units, -1).swapaxes(1, 2) for part in (w, r, b))
        w, r, b = (np.ascontiguousarray(part) for part in by_gate)
        return w, r, b

    def _gate_input(self, place: int, from_input: Values, from_hidden: Values, rounded: bool) -> Values:
        """One gate's W x + b + R h in real numbers, from its two accumulators."""
        lstm, row = self.integer, place * self.integer.units  # a gate's rows share their multiplier
        if not rounded:
            from_input = from_input * (self.input_weight_scales[place] * lstm.input_format.scale)
            return from_input + from_hidden * (self.recurrent_weight_scales[place] * lstm.state_format.scale)
        parts = [
            _multiply(accumulator, int(product.multiplier[row]), int(product.shift[row]))
            for accumulator, product in ((from_input, lstm.from_input), (from_hidden, lstm.from_hidden))
        ]
        part = _clip(parts[0], INT16_MIN, INT16_MAX)
        return _clip(part + parts[1], INT16_MIN, INT16_MAX) * GATE_INPUT_STEP

    def _hidden(self, h: Values, on: Switches) -> tuple[Values, Values]:
        """h = o tanh(c), as the next step reads it in steps of the state, and as the next op reads it."""
        lstm = self.integer
        written, state, output = lstm.hidden_format, lstm.state_format, lstm.output_format
        if Switch(Rounding.HIDDEN) in on:
            steps = _multiply(h * 2.0**30, *lstm.hidden_multiplier) + written.zero_point
            steps = _clip(steps, INT8_MIN, INT8_MAX)
        else:
            steps = h / written.scale + written.zero_point
        if Switch(Rounding.STATE_SCALES) in on:  # misread: nobody converts
            return steps - state.zero_point, (steps - output.zero_point) * output.scale
        read = steps - written.zero_point
        return read * (written.scale / state.scale), read * written.scale


class _Function:
    """sigmoid or tanh; rounded it is the kernel's: exact, plus the kernel's error at the nearest int16."""

    def __init__(self, exact: Callable[[Values], Values], table: Table, step: float) -> None:
        every = np.arange(INT16_MIN, INT16_MAX + 1, dtype=np.float64) * step
        self._exact, self._step = exact, step
        self._error = table - exact(np.asarray(every)) / GATE_STEP

    def __call__(self, a: Values, rounded: bool) -> Values:
        exact = self._exact(a)
        if not rounded:
            return exact
        place = _clip(np.rint(a / self._step), INT16_MIN, INT16_MAX).astype(np.int64) - INT16_MIN
        value = np.rint(exact / GATE_STEP + self._error.take(place))
        return _clip(value, INT16_MIN, INT16_MAX) * GATE_STEP


def _product(x: Values, weights: Values) -> Values:
    """x [rows, inputs] times [4, inputs, units]: [4, rows, units].

    In blocks that OpenBLAS multiplies in one thread, fewer than 2^19 products each: on a busy machine
    waiting for a second thread takes longer than such a product.
    """
    rows = max(16, (1 << 19) // weights[0].size - 1)
    blocks = [x[start : start + rows] @ weights for start in range(0, len(x), rows)]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)


def _multiply(x: Values, multiplier: int, shift: int) -> Values:
    """``fixed_point.multiply_by_quantized_multiplier`` for numbers with a fraction, without wrapping.

    The product has up to 62 bits, so the whole part of x is multiplied in int64.
    """
    left, right = max(shift, 0), max(-shift, 0)
    limit = 2.0 ** (31 - left) - 1
    x = _clip(x, -limit, limit)
    whole = np.floor(x)
    product = whole.astype(np.int64) * multiplier + ((x - whole) * multiplier).astype(np.int64)
    high = ((product << left) + (1 << 30)) >> 31
    return _half_away(high * 2.0**-right)


def _half_away(x: Values) -> Values:
    """To the nearest, halves away from zero: RoundingDivideByPOT after its division."""
    rounded: Values = np.copysign(np.floor(np.abs(x) + 0.5), x)
    return rounded


def _clip(x: Values, low: float, high: float) -> Values:
    return np.asarray(np.minimum(np.maximum(x, low), high))


def _sigmoid(a: Values) -> Values:
    with np.errstate(over="ignore"):  # exp overflows where the sigmoid is 0, and 1 / inf is 0
        return np.asarray(1 / (1 + np.exp(-a)))
