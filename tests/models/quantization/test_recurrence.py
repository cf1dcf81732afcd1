from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from models.quantization.recurrence import (
    LstmWeights,
    float_lstm,
    integer_lstm,
)

INPUT_SCALE = 1 / 32
RANDOM = np.random.default_rng(0)


def on_the_grid(batch: int, steps: int, features: int) -> Any:
    """Inputs of scale 1/32 in [-2, 2]."""
    return tf.constant(RANDOM.integers(-64, 65, (batch, steps, features)) * INPUT_SCALE, tf.float32)


def rounded_weights(features: int, units: int) -> LstmWeights:
    """Weights that int8 holds exactly: every gate's largest is 127/256, so that its scale is 1/256."""

    def kernel(rows: int) -> Any:
        integers = RANDOM.integers(-127, 128, (rows, 4 * units))
        integers[0, ::units] = 127
        return tf.constant(integers / 256, tf.float32)

    bias = RANDOM.integers(-4096, 4097, 4 * units) / 8192
    return LstmWeights(kernel(features), kernel(units), tf.constant(bias, tf.float32))


def run(x: Any, weights: LstmWeights, exponent: int) -> tuple[Any, Any]:
    """Hidden states, and the largest cell state before saturation."""
    return integer_lstm(x, tf.constant(INPUT_SCALE), tf.constant(0.0), weights, tf.constant(exponent))


def gradients(x: Any, weights: LstmWeights, upstream: Any, exponent: int = -13) -> list[Any]:
    """Of x, kernel, recurrent kernel and bias, for one upstream gradient of all hidden states."""
    with tf.GradientTape() as tape:
        tape.watch([x, *weights])
        hidden, _ = run(x, weights, exponent)
    return [one.numpy() for one in tape.gradient(hidden, [x, *weights], upstream)]


def with_bias(units: int, features: int = 1, **gates: float) -> LstmWeights:
    """Zero weights and a bias for each gate named."""
    bias = np.repeat([gates.get(name, 0.0) for name in "ifgo"], units).astype(np.float32)
    return LstmWeights(tf.zeros([features, 4 * units]), tf.zeros([units, 4 * units]), tf.constant(bias))


# --- Forward ---------------------------------------------------------------------------------------


def test_one_step_by_hand() -> None:
    """Nothing is kept: c = sigmoid(1) tanh(2) = 0.7047, h = sigmoid(-1) tanh(c)."""
    hidden, largest = run(tf.zeros([1, 3, 1]), with_bias(1, i=1.0, f=-9.0, g=2.0, o=-1.0), -15)
    c = np.tanh(2.0) / (1 + np.exp(-1.0))
    h = np.tanh(c) / (1 + np.exp(1.0))  # 0.1634 = 20.9 / 128
    np.testing.assert_allclose(largest, c, atol=4 * 2.0**-12)  # biases and gates are rounded to 2^-12
    assert hidden.numpy().tolist() == [[[round(h * 128) / 128]] * 3]


def test_the_cell_saturates_and_tells_how_far_it_would_have_gone() -> None:
    """c_t = c_(t-1) + 1, all but: gates at 8 and more give 1 - 2^-11.5 or so; a scale of 2^-15 ends at 1."""
    weights = with_bias(1, i=9.0, f=9.0, g=9.0, o=9.0)
    narrow, wide = (run(tf.zeros([1, 3, 1]), weights, exponent) for exponent in (-15, -13))
    # From 1 at most another 1 is added; without saturation the third step gets to 3.
    np.testing.assert_allclose(narrow[1], 2.0, atol=2e-3)
    np.testing.assert_allclose(wide[1], 3.0, atol=3e-3)
    np.testing.assert_allclose(narrow[0][0, :, 0], np.tanh([1, 1, 1]), atol=1 / 128)
    np.testing.assert_allclose(wide[0][0, :, 0], np.tanh([1, 2, 3]), atol=1 / 128)


def test_hidden_states_lie_on_their_grid() -> None:
    hidden, _ = run(on_the_grid(4, 5, 3), rounded_weights(3, 4), -13)
    steps = hidden.numpy() * 128
    np.testing.assert_array_equal(steps, np.rint(steps))


@pytest.mark.parametrize("shape", [(3, 7, 2, 5), (1, 1, 1, 1)])
def test_the_float_forward_is_kerass_lstm(shape: tuple[int, ...]) -> None:
    batch, steps, features, units = shape
    layer = tf_keras.layers.LSTM(units, return_sequences=True)
    x = tf.constant(RANDOM.normal(size=(batch, steps, features)) * 2, tf.float32)
    layer.build(x.shape)
    layer.set_weights([2 * weight for weight in layer.get_weights()])
    hidden, largest = float_lstm(x, LstmWeights(*layer.weights))
    np.testing.assert_allclose(hidden, layer(x), atol=1e-6)
    cell, state = np.zeros((batch, units)), np.zeros((batch, units))
    seen = 0.0
    for t in range(steps):
        _, (state, cell) = layer.cell(
            x[:, t], [tf.constant(state, tf.float32), tf.constant(cell, tf.float32)]
        )
        seen = max(seen, np.abs(cell).max())
    np.testing.assert_allclose(largest, seen, rtol=1e-6)


