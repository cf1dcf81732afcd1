"""The fake-quantized LSTM recurrence: every rounding of the int8 kernel, with a gradient written by hand.

Forward, per step t, in the kernel's formats (section numbers of Li and Alvarez
2021, arXiv 2101.05453, and tensorflow/lite/kernels/lstm_eval.cc)::

    a_t = sat16(R16(x_t W + b) + R16(h_{t-1} R))          gate inputs, Q3.12
    i, f, o = R(sigmoid(a)),  g = R(tanh(a))               Q0.15
    c_t = sat16(R(f c_{t-1}) + R(i g))                     int16, scale 2^e
    h_t = clip(R(o R(tanh(c_t))), -128, 127)               int8, scale 1/128

R rounds to the format's step, halves away from zero; sat16 saturates at the
int16 limits. Gate order i, f, g, o as in Keras.

Backward: the LSTM's own gradient, taken at the quantized values; every R is
passed straight through, and nothing passes where a sat16 saturated. Weight
gradients are one matrix product over all steps after the loop, so that the
backward loop carries one product a step. Both loops are compiled by XLA.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from models.quantization.fake_quant import round_half_away
from models.quantization.number_formats import (
    GATE_FRACTION_BITS,
    GATE_OUTPUT_FRACTION_BITS,
    INT8_MAX,
    INT8_MIN,
    INT16_MAX,
    INT16_MIN,
)

GATE_STEP = 2.0**-GATE_FRACTION_BITS
GATE_OUTPUT_STEP = 2.0**-GATE_OUTPUT_FRACTION_BITS
HIDDEN_STEP = 1.0 / 128.0


@tf.function(jit_compile=True)
def _forward(
    x: tf.Tensor,
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor,
    cell_step: tf.Tensor,
    rounding: bool,
) -> tuple[tf.Tensor, ...]:
    def to_step(x: tf.Tensor, step: Any) -> tf.Tensor:
        return round_half_away(x * (1.0 / step)) * step if rounding else x

    def saturate(x: tf.Tensor, step: Any, low: int = INT16_MIN, high: int = INT16_MAX) -> tf.Tensor:
        return tf.clip_by_value(x, low * step, high * step) if rounding else x

    batch, steps, features = tf.shape(x)[0], x.shape[1], x.shape[2]
    units = recurrent_kernel.shape[0]
    x = tf.transpose(x, [1, 0, 2])  # [time, batch, features]
    from_input = tf.matmul(tf.reshape(x, [-1, features]), kernel) + bias
    from_input = saturate(to_step(from_input, GATE_STEP), GATE_STEP)  # Q3.12
    from_input = tf.reshape(from_input, [steps, batch, 4 * units])

    def array(size: int) -> tf.TensorArray:
        return tf.TensorArray(tf.float32, steps, element_shape=(x.shape[1], size))

    def step(t, hidden, cell, hiddens, cells, tanhs, gates, inside, largest):  # type: ignore[no-untyped-def]
        from_hidden = to_step(tf.matmul(hidden, recurrent_kernel), GATE_STEP)
        unsaturated = from_input[t] + from_hidden
        a = saturate(unsaturated, GATE_STEP)  # [batch, 4 * units], Q3.12
        gate = tf.concat(
            [
                tf.sigmoid(a[:, : 2 * units]),
                tf.tanh(a[:, 2 * units : 3 * units]),
                tf.sigmoid(a[:, 3 * units :]),
            ],
            axis=1,
        )
        gate = saturate(to_step(gate, GATE_OUTPUT_STEP), GATE_OUTPUT_STEP)  # Q0.15
        i, f, g, o = tf.split(gate, 4, axis=1)
        cell_unsaturated = to_step(f * cell, cell_step) + to_step(i * g, cell_step)
        cell = saturate(cell_unsaturated, cell_step)  # int16, scale cell_step
        tanh = saturate(to_step(tf.tanh(cell), GATE_OUTPUT_STEP), GATE_OUTPUT_STEP)  # Q0.15
        hidden = saturate(to_step(o * tanh, HIDDEN_STEP), HIDDEN_STEP, INT8_MIN, INT8_MAX)  # int8
        return (
            t + 1,
            hidden,
            cell,
            hiddens.write(t, hidden),
            cells.write(t, cell),
            tanhs.write(t, tanh),
            gates.write(t, gate),
            inside.write(t, tf.cast(tf.equal(a, unsaturated), tf.float32)),
            tf.maximum(largest, tf.reduce_max(tf.abs(cell_unsaturated))),
        )

    zero = tf.zeros([batch, units])
    result = tf.while_loop(
        lambda t, *_: t < steps,
        step,
        (
            tf.constant(0),
            zero,
            zero,
            array(units),
            array(units),
            array(units),
            array(4 * units),
            array(4 * units),
            tf.constant(0.0),
        ),
        maximum_iterations=steps,
    )
    hiddens, cells, tanhs, gates, inside = (a.stack() for a in result[3:8])  # [time, batch, ...]
    return hiddens, cells, tanhs, gates, inside, result[8]


@tf.function(jit_compile=True)
def _backward(
    d_hiddens: tf.Tensor,
    x: tf.Tensor,
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    hiddens: tf.Tensor,
    cells: tf.Tensor,
    tanhs: tf.Tensor,
    gates: tf.Tensor,
    inside: tf.Tensor,
    cell_limit: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    steps, units, features = hiddens.shape[0], hiddens.shape[2], x.shape[2]
    batch = tf.shape(hiddens)[1]
    zero = tf.zeros_like(hiddens[:1])
    cells_before = tf.concat([zero, cells[:-1]], axis=0)
    hiddens_before = tf.concat([zero, hiddens[:-1]], axis=0)

    def step(t, d_hidden, d_cell, d_gate_inputs):  # type: ignore[no-untyped-def]
        i, f, g, o = tf.split(gates[t], 4, axis=1)
        tanh = tanhs[t]
        d_hidden = d_hidden + d_hiddens[t]
        d_cell = d_cell + d_hidden * o * (1.0 - tanh * tanh)
        d_cell = d_cell * tf.cast(tf.abs(cells[t]) < cell_limit, tf.float32)
        d_a = tf.concat(
            [
                d_cell * g * i * (1.0 - i),
                d_cell * cells_before[t] * f * (1.0 - f),
                d_cell * i * (1.0 - g * g),
                d_hidden * tanh * o * (1.0 - o),
            ],
            axis=1,
        )
        d_a = d_a * inside[t]  # [batch, 4 * units]
        return (
            t - 1,
            tf.matmul(d_a, recurrent_kernel, transpose_b=True),
            d_cell * f,
            d_gate_inputs.write(t, d_a),
        )

    array = tf.TensorArray(tf.float32, steps, element_shape=(hiddens.shape[1], 4 * units))
    result = tf.while_loop(
        lambda t, *_: t >= 0,
        step,
        (tf.constant(steps - 1), zero[0], zero[0], array),
        maximum_iterations=steps,
    )
    d_a = tf.reshape(result[3].stack(), [-1, 4 * units])  # [time * batch, 4 * units]
    x = tf.reshape(tf.transpose(x, [1, 0, 2]), [-1, features])
    d_kernel = tf.matmul(x, d_a, transpose_a=True)
    d_recurrent = tf.matmul(tf.reshape(hiddens_before, [-1, units]), d_a, transpose_a=True)
    d_x = tf.reshape(tf.matmul(d_a, kernel, transpose_b=True), [steps, batch, features])
    return tf.transpose(d_x, [1, 0, 2]), d_kernel, d_recurrent, tf.reduce_sum(d_a, axis=0)


def quantized_lstm(
    x: tf.Tensor,
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor,
    cell_step: tf.Tensor,
    rounding: bool = True,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Run the fake-quantized recurrence from a zero state.

    Args:
        x: [batch, time, features], already fake-quantized.
        kernel: [features, 4 * units], fake-quantized, gates i, f, g, o.
        recurrent_kernel: [units, 4 * units], fake-quantized.
        bias: [4 * units], fake-quantized.
        cell_step: scalar, the cell state's power-of-two scale.
        rounding: False leaves out every rounding and saturation: the float
            recurrence, for observing ranges.

    Returns:
        hidden states [batch, time, units], and the largest magnitude the cell
        state had before saturation, over all steps (a scalar without gradient).
    """

    @tf.custom_gradient
    def run(x, kernel, recurrent_kernel, bias):  # type: ignore[no-untyped-def]
        hiddens, cells, tanhs, gates, inside, largest = _forward(
            x, kernel, recurrent_kernel, bias, cell_step, rounding
        )

        def gradient(d_hiddens, _):  # type: ignore[no-untyped-def]
            d_hiddens = tf.transpose(d_hiddens, [1, 0, 2])
            cell_limit = INT16_MAX * cell_step
            return _backward(
                d_hiddens, x, kernel, recurrent_kernel, hiddens, cells, tanhs, gates, inside, cell_limit
            )

        return (tf.transpose(hiddens, [1, 0, 2]), largest), gradient

    hidden, largest = run(x, kernel, recurrent_kernel, bias)
    return hidden, tf.stop_gradient(largest)
