from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.quantization.fake_quant import (
    affine_parameters,
    fake_quantize,
    fake_quantize_bias,
    fake_quantize_known,
    fake_quantize_weight,
    quantize,
    round_half_away,
    weight_scale,
)
from models.quantization.number_formats import HIDDEN_RANGE, Range, affine_format

STEPPED = Range(-10.0, 245.0)
"""Scale 1, zero point -118: real values are the integers from -10 to 245."""


def gradient(function: Callable[[Any], Any], x: list[float]) -> Any:
    """The gradient of the plain sum, which is what passes through."""
    values = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(values)
        y = function(values)
    return tape.gradient(y, values).numpy().tolist()


def test_halves_go_away_from_zero() -> None:
    x = tf.constant([0.5, -0.5, 1.5, 2.5, -2.5, 1.4, -1.6, 0.0])
    np.testing.assert_array_equal(round_half_away(x), [1, -1, 2, 3, -3, 1, -2, 0])


def test_rounding_does_not_round_twice() -> None:
    """0.49999997 + 0.5 is 1 in float32, and 8388609 + 0.5 is 8388610."""
    below = np.nextafter(np.float32(0.5), np.float32(0))
    x = tf.constant([below, -below, 8388609.0, -8388609.0])
    np.testing.assert_array_equal(round_half_away(x), [0, 0, 8388609, -8388609])


def test_activations_are_rounded_and_clipped() -> None:
    x = tf.constant([-11.0, -10.4, -0.5, 0.4, 2.5, 245.4, 300.0])
    y = fake_quantize(x, tf.constant(STEPPED.minimum), tf.constant(STEPPED.maximum))
    np.testing.assert_array_equal(y, [-10, -10, 0, 0, 2, 245, 245])  # halves to even
    np.testing.assert_array_equal(quantize(x, 1.0, -118.0), [-128, -128, -118, -118, -116, 127, 127])


def test_the_gradient_passes_inside_and_stops_outside() -> None:
    def quantized(x: Any) -> Any:
        return fake_quantize(x, tf.constant(STEPPED.minimum), tf.constant(STEPPED.maximum))

    assert gradient(quantized, [-11.0, -10.4, 2.5, 245.4, 245.6, 300.0]) == [0, 1, 1, 1, 0, 0]


def test_a_range_is_widened_to_hold_zero() -> None:
    """[51, 127.5] becomes [0, 127.5] with scale 0.5."""
    y = fake_quantize(tf.constant([-1.0, 0.3, 51.2]), tf.constant(51.0), tf.constant(127.5))
    np.testing.assert_array_equal(y, [0.0, 0.5, 51.0])


@pytest.mark.parametrize("compiled", [False, True])
def test_the_format_is_the_converters_to_the_last_bit(compiled: bool) -> None:
    """Compiled too, where a division by 255 becomes a product that is off in the last bit."""
    ends = np.sort(np.random.default_rng(0).normal(size=(300, 2)), axis=1).astype(np.float32)
    ends[:100, 0] = -ends[:100, 1]  # symmetric: the zero point is a tie
    ends[:100].sort(axis=1)
    ends[100] = 0.0
    parameters = tf.function(affine_parameters, jit_compile=compiled)
    scales, zero_points = parameters(tf.constant(ends[:, 0]), tf.constant(ends[:, 1]))
    expected = [affine_format(Range(float(low), float(high))) for low, high in ends]
    assert list(zip(scales.numpy(), zero_points.numpy(), strict=True)) == [
        (number.scale, number.zero_point) for number in expected
    ]


class TestWeights:
    KERNEL = tf.constant([[127.0, -0.635], [-2.5, 0.0124]])

    def test_per_tensor(self) -> None:
        """Scale 127 / 127 = 1."""
        np.testing.assert_array_equal(fake_quantize_weight(self.KERNEL), [[127, -1], [-3, 0]])
        assert weight_scale(self.KERNEL).numpy() == 1.0

    def test_per_channel(self) -> None:
        """The second column's scale is 0.635 / 127 = 0.005, so 0.0124 is 2 steps."""
        np.testing.assert_allclose(weight_scale(self.KERNEL, axis=[0]), [[1.0, 0.005]], rtol=1e-7)
        np.testing.assert_allclose(
            fake_quantize_weight(self.KERNEL, axis=[0]), [[127, -0.635], [-3, 0.01]], rtol=1e-6
        )

    def test_the_gradient_passes_everywhere(self) -> None:
        assert gradient(fake_quantize_weight, [127.0, -2.5, 0.1]) == [1, 1, 1]

    def test_zeros_stay_zeros(self) -> None:
        np.testing.assert_array_equal(fake_quantize_weight(tf.zeros([2, 2])), np.zeros((2, 2)))
        assert weight_scale(tf.zeros([2, 2])).numpy() == 1.0

    def test_the_scale_is_exact_when_compiled(self) -> None:
        columns = tf.constant(np.random.default_rng(0).normal(size=(3, 500)).astype(np.float32))
        scale = tf.function(weight_scale, jit_compile=True)(columns, [0])
        np.testing.assert_array_equal(scale[0], np.abs(columns).max(axis=0) / np.float32(127))

    def test_the_bias_has_the_product_of_both_scales(self) -> None:
        bias, scales = [0.3, -0.3], tf.constant([0.5, 0.25])
        y = fake_quantize_bias(tf.constant(bias), tf.constant(0.5), scales)
        np.testing.assert_array_equal(y, [0.25, -0.25])  # steps 0.25 and 0.125: 1.2 -> 1, -2.4 -> -2
        assert gradient(lambda x: fake_quantize_bias(x, tf.constant(0.5), scales), bias) == [1, 1]


def test_a_known_range_rounds_and_lets_every_gradient_pass() -> None:
    x = [-1.5, -0.3, 0.5 / 128, 1.5 / 128, 1.0]
    y = fake_quantize_known(tf.constant(x), HIDDEN_RANGE)
    np.testing.assert_allclose(y, [-1.0, -38 / 128, 0.0, 2 / 128, 127 / 128], rtol=1e-6)  # halves to even
    assert gradient(lambda v: fake_quantize_known(v, HIDDEN_RANGE), x) == [1, 1, 1, 1, 1]
