"""Hand-computed cases of the fixed-point functions; the LSTM's tests compare them with the interpreter."""

import math

import numpy as np
import pytest

from models.quantization.fixed_point import (
    logistic,
    logistic_table,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    tanh,
    tanh_tables,
    wrap32,
)

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


class TestRoundingDivideByPot:
    @pytest.mark.parametrize(
        ("x", "exponent", "expected"),
        [
            (5, 0, 5),  # a shift by 0 is the identity
            (-5, 0, -5),
            (INT32_MIN, 0, INT32_MIN),
            (5, 1, 3),  # 2.5: halves go away from zero
            (-5, 1, -3),
            (1, 1, 1),
            (-1, 1, -1),
            (6, 2, 2),  # 1.5
            (-6, 2, -2),
            (5, 2, 1),  # 1.25
            (-5, 2, -1),
            (7, 2, 2),  # 1.75
            (-7, 2, -2),
            (-32768, 15, -1),
            (-16384, 15, -1),
            (-16383, 15, 0),
            (16383, 15, 0),
            (16384, 15, 1),
            (INT32_MAX, 31, 1),
            (INT32_MIN, 31, -1),
        ],
    )
    def test_by_hand(self, x: int, exponent: int, expected: int) -> None:
        assert rounding_divide_by_pot(np.int64(x), exponent) == expected

    def test_an_exponent_for_each_element(self) -> None:
        x = np.array([5, 5, -6])
        assert rounding_divide_by_pot(x, np.array([0, 1, 2])).tolist() == [5, 3, -2]


