"""The int8 LSTM kernel as a training forward: its integers, to the last bit, with a gradient written by hand.

Forward, per step t, in TFLite's own arithmetic (``fixed_point``; kernel 8x8_16
of tensorflow/lite/kernels/lstm_eval.cc; Li and Alvarez 2021, arXiv 2101.05453)::

    a = sat16(M(W x + bx))              input part of the gate inputs, Q3.12
    a = sat16(M(R h + bh) + a)          both parts, Q3.12
    i, f, o = logistic(a),  g = tanh(a)                       Q0.15
    c = sat16(R(f c, 15) + R(i g, 30 + e))                    int16, scale 2^e
    h = clip(M(o tanh(c)) + zero point, -128, 127)            int8, scale 1/128

M is the multiplication by a quantized multiplier, R the rounding shift.
Integers live in int32 and, where products need it, int64; matrix products run
in float, which is exact as long as every sum stays below 2^24 (float32) or
2^53 (float64). Gate order i, f, g, o as in Keras.

Backward: the LSTM's own gradient at the values the integers stand for; every
rounding is passed straight through (Bengio et al. 2013, arXiv 1308.3432), and
nothing passes where a gate input or the cell state saturated. The weight
gradients are one matrix product over all steps after the loop, so that the
backward loop carries a single product a step. Both loops are compiled by XLA.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from models.quantization import fixed_point
from models.quantization.fake_quant import quantize_constant, weight_scale
from models.quantization.integer_ops import (
    integer_matmul,
    multiply,
    quantize_multiplier,
    rounding_shift,
    saturate16,
)
from models.quantization.number_formats import (
    GATE_FRACTION_BITS,
    GATE_OUTPUT_FRACTION_BITS,
    HIDDEN_RANGE,
    INT8_MAX,
    INT8_MIN,
    INT16_MAX,
    INT16_MIN,
    affine_format,
)

GATE_OUTPUT_STEP = 2.0**-GATE_OUTPUT_FRACTION_BITS
HIDDEN_FORMAT = affine_format(HIDDEN_RANGE)


class LstmWeights(NamedTuple):
    """kernel [features, 4 * units], recurrent_kernel [units, 4 * units], bias [4 * units]: i, f, g, o."""

    kernel: tf.Tensor
    recurrent_kernel: tf.Tensor
    bias: tf.Tensor


class _Trace(NamedTuple):
    """What the backward pass needs of the forward one, [time, batch, ...]; real values, float32."""

    hidden: tf.Tensor
    cell: tf.Tensor
    tanh_cell: tf.Tensor
    gates: tf.Tensor  # [time, batch, 4 * units]
    open_gates: tf.Tensor  # bool: the gate input did not saturate
    open_cell: tf.Tensor  # bool: the cell state did not saturate


# --- Forward --------------------------------------------------------------------------------------


def _quantize_weights(weights: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """int8 weights held in float32, one scale a gate: [rows, 4 * units], [4 * units]."""
    units = weights.shape[1] // 4
    scales = tf.stack([weight_scale(gate) for gate in tf.split(weights, 4, axis=1)])
    scales = tf.repeat(scales, units)
    return quantize_constant(weights, scales), scales


@tf.function(jit_compile=True)
def _forward(
    x: tf.Tensor,
    input_scale: tf.Tensor,
    input_zero_point: tf.Tensor,
    weights: LstmWeights,
    cell_exponent: tf.Tensor,
) -> tuple[_Trace, tf.Tensor]:
    """Run the integer kernel. x: int8 values [batch, time, features] held in float32."""
    batch, steps, features = tf.shape(x)[0], x.shape[1], x.shape[2]
    units = weights.recurrent_kernel.shape[0]
    gate_step = tf.constant(2.0**-GATE_FRACTION_BITS, tf.float32)
    hidden_scale = tf.constant(HIDDEN_FORMAT.scale, tf.float32)
    hidden_zero_point = HIDDEN_FORMAT.zero_point

    kernel, kernel_scale = _quantize_weights(weights.kernel)
    recurrent_kernel, recurrent_scale = _quantize_weights(weights.recurrent_kernel)
    bias = tf.cast(quantize_constant(weights.bias, input_scale * kernel_scale), tf.int32)
    bias_x = bias - tf.cast(input_zero_point, tf.int32) * tf.cast(tf.reduce_sum(kernel, axis=0), tf.int32)
    bias_h = -hidden_zero_point * tf.cast(tf.reduce_sum(recurrent_kernel, axis=0), tf.int32)
    by_input = quantize_multiplier(kernel_scale * input_scale / gate_step)
    by_hidden = quantize_multiplier(recurrent_scale * hidden_scale / gate_step)
    by_output = quantize_multiplier(GATE_OUTPUT_STEP / hidden_scale * GATE_OUTPUT_STEP)

    x = tf.transpose(x, [1, 0, 2])  # [time, batch, features]
    from_input = integer_matmul(tf.reshape(x, [-1, features]), kernel) + bias_x
    from_input = saturate16(multiply(from_input, *by_input))  # Q3.12
    from_input = tf.reshape(from_input, [steps, batch, 4 * units])

    # Every result of logistic and of tanh there is, as tables; those of the gates in one, so that a single
    # gather gets all four. In int16 they take half the cache.
    tanh_tables = fixed_point.tanh_tables().astype(np.int16)
    logistic, tanh = fixed_point.logistic_table().astype(np.int16), tanh_tables[15 - GATE_FRACTION_BITS]
    gate_tables = tf.constant(np.concatenate([logistic, tanh]))
    origins = tf.constant(
        np.repeat([0, 0, len(logistic), 0], units).astype(np.int32) - INT16_MIN
    )  # of i, f, g, o
    cell_tanh = tf.gather(tf.constant(tanh_tables), cell_exponent + 15)
    cell_scale = tf.pow(2.0, tf.cast(cell_exponent, tf.float32))

    def look_up(table: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.gather(table, place), tf.int32)

    def real(x: tf.Tensor, scale: float | tf.Tensor) -> tf.Tensor:
        return tf.cast(x, tf.float32) * scale

    def open_at(x: tf.Tensor) -> tf.Tensor:
        return (x > INT16_MIN) & (x < INT16_MAX)

    def step(t, hidden, cell, arrays, largest):  # type: ignore[no-untyped-def]
        a = multiply(integer_matmul(hidden, recurrent_kernel) + bias_h, *by_hidden)
        a = saturate16(a + from_input[t])  # [batch, 4 * units], Q3.12
        gates = look_up(gate_tables, a + origins)  # Q0.15
        i, f, g, o = tf.split(gates, 4, axis=1)
        unsaturated = rounding_shift(f * cell, 15) + rounding_shift(i * g, 30 + cell_exponent)
        cell = saturate16(unsaturated)  # int16, scale 2^cell_exponent
        tanh_cell = look_up(cell_tanh, cell - INT16_MIN)  # Q0.15
        hidden = multiply(o * tanh_cell, *by_output) + hidden_zero_point
        hidden = tf.clip_by_value(hidden, INT8_MIN, INT8_MAX)  # int8
        values = _Trace(
            hidden=real(hidden - hidden_zero_point, hidden_scale),
            cell=real(cell, cell_scale),
            tanh_cell=real(tanh_cell, GATE_OUTPUT_STEP),
            gates=real(gates, GATE_OUTPUT_STEP),
            open_gates=open_at(a),
            open_cell=open_at(unsaturated),
        )
        arrays = _Trace(*(array.write(t, value) for array, value in zip(arrays, values, strict=True)))
        largest = tf.maximum(largest, tf.reduce_max(tf.abs(unsaturated)))
        return t + 1, hidden, cell, arrays, largest

    def array(size: int, kind: tf.DType = tf.float32) -> tf.TensorArray:
        return tf.TensorArray(kind, steps, element_shape=(x.shape[1], size))

    arrays = _Trace(
        hidden=array(units),
        cell=array(units),
        tanh_cell=array(units),
        gates=array(4 * units),
        open_gates=array(4 * units, tf.bool),
        open_cell=array(units, tf.bool),
    )
    start = (
        tf.constant(0),
        tf.fill([batch, units], hidden_zero_point),
        tf.zeros([batch, units], tf.int32),
        arrays,
        tf.constant(0),
    )
    *_, arrays, largest = tf.while_loop(lambda t, *_: t < steps, step, start, maximum_iterations=steps)
    return _Trace(*(array.stack() for array in arrays)), real(largest, cell_scale)


# --- Backward -------------------------------------------------------------------------------------


@tf.function(jit_compile=True)
def _backward(
    d_hidden_states: tf.Tensor, x: tf.Tensor, kernel: tf.Tensor, recurrent_kernel: tf.Tensor, trace: _Trace
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Gradients of x, kernel, recurrent kernel and bias; x is [time, batch, features]."""
    steps, units, features = trace.hidden.shape[0], trace.hidden.shape[2], x.shape[2]
    batch = tf.shape(trace.hidden)[1]
    zero = tf.zeros_like(trace.hidden[:1])
    cell_before = tf.concat([zero, trace.cell[:-1]], axis=0)
    hidden_before = tf.concat([zero, trace.hidden[:-1]], axis=0)

    def step(t, d_hidden, d_cell, d_gate_inputs):  # type: ignore[no-untyped-def]
        i, f, g, o = tf.split(trace.gates[t], 4, axis=1)
        tanh_cell = trace.tanh_cell[t]
        d_hidden = d_hidden + d_hidden_states[t]
        d_cell = d_cell + d_hidden * o * (1.0 - tanh_cell * tanh_cell)
        d_cell = tf.where(trace.open_cell[t], d_cell, 0.0)
        d_a = tf.concat(
            [
                d_cell * g * i * (1.0 - i),
                d_cell * cell_before[t] * f * (1.0 - f),
                d_cell * i * (1.0 - g * g),
                d_hidden * tanh_cell * o * (1.0 - o),
            ],
            axis=1,
        )
        d_a = tf.where(trace.open_gates[t], d_a, 0.0)  # [batch, 4 * units]
        d_hidden = tf.matmul(d_a, recurrent_kernel, transpose_b=True)
        return t - 1, d_hidden, d_cell * f, d_gate_inputs.write(t, d_a)

    array = tf.TensorArray(tf.float32, steps, element_shape=(trace.hidden.shape[1], 4 * units))
    start = (tf.constant(steps - 1), zero[0], zero[0], array)
    *_, d_gate_inputs = tf.while_loop(lambda t, *_: t >= 0, step, start, maximum_iterations=steps)
    d_a = tf.reshape(d_gate_inputs.stack(), [-1, 4 * units])  # [time * batch, 4 * units]
    d_kernel = tf.matmul(tf.reshape(x, [-1, features]), d_a, transpose_a=True)
    d_recurrent_kernel = tf.matmul(tf.reshape(hidden_before, [-1, units]), d_a, transpose_a=True)
    d_x = tf.reshape(tf.matmul(d_a, kernel, transpose_b=True), [steps, batch, features])
    return tf.transpose(d_x, [1, 0, 2]), d_kernel, d_recurrent_kernel, tf.reduce_sum(d_a, axis=0)


