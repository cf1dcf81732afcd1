import math

import numpy as np
import pytest

from models.quantization.number_formats import (
    CELL_EXPONENTS,
    HIDDEN_RANGE,
    SOFTMAX_RANGE,
    AffineFormat,
    Range,
    affine_format,
    cell_exponent,
    round_half_away,
)


@pytest.mark.parametrize(
    ("value_range", "expected"),
    [
        (HIDDEN_RANGE, AffineFormat(1 / 128, 0)),
        (SOFTMAX_RANGE, AffineFormat(1 / 256, -128)),
        (Range(-10.0, 245.0), AffineFormat(1.0, -118)),
        (Range(51.0, 127.5), AffineFormat(0.5, -128)),  # widened to [0, 127.5]
        (Range(-127.5, -51.0), AffineFormat(0.5, 127)),  # widened to [-127.5, 0]
        (Range(-25.5, 229.5), AffineFormat(1.0, -103)),  # -102.5: away from zero
        (Range(-153.5, 101.5), AffineFormat(1.0, 26)),  # 25.5: away from zero
        (Range(-127.5, 127.5), AffineFormat(1.0, -1)),  # every symmetric range: -0.5
        (Range(0.0, 0.0), AffineFormat(1.0, 0)),
    ],
)
def test_ranges_become_formats(value_range: Range, expected: AffineFormat) -> None:
    assert affine_format(value_range) == expected


def test_the_scale_is_a_float32_quotient() -> None:
    """Where float64 and float32 arithmetic differ in the last bit, the converter computes in float32."""
    low, high = np.float32(-2.77), np.float32(8.15)
    in_float32 = float((high - low) / np.float32(255))
    assert in_float32 != float(np.float32((float(high) - float(low)) / 255))
    assert affine_format(Range(float(low), float(high))).scale == in_float32


def test_zero_is_exact_and_the_ends_are_within_a_step() -> None:
    for low, high in np.sort(np.random.default_rng(0).normal(size=(200, 2)) * 50, axis=1):
        number = affine_format(Range(low, high))
        assert -128 <= number.zero_point <= 127
        smallest = number.scale * (-128 - number.zero_point)
        largest = number.scale * (127 - number.zero_point)
        # The zero point is rounded: the ends move by half a step, and by the rounding of float32.
        assert abs(smallest - min(low, 0)) <= 0.501 * number.scale
        assert abs(largest - max(high, 0)) <= 0.501 * number.scale


@pytest.mark.parametrize(
    "ends", [(1.0, 0.0), (math.nan, 1.0), (0.0, math.nan), (0.0, math.inf), (-math.inf, 0.0)]
)
def test_a_range_without_finite_order_is_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="finite minimum <= maximum"):
        Range(*ends)


@pytest.mark.parametrize(
    ("x", "expected"),
    [(0.5, 1), (-0.5, -1), (1.5, 2), (2.5, 3), (-2.5, -3), (0.49999999999999994, 0), (-1.4, -1), (0.0, 0)],
)
def test_halves_go_away_from_zero(x: float, expected: int) -> None:
    assert round_half_away(x) == expected


@pytest.mark.parametrize(
    ("largest", "exponent"),
    [
        (0.0, -15), (0.3, -15), (1.0, -15), (1.0000001, -14), (2.0, -14), (2.0000002, -13), (-3.0, -13),
        (math.nextafter(8.0, 9.0), -11), (8.0, -12), (math.nextafter(8.0, 7.0), -12),
        (32.0, -10), (33.0, -9), (64.0, -9), (65.0, -9), (1e9, -9),
    ],
)  # fmt: skip
def test_the_cell_scale_is_the_next_power_of_two(largest: float, exponent: int) -> None:
    assert cell_exponent(largest) == exponent


def test_the_kernel_has_a_tanh_for_seven_cell_scales() -> None:
    assert list(CELL_EXPONENTS) == [-15, -14, -13, -12, -11, -10, -9]