class TestSaturatingRoundingDoublingHighMul:
    @pytest.mark.parametrize(
        ("a", "b", "bits", "expected"),
        [
            (16384, 16384, 16, 8192),  # 1/2 * 1/2
            (-16384, 16384, 16, -8192),
            (-32768, -32768, 16, 32767),  # min * min, the one that overflows
            (INT32_MIN, INT32_MIN, 32, INT32_MAX),
            (-32768, 32767, 16, -32767),
            (1, 16384, 16, 1),  # 0.5: halves go up ...
            (-1, 16384, 16, 0),  # ... from -0.5 as well,
            (3, 16384, 16, 2),
            (-3, 16384, 16, -1),  # -1.5
            (3, 2**30, 32, 2),
            (-3, 2**30, 32, -1),
            (-3, 2**30 + 1, 32, -2),  # a little beyond -1.5
            (1, 16383, 16, 0),
            (-1, 16385, 16, -1),
            (0, -32768, 16, 0),
        ],
    )
    def test_by_hand(self, a: int, b: int, bits: int, expected: int) -> None:
        assert saturating_rounding_doubling_high_mul(np.int64(a), b, bits) == expected

    def test_is_gemmlowp_s_nudge_and_truncation(self) -> None:
        """fixedpoint.h adds 2^14, or 1 - 2^14 to a negative product, and divides toward zero."""
        a, b = np.meshgrid(np.arange(-32768, 32768, 251), np.arange(-32768, 32768, 509))
        product = a * b
        nudged = product + np.where(product >= 0, 2**14, 1 - 2**14)
        expected = np.sign(nudged) * (np.abs(nudged) // 2**15)
        expected[(a == -32768) & (b == -32768)] = 32767
        np.testing.assert_array_equal(saturating_rounding_doubling_high_mul(a, b, 16), expected)


class TestQuantizeMultiplier:
    @pytest.mark.parametrize(
        ("real", "expected"),
        [
            (1.0, (2**30, 1)),
            (0.5, (2**30, 0)),
            (0.75, (3 * 2**29, 0)),
            (2.0**-23, (2**30, -22)),  # 2^-30 to a scale of 1/128
            (3.0, (3 * 2**29, 2)),
            (0.0, (0, 0)),
            (2.0**-32, (2**30, -31)),
            (2.0**-33, (0, 0)),  # below a shift of -31 everything is 0
            (1 - 2.0**-33, (2**30, 1)),  # rounds up to 2^31, which does not fit
            (0.5 + 2.0**-32, (2**30 + 1, 0)),  # half a step: up
        ],
    )
    def test_by_hand(self, real: float, expected: tuple[int, int]) -> None:
        assert quantize_multiplier(real) == expected


class TestMultiplyByQuantizedMultiplier:
    @pytest.mark.parametrize(
        ("x", "real", "expected"),
        [
            (100, 1.0, 100),
            (-100, 1.0, -100),
            (100, 3.0, 300),
            (100, 0.75, 75),
            (3, 0.5, 2),  # 1.5 rounds in the multiplication: up
            (-3, 0.5, -1),
            (6, 0.25, 2),  # 1.5 rounds in the shift: away from zero
            (-6, 0.25, -2),
            (5, 0.09375, 1),  # 0.47, by two roundings: 5 * 3/4 -> 4, 4 / 8 -> 1
            (-3, 0.125, 0),  # -1.5 -> -1, -0.25 -> 0
            (INT32_MAX, 1.0, -1),  # the left shift wraps: 2 (2^31 - 1) is -2 in int32
            (2**30, 2.0, 0),
        ],
    )
    def test_by_hand(self, x: int, real: float, expected: int) -> None:
        assert multiply_by_quantized_multiplier(np.int64(x), *quantize_multiplier(real)) == expected

    def test_a_multiplier_for_each_element(self) -> None:
        multiplier, shift = np.array([quantize_multiplier(real) for real in (1.0, 3.0, 0.25)]).T
        result = multiply_by_quantized_multiplier(np.array([[7, 7, 7]]), multiplier, shift)
        assert result.tolist() == [[7, 21, 2]]


def test_wrap32() -> None:
    x = np.array([INT32_MAX, INT32_MAX + 1, INT32_MIN - 1, 2**32, -7])
    assert wrap32(x).tolist() == [INT32_MAX, INT32_MIN, INT32_MAX, 0, -7]


class TestLogistic:
    """Q3.12 -> Q0.15. The bounds are gemmlowp's own error, seen over all 65536 inputs, rounded up."""

    def test_special_values(self) -> None:
        assert logistic(np.array([0])).item() == 16384
        low, high = logistic(np.array([-32768, 32767])).tolist()
        assert low == pytest.approx(32768 / (1 + math.exp(8)), abs=2)
        assert high + low == 32767  # the negative half is 32767 - the positive one
        assert logistic_table().max() < 32767

    def test_is_close_to_the_function(self) -> None:
        a = np.arange(-32768, 32768)
        np.testing.assert_allclose(logistic(a), 2**15 / (1 + np.exp(-a / 2**12)), atol=12)

    def test_a_value_and_its_negative_add_up_to_32767(self) -> None:
        a = np.arange(1, 32768)
        np.testing.assert_array_equal(logistic(a) + logistic(-a), np.full(a.size, 32767))


class TestTanh:
    @pytest.mark.parametrize("integer_bits", range(7))
    def test_is_close_to_the_function(self, integer_bits: int) -> None:
        a = np.arange(-32768, 32768)
        expected = 2**15 * np.tanh(a / 2.0 ** (15 - integer_bits))
        np.testing.assert_allclose(tanh(a, integer_bits), expected, atol=20)

    @pytest.mark.parametrize("integer_bits", range(7))
    def test_is_odd_and_0_at_0(self, integer_bits: int) -> None:
        a = np.arange(0, 32768)
        result = tanh(a, integer_bits)
        assert result[0] == 0
        np.testing.assert_array_equal(tanh(-a, integer_bits), -result)

    def test_the_lowest_integer(self) -> None:
        """-32768 has no positive twin: in Q3.12 it is -8, tanh(-8) = -1 + 2e-7; in Q0.15 it is -1."""
        assert tanh(np.array([-32768]), 3).item() == -32767
        assert tanh(np.array([-32768]), 0).item() == pytest.approx(-math.tanh(1) * 2**15, abs=20)


def test_the_tables_hold_the_functions() -> None:
    every = np.arange(-32768, 32768)
    np.testing.assert_array_equal(logistic_table(), logistic(every))
    assert tanh_tables().shape == (7, 65536)
    for bits in range(7):
        np.testing.assert_array_equal(tanh_tables()[bits], tanh(every, bits))
