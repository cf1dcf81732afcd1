"""The int16 kernels of the attention block, to the last bit, each with the gradient of the exact operation.

Values are real numbers on the int16 grid of their scale, zero point 0. Sums of products are exact: they stay
below 2^53, and are taken in float64. The kernels are those of TensorFlow 2.21's lite/kernels as LiteRT runs
them on x86-64: batch_matmul.cc, fully_connected.cc, add.cc, activations.cc, and what they call in
internal/reference.
"""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.quantization.integer_ops import multiply, quantize_multiplier_float64, rounding_shift
from models.quantization.number_formats import INT16_MAX, INT16_MIN

ADD_LEFT_SHIFT = 15
"""Bits by which ADD shifts its int16 inputs up before it brings them to one scale."""

SIGMOID_STEPS = 24
"""Entries of the sigmoid's table from x to x + 1; tanh is read from it at 2 x."""


def integers(x: tf.Tensor, scale: float | tf.Tensor) -> tf.Tensor:
    """The int16 (or int8) numbers of values that lie on a grid: float64, exact."""
    return tf.round(tf.cast(x, tf.float64) / tf.cast(scale, tf.float64))


def batch_matmul_int16(exact: tf.Tensor, sums: tf.Tensor, factor: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """BATCH_MATMUL's last step: ``sums * factor`` by a multiplier of 16 bits.

    Args:
        exact: the real result, float32, whose gradient is passed on.
        sums: of products of integers, float64, of the same shape.
        factor: scale of the first input * scale of the second / scale of the output, float64, a scalar.
        scale: of the output.
    """
    multiplier, shift = quantize_multiplier_float64(factor)
    halfway = tf.bitwise.right_shift(multiplier, 1) + (1 << 14)  # without overflow: (m + 2^15) >> 16
    short = tf.where(multiplier < 0x7FFF0000, tf.bitwise.right_shift(halfway, 15), 0x7FFF)
    product = tf.cast(sums, tf.int64) * tf.cast(short, tf.int64)
    return _with_gradient(exact, _shift_halves_up(product, 15 - shift), scale)


def fully_connected_int16(
    exact: tf.Tensor, sums: tf.Tensor, factor: tf.Tensor, scale: tf.Tensor
) -> tf.Tensor:
    """FULLY_CONNECTED's last step: the same by a multiplier of 31 bits, in one rounding.

    So the kernel that sums in int64 does it: where the op has an int64 bias, or names that type for it
    (``quantized_bias_type``). Otherwise ruy sums in int32 and on x86-64 rounds twice: one value in some
    hundreds is a step higher.

    Args:
        factor: a scalar or one for each channel (last axis); the rest as for ``batch_matmul_int16``.
    """
    multiplier, shift = quantize_multiplier_float64(factor)
    product = tf.cast(sums, tf.int64) * tf.cast(multiplier, tf.int64)
    return _with_gradient(exact, _shift_halves_up(product, 31 - shift), scale)


def _shift_halves_up(x: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    """``x / 2^bits`` to the nearest, halves up: int64."""
    bits = tf.cast(bits, tf.int64)
    half = tf.where(bits > 0, tf.bitwise.left_shift(tf.ones_like(bits), tf.maximum(bits - 1, 0)), 0)
    return tf.bitwise.right_shift(x + half, bits)


def add_int16(
    a: tf.Tensor, a_scale: tf.Tensor, b: tf.Tensor, b_scale: tf.Tensor, scale: tf.Tensor
) -> tf.Tensor:
    """ADD: both inputs to twice the coarser scale, their sum to the output's."""
    a_scale, b_scale, wide_scale = (tf.cast(one, tf.float64) for one in (a_scale, b_scale, scale))
    twice = 2.0 * tf.maximum(a_scale, b_scale)
    total = tf.constant(0)
    for x, x_scale in ((a, a_scale), (b, b_scale)):
        q = tf.cast(integers(x, x_scale), tf.int32) * (1 << ADD_LEFT_SHIFT)
        total += multiply(q, *quantize_multiplier_float64(x_scale / twice))
    factor = twice / ((1 << ADD_LEFT_SHIFT) * wide_scale)
    return _with_gradient(a + b, multiply(total, *quantize_multiplier_float64(factor)), scale)


def tanh_int16(x: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """TANH to 1/32768: a table of the sigmoid, interpolated, ``tanh(x) = 2 sigmoid(2 x) - 1``."""
    # To a grid of 256 places from entry to entry: 2 x in units of 1 / (24 * 256).
    factor = tf.cast(scale, tf.float64) * (2.0 * SIGMOID_STEPS * 256.0)
    up = tf.zeros([], tf.int64)  # the factor is an integer of 15 bits, the rest a shift
    for _ in range(31):
        grows = factor <= INT16_MAX / 2.0
        factor, up = tf.where(grows, 2.0 * factor, factor), up + tf.cast(grows, tf.int64)
    place = tf.cast(integers(x, scale), tf.int64) * tf.cast(factor, tf.int64)
    place = tf.cast(_shift_halves_up(place, up), tf.int32)
    size = tf.abs(place)
    entry = tf.bitwise.right_shift(size, 8)
    table = sigmoid_table()
    low = tf.gather(tf.constant(table[:-1]), tf.minimum(entry, 254))
    rise = tf.gather(tf.constant(np.diff(table)), tf.minimum(entry, 254))
    found = tf.bitwise.left_shift(low, 8) + tf.bitwise.bitwise_and(size, 255) * rise  # sigmoid, Q8.24
    found = tf.where(entry >= 255, 0xFFFF << 8, found)
    # 2 sigmoid - 1 from 2^-24 to 2^-15: minus 1/2, then eight bits down instead of nine.
    half, one_step = 1 << 23, 1 << 8
    above, below = found - half + one_step // 2, half - found + one_step // 2 - 1
    return _with_gradient(tf.tanh(x), tf.bitwise.right_shift(tf.where(place >= 0, above, below), 8), 2.0**-15)


def narrow_to_int8(x: tf.Tensor) -> tf.Tensor:
    """QUANTIZE from 1/32768 to 1/128: by 256, in two roundings."""
    q = tf.cast(integers(x, 2.0**-15), tf.int32)
    halved = tf.bitwise.right_shift(q + 1, 1)
    narrow = tf.clip_by_value(rounding_shift(halved, tf.constant(7)), -128, 127)
    return x + tf.stop_gradient(tf.cast(narrow, tf.float32) / 128.0 - x)


@functools.cache
def sigmoid_table() -> NDArray[np.int32]:
    """sigmoid(i / 24) for i from 0 to 255, as numbers of 2^-16: [256]. sigmoid_table_uint16 of common.h.

    Between two entries the sigmoid lies above the line that joins them; each entry is moved up by half of
    what the line misses mid-way. The last stands for everything beyond, and is the largest of 16 bits.
    """

    def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1.0 / (1.0 + np.exp(-x))

    ends = np.arange(257) / SIGMOID_STEPS
    exact = sigmoid(ends) * 2.0**16
    missed = sigmoid(ends[:-1] + 0.5 / SIGMOID_STEPS) * 2.0**16 - (exact[:-1] + exact[1:]) / 2
    table: NDArray[np.int32] = np.floor(exact[:-1] + missed / 2 + 0.5).astype(np.int32)
    table[-1] = 65535
    return table


def _with_gradient(exact: tf.Tensor, q: tf.Tensor, scale: float | tf.Tensor) -> tf.Tensor:
    """The numbers q as real values; the gradient is that of the exact ones where q did not saturate."""
    inside = tf.cast((q >= INT16_MIN) & (q <= INT16_MAX), tf.float32)
    clipped = tf.cast(tf.clip_by_value(q, INT16_MIN, INT16_MAX), tf.float32)
    passed = exact * inside
    return passed + tf.stop_gradient(clipped * scale - passed)
