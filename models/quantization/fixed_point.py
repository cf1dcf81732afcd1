"""The fixed-point arithmetic of TFLite's integer kernels, to the last bit. NumPy only.

Facts from gemmlowp's fixedpoint/fixedpoint.h and TensorFlow 2.21's
lite/kernels/internal/common.cc. A value in Qm.n is an integer q that stands
for q / 2^n, with m integer bits, n fraction bits and a sign: m + n = 15 in
int16. All functions work on int32 or int64 arrays that hold such integers.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

CELL_INTEGER_BITS = range(7)
"""Integer bits of a cell state for which the kernel has a tanh: its scale is 2^-15 to 2^-9.

Outside, the kernel computes nothing and says nothing
(kernels/internal/reference/portable_tensor_utils.cc, PortableApplyTanh).
"""


def wrap32(x: IntArray) -> IntArray:
    """The value of x in an int32 accumulator: the low 32 bits."""
    return x.astype(np.int32).astype(np.int64)


def rounding_divide_by_pot(x: IntArray, exponent: int | IntArray) -> IntArray:
    """``x / 2^exponent``, to the nearest, halves away from zero. RoundingDivideByPOT."""
    mask = (np.int64(1) << np.asarray(exponent, np.int64)) - 1
    return (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0))


def saturating_rounding_doubling_high_mul(a: IntArray, b: int | IntArray, bits: int) -> IntArray:
    """``a * b / 2^(bits - 1)``, to the nearest, halves up, for operands of 16 or 32 bits. VQRDMULH.

    gemmlowp writes it with a nudge of 2^(bits - 2), or 1 - 2^(bits - 2) for a
    negative product, and a division that truncates: that is floor(x + 1/2). The
    one product that overflows, min * min, gives max.
    """
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    divided: IntArray = (product + (1 << (bits - 2))) >> (bits - 1)
    return divided.clip(max=(1 << (bits - 1)) - 1)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """A positive real as ``multiplier * 2^(shift - 31)``, multiplier in [2^30, 2^31). QuantizeMultiplier."""
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def multiply_by_quantized_multiplier(
    x: IntArray, multiplier: int | IntArray, shift: int | IntArray
) -> IntArray:
    """``x * multiplier * 2^(shift - 31)`` with two roundings: MultiplyByQuantizedMultiplier as it is built.

    A left shift comes first, in int32: what does not fit wraps, as in the kernel.

    Args:
        x: int32 values; multiplier, shift: from ``quantize_multiplier``, scalars or broadcastable arrays.
    """
    left, right = np.maximum(shift, 0), np.maximum(np.negative(shift), 0)
    if np.any(left):
        x = wrap32(np.asarray(x, np.int64) << left)
    return rounding_divide_by_pot(saturating_rounding_doubling_high_mul(x, multiplier, bits=32), right)


def _mul16(a: IntArray, b: int | IntArray) -> IntArray:
    """Product of two int16 fixed-point values; their integer bits add up."""
    return saturating_rounding_doubling_high_mul(a, b, bits=16)


def _shift_left_saturating(x: IntArray, exponent: int) -> IntArray:
    """``x * 2^exponent`` within int16."""
    return np.clip(x << exponent, -32768, 32767)


def _constant(real: float) -> int:
    """A real constant as gemmlowp stores it: rounded to Q0.31, then to Q0.15."""
    return int(rounding_divide_by_pot(np.array(round(real * 2.0**31)), 16))


def _exp_between_minus_quarter_and_0(a: IntArray) -> IntArray:
    """exp(a) for a in [-1/4, 0), Q0.15: the Taylor series around -1/8 up to the fourth power."""
    third = _constant(1 / 3)
    at_eighth = _constant(math.exp(-1 / 8))
    x = a + (1 << 12)  # distance from -1/8
    x2 = _mul16(x, x)
    x3, x4 = _mul16(x2, x), _mul16(x2, x2)
    tail = rounding_divide_by_pot(_mul16(rounding_divide_by_pot(x4, 2) + x3, third) + x2, 1)
    return np.clip(at_eighth + _mul16(x + tail, at_eighth), -32768, 32767)


def _exp_of_negative(a: IntArray, integer_bits: int) -> IntArray:
    """exp(a) for a <= 0 in Q(integer_bits), as Q0.15: a remainder in [-1/4, 0), times a factor per bit."""
    fraction_bits = 15 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    remainder = (a & (quarter - 1)) - quarter
    result = _exp_between_minus_quarter_and_0(_shift_left_saturating(remainder, integer_bits))
    bits = remainder - a
    for exponent in range(-2, min(integer_bits, 5)):
        factor = _constant(math.exp(-(2.0**exponent)))
        result = np.where(bits & (1 << (fraction_bits + exponent)), _mul16(result, factor), result)
    if integer_bits > 5:  # below -32 a bit is set that has no factor
        result = np.where(a < -(32 << fraction_bits), 0, result)
    return np.where(a == 0, 32767, result)


def _reciprocal_of_half_sum(x: IntArray) -> IntArray:
    """``2 / (1 + x)`` for x in (0, 1), Q0.15 -> Q2.13: three Newton-Raphson steps from 48/17 - 32/17 d."""
    d = (x + 32767 + 1) >> 1  # RoundingHalfSum
    y = _constant(48 / 17 / 4) + _mul16(d, _constant(-32 / 17 / 4))  # Q2.13: a quarter, in Q0.15
    for _ in range(3):
        y = y + _shift_left_saturating(_mul16(y, (1 << 13) - _mul16(d, y)), 2)
    return y


def logistic(a: IntArray) -> IntArray:
    """``1 / (1 + exp(-a))``: gate input in Q3.12 -> Q0.15. gemmlowp logistic."""
    a = np.asarray(a, np.int64)
    positive = _shift_left_saturating(_reciprocal_of_half_sum(_exp_of_negative(-np.abs(a), 3)), 1)
    return np.where(a == 0, 1 << 14, np.where(a > 0, positive, 32767 - positive))


def tanh(a: IntArray, integer_bits: int) -> IntArray:
    """tanh(a): Q(integer_bits) -> Q0.15. gemmlowp tanh, by (1 - exp(-2a)) / (1 + exp(-2a))."""
    a = np.asarray(a, np.int64)
    # -2|a|: the same integer, read with one integer bit more.
    reciprocal = _reciprocal_of_half_sum(_exp_of_negative(-np.abs(a), integer_bits + 1))
    magnitude = _shift_left_saturating(reciprocal - (1 << 13), 2)
    return np.where(a == 0, 0, np.sign(a) * magnitude)


@functools.cache
def logistic_table() -> NDArray[np.int32]:
    """``logistic`` of every int16 gate input: entry [a + 32768]."""
    return logistic(np.arange(-32768, 32768)).astype(np.int32)


@functools.cache
def tanh_tables() -> NDArray[np.int32]:
    """``tanh`` of every int16 by the integer bits of its format: entry [integer_bits, a + 32768]."""
    every = np.arange(-32768, 32768)
    return np.stack([tanh(every, bits) for bits in CELL_INTEGER_BITS]).astype(np.int32)
