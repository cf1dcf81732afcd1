import numpy as np
import pytest
import tensorflow as tf

from models.quantization import fixed_point
from models.quantization.integer_ops import (
    integer_matmul,
    multiply,
    quantize_multiplier,
    quantize_multiplier_float64,
    rounding_shift,
    saturate16,
)

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("exponent", [0, 1, 2, 15, 21])
def test_rounding_shift(exponent: int) -> None:
    half = 1 << max(exponent - 1, 0)
    edges = [0, 1, half, half - 1, half + 1, 3 * half, 2**30]
    x = np.concatenate([edges, np.negative(edges), RANDOM.integers(-(2**30), 2**30, 500)])
    got = rounding_shift(tf.constant(x, tf.int32), tf.constant(exponent))
    np.testing.assert_array_equal(got, fixed_point.rounding_divide_by_pot(x, exponent))


@pytest.mark.parametrize("real", [2.0**-23, 0.5, 1.0, 0.7, 0.003, 3.9, 1e-9, 5.96e-8])
def test_multiplication_by_a_quantized_multiplier(real: float) -> None:
    """With a power of two every odd value is a tie, positive ties go up and negative ones too."""
    real = float(np.float32(real))
    expected = fixed_point.quantize_multiplier(real)
    multiplier, shift = quantize_multiplier(tf.constant(real))
    assert (int(multiplier), int(shift)) == expected
    x = np.concatenate([np.arange(-9, 10), RANDOM.integers(-(2**26), 2**26, 2000)])
    got = multiply(tf.constant(x, tf.int32), multiplier, shift)
    np.testing.assert_array_equal(got, fixed_point.multiply_by_quantized_multiplier(x, *expected))


@pytest.mark.parametrize("rows", [1024, 1040])
def test_matrix_products_are_exact(rows: int) -> None:
    """From 1033 rows on a sum may pass 2^24, where float32 skips integers."""
    x, weights = np.full((1, rows), -128), np.full((rows, 1), 127)
    weights[:3] = 126
    expected = x.astype(np.int64) @ weights
    got = integer_matmul(tf.constant(x, tf.float32), tf.constant(weights, tf.float32))
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("real", [1 / 3, 2.0**-15, 1.0, 0.99999999999, 1e-9, 77.7])
def test_a_multiplier_from_float64(real: float) -> None:
    """0.99999999999 * 2^31 rounds to 2^31, which is written as 2^30 and one shift more."""
    multiplier, shift = quantize_multiplier_float64(tf.constant(real, tf.float64))
    assert (int(multiplier), int(shift)) == fixed_point.quantize_multiplier(real)


def test_saturation() -> None:
    assert saturate16(tf.constant([-32769, -32768, 5, 32768])).numpy().tolist() == [-32768, -32768, 5, 32767]
