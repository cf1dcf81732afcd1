import numpy as np
import pytest
import tensorflow as tf

from models.quantization.int8_ops import batch_matmul_int8, requantize_hidden


def product(sums: list[float], exact: list[float] | None = None) -> tf.Tensor:
    """Factor scales 1/2 and 1/4, output scale 1 and zero point -28: 1/8 of a sum."""
    real = tf.constant(exact or [0.0] * len(sums))
    low, high = tf.constant(-100.0), tf.constant(155.0)
    halves, quarters = tf.constant(0.5), tf.constant(0.25)
    return batch_matmul_int8(real, tf.constant(sums, tf.float64), halves, quarters, low, high)


def test_two_roundings_by_hand() -> None:
    """x / 8 is 2^30 / 2^31 = 1/2 of x, halves up, and then a shift of two, halves away from zero."""
    # 3: 3/2 -> 2, 2/4 = 1/2 -> 1, although 3/8 is nearer to 0. -5: -5/2 -> -2, -2/4 = -1/2 -> -1.
    np.testing.assert_array_equal(product([8.0, 3.0, 4.0, -5.0, -3.0]), [1.0, 1.0, 1.0, -1.0, 0.0])


def test_it_saturates_at_the_ends_of_int8() -> None:
    np.testing.assert_array_equal(product([1e4, -1e4]), [155.0, -100.0])


def test_the_gradient_is_the_products_where_nothing_saturates() -> None:
    x = tf.constant([1.0, 1250.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        low, high = tf.constant(-100.0), tf.constant(155.0)
        sums = tf.constant([8.0, 1e4], tf.float64)
        y = batch_matmul_int8(x, sums, tf.constant(0.5), tf.constant(0.25), low, high)
    np.testing.assert_array_equal(tape.gradient(y, x), [1.0, 0.0])


@pytest.mark.parametrize(
    ("steps", "factor", "expected"),
    [
        # 256 / 8 = 32: (8 * 32 + 128) >> 8, and so on.
        ([8, 3, 4, -4, -5], 8.0, [1, 0, 1, 0, -1]),
        # 256 / 8.2 = 31.2, of which 31 is left: (127 * 31 + 128) >> 8 = 15, and 127 / 8.2 = 15.49.
        ([127, -128], 8.2, [15, -15]),
        # 256 / 9 = 28.4 -> 28: (120 * 28 + 128) >> 8 = 13.6, cut to 13, and 120 / 9 = 13.33.
        ([120, 119], 9.0, [13, 13]),
    ],
)
def test_hidden_states_take_another_format_by_hand(
    steps: list[int], factor: float, expected: list[int]
) -> None:
    """From 1/128 to a scale ``factor`` times as coarse, zero point -28."""
    scale = factor / 128
    low, high = tf.constant(-100 * scale, tf.float32), tf.constant(155 * scale, tf.float32)
    found = requantize_hidden(tf.constant(steps, tf.float32) / 128, low, high)
    np.testing.assert_array_equal(np.rint(found / scale), expected)