# --- Gradient --------------------------------------------------------------------------------------


def test_the_gradient_is_kerass_but_for_rounding() -> None:
    """Inputs and weights are exact in int8, so that only rounding inside the recurrence is left.

    A hidden state is off by half a step, 1/256, which moves a gate input by at most sum|R| / 256, that is
    4 * 0.5 / 256 = 0.008; the derivatives of sigmoid and tanh change by at most twice that, relatively. A
    gradient is a sum of products along at most 5 steps with one such factor a step: 5 * 2 * 0.008 = 0.08 at
    worst, and in the norm, where the errors' signs differ, a quarter of it.
    """
    batch, steps, features, units = 4, 5, 3, 4
    x, weights = on_the_grid(batch, steps, features), rounded_weights(features, units)
    upstream = tf.constant(RANDOM.normal(size=(batch, steps, units)), tf.float32)
    layer = tf_keras.layers.LSTM(units, return_sequences=True)
    layer.build(x.shape)
    layer.set_weights([one.numpy() for one in weights])
    with tf.GradientTape() as tape:
        tape.watch(x)
        hidden = layer(x)
    expected = tape.gradient(hidden, [x, *layer.trainable_weights], upstream)
    for ours, keras in zip(gradients(x, weights, upstream), expected, strict=True):
        assert ours.shape == keras.shape
        assert np.linalg.norm(ours - keras) <= 0.02 * np.linalg.norm(keras)


def test_the_gradient_of_one_step_by_hand() -> None:
    """h = o tanh(i g), so dh/d(bias of o) = tanh(c) o (1 - o), and the others follow by the chain rule."""
    weights = with_bias(1, i=1.0, f=0.5, g=2.0, o=-1.0)
    x, first_only = tf.ones([1, 3, 1]), tf.constant([[[1.0], [0.0], [0.0]]])
    d_x, d_kernel, d_recurrent, d_bias = gradients(x, weights, first_only, exponent=-15)
    i, g, o = 1 / (1 + np.exp(-1.0)), np.tanh(2.0), 1 / (1 + np.exp(1.0))
    d_cell = o * (1 - np.tanh(i * g) ** 2)
    expected = [d_cell * g * i * (1 - i), 0.0, d_cell * i * (1 - g * g), np.tanh(i * g) * o * (1 - o)]
    np.testing.assert_allclose(d_bias, expected, atol=2.0**-12)  # gates are off by one step of Q3.12 at most
    np.testing.assert_array_equal(d_kernel, [d_bias])  # the input is 1
    np.testing.assert_array_equal(d_recurrent, np.zeros((1, 4)))  # the state before was 0
    np.testing.assert_array_equal(d_x, np.zeros((1, 3, 1)))  # the weights are 0


@pytest.mark.parametrize("gate", range(4))
@pytest.mark.parametrize("saturating", [9.0, -9.0])
def test_nothing_passes_through_a_saturated_gate(gate: int, saturating: float) -> None:
    biases = dict.fromkeys("ifgo", 0.5) | {"ifgo"[gate]: saturating}
    *_, d_bias = gradients(tf.zeros([1, 3, 1]), with_bias(1, **biases), tf.ones([1, 3, 1]))
    assert d_bias[gate] == 0.0
    if gate != 3 or saturating > 0:  # with the output gate closed h is 0, and rounds to it
        assert np.count_nonzero(d_bias) >= 2


def test_nothing_passes_through_a_saturated_cell() -> None:
    """From the second step on c saturates at 1: of the last hidden state only the output gate learns."""
    weights = with_bias(1, i=3.0, f=3.0, g=3.0, o=0.0)
    last_only = tf.constant([[[0.0], [0.0], [1.0]]])
    *_, d_bias = gradients(tf.zeros([1, 3, 1]), weights, last_only, exponent=-15)
    assert d_bias[:3].tolist() == [0.0, 0.0, 0.0]
    assert d_bias[3] > 0
    *_, d_bias = gradients(tf.zeros([1, 3, 1]), weights, last_only, exponent=-13)
    assert (d_bias > 0).all()


def test_the_gradient_is_the_same_inside_a_graph() -> None:
    x, weights = on_the_grid(4, 5, 3), rounded_weights(3, 4)
    upstream = tf.ones([4, 5, 4])

    @tf.function
    def in_graph() -> Any:
        with tf.GradientTape() as tape:
            tape.watch([x, *weights])
            hidden, _ = run(x, weights, -13)
        return tape.gradient(hidden, [x, *weights], upstream)

    for eager, graph in zip(gradients(x, weights, upstream), in_graph(), strict=True):
        np.testing.assert_allclose(eager, graph, rtol=1e-6)