def integer_lstm(
    x: tf.Tensor,
    input_scale: tf.Tensor,
    input_zero_point: tf.Tensor,
    weights: LstmWeights,
    cell_exponent: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The fused int8 LSTM from a zero state, differentiable.

    Args:
        x: [batch, time, features], values on the int8 grid of ``input_scale`` and ``input_zero_point``.
        input_scale, input_zero_point: scalars, float32.
        weights: float weights; quantized in here.
        cell_exponent: int32 scalar from -15 to -9; the cell state's scale is 2 to its power.

    Returns:
        hidden states [batch, time, units], dequantized; and the largest magnitude the cell state had
        before it saturated, over all steps (a scalar without gradient).
    """

    @tf.custom_gradient
    def run(*inputs):  # type: ignore[no-untyped-def]
        # The tape of an eager caller must not look into the XLA loops: they have the gradient below.
        x, kernel, recurrent_kernel, bias = map(tf.stop_gradient, inputs)
        x_integer = tf.round(x / input_scale) + input_zero_point
        trace, largest = _forward(
            x_integer,
            input_scale,
            input_zero_point,
            LstmWeights(kernel, recurrent_kernel, bias),
            cell_exponent,
        )

        def gradient(d_hidden_states, _):  # type: ignore[no-untyped-def]
            rounded = []
            for weight in (kernel, recurrent_kernel):
                integers, scales = _quantize_weights(weight)
                rounded.append(integers * scales)
            return _backward(
                tf.transpose(d_hidden_states, [1, 0, 2]), tf.transpose(x, [1, 0, 2]), *rounded, trace
            )

        return (tf.transpose(trace.hidden, [1, 0, 2]), largest), gradient

    hidden, largest = run(x, *weights)
    return hidden, tf.stop_gradient(largest)


@tf.function(jit_compile=True)
def float_lstm(x: tf.Tensor, weights: LstmWeights) -> tuple[tf.Tensor, tf.Tensor]:
    """The same LSTM without any rounding, for observing ranges; no gradient is needed.

    Args:
        x: [batch, time, features]; weights: float.

    Returns:
        hidden states [batch, time, units], and the largest magnitude of the cell state over all steps.
    """
    steps, features = x.shape[1], x.shape[2]
    units = weights.recurrent_kernel.shape[0]
    from_input = tf.matmul(tf.reshape(x, [-1, features]), weights.kernel) + weights.bias
    from_input = tf.reshape(from_input, [-1, steps, 4 * units])

    def step(t, hidden, cell, hidden_states, largest):  # type: ignore[no-untyped-def]
        a = from_input[:, t] + tf.matmul(hidden, weights.recurrent_kernel)
        i, f, g, o = tf.split(a, 4, axis=1)
        cell = tf.sigmoid(f) * cell + tf.sigmoid(i) * tf.tanh(g)
        hidden = tf.sigmoid(o) * tf.tanh(cell)
        largest = tf.maximum(largest, tf.reduce_max(tf.abs(cell)))
        return t + 1, hidden, cell, hidden_states.write(t, hidden), largest

    zero = tf.zeros([tf.shape(x)[0], units])
    array = tf.TensorArray(tf.float32, steps, element_shape=(x.shape[0], units))
    start = (tf.constant(0), zero, zero, array, tf.constant(0.0))
    *_, states, largest = tf.while_loop(lambda t, *_: t < steps, step, start, maximum_iterations=steps)
    return tf.transpose(states.stack(), [1, 0, 2]), largest
