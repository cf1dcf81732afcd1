"""The int16 kernels of the attention block, to the last bit, each with the gradient of the exact operation.

Values are real numbers on the int16 grid of their scale, zero point 0. Sums of products are exact: they stay
below 2^53, and are taken in float64. Facts from TensorFlow 2.21: lite/kernels/internal/common.cc
(MultiplyByQuantizedMultiplier for 64-bit sums), reference/integer_ops/{fully_connected,tanh}.h,
reference/batch_matmul.h, reference/add.h, kernels/add.cc, kernels/activations.cc.
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

TANH_STEPS_PER_UNIT = 48
"""Entries of the tanh table for x to x + 1: the sigmoid's table of 24 entries to 1, read at 2 x."""


def integers(x: tf.Tensor, scale: float | tf.Tensor) -> tf.Tensor:
    """The int16 (or int8) numbers of values that lie on a grid: float64, exact."""
    return tf.round(tf.cast(x, tf.float64) / tf.cast(scale, tf.float64))


def requantize(exact: tf.Tensor, sums: tf.Tensor, factor: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """Sums of products in the output's scale: ``sums * factor``, by a multiplier of 16 bits.

    Args:
        exact: the real result, float32, whose gradient is passed on.
        sums: integers, float64, of the same shape.
        factor: float64, input scale * other scale / output scale; a scalar or one a channel (last axis).
        scale: of the output.
    """
    multiplier, shift = quantize_multiplier_float64(factor)
    halfway = tf.bitwise.right_shift(multiplier, 1) + (1 << 14)  # without overflow: (m + 2^15) >> 16
    short = tf.where(multiplier < 0x7FFF0000, tf.bitwise.right_shift(halfway, 15), 0x7FFF)
    down = tf.cast(15 - shift, tf.int64)
    product = tf.cast(sums, tf.int64) * tf.cast(short, tf.int64)
    half = tf.bitwise.left_shift(tf.ones_like(down), down - 1)
    return _with_gradient(exact, tf.bitwise.right_shift(product + half, down), scale)


def requantize_int32(exact: tf.Tensor, sums: tf.Tensor, factor: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """The same where the kernel sums in int32: by a multiplier of 31 bits, in two roundings."""
    rounded = multiply(tf.cast(sums, tf.int32), *quantize_multiplier_float64(factor))
    return _with_gradient(exact, rounded, scale)


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
    factor = tf.cast(scale, tf.float64) * 4096.0 * 3.0  # to a grid of 1 / (3 * 4096)
    up = tf.zeros([], tf.int32)
    for _ in range(31):
        grows = factor <= 32767.0 / 2.0
        factor, up = tf.where(grows, 2.0 * factor, factor), up + tf.cast(grows, tf.int32)
    multiplier, wide_up = tf.cast(factor, tf.int64), tf.cast(up, tf.int64)
    half = tf.where(wide_up > 0, tf.bitwise.left_shift(tf.ones_like(wide_up), tf.maximum(wide_up - 1, 0)), 0)
    place = tf.cast(integers(x, scale), tf.int64) * multiplier + half
    place = tf.cast(tf.bitwise.right_shift(place, wide_up), tf.int32)
    size = tf.abs(place)
    entry = tf.bitwise.right_shift(size, 8)
    table = sigmoid_table()
    low = tf.gather(tf.constant(table[:-1]), tf.minimum(entry, 254))
    rise = tf.gather(tf.constant(np.diff(table)), tf.minimum(entry, 254))
    found = tf.bitwise.left_shift(low, 8) + tf.bitwise.bitwise_and(size, 255) * rise
    found = tf.where(entry >= 255, 0xFFFF << 8, found)
    above, below = found - (1 << 23) + (1 << 7), -found + (1 << 23) + (1 << 7) - 1
    return _with_gradient(tf.tanh(x), tf.bitwise.right_shift(tf.where(place >= 0, above, below), 8), 2.0**-15)


def narrow_to_int8(x: tf.Tensor) -> tf.Tensor:
    """QUANTIZE from 1/32768 to 1/128: by 256, in two roundings."""
    q = tf.cast(integers(x, 2.0**-15), tf.int32)
    halved = tf.bitwise.right_shift(q + 1, 1)
    narrow = tf.clip_by_value(rounding_shift(halved, tf.constant(7)), -128, 127)
    return x + tf.stop_gradient(tf.cast(narrow, tf.float32) / 128.0 - x)


@functools.cache
def sigmoid_table() -> NDArray[np.int32]:
    """sigmoid(i / 24) for i from 0 to 255: [256] uint16 numbers of 2^-16."""
    exact = 1.0 / (1.0 + np.exp(-np.arange(256) / 24.0))
    return np.minimum(np.floor(exact * 2.0**16 + 0.5), 65535).astype(np.int32)


def _with_gradient(exact: tf.Tensor, q: tf.Tensor, scale: float | tf.Tensor) -> tf.Tensor:
    """The numbers q as real values; the gradient is that of the exact ones where q did not saturate."""
    inside = tf.cast((q >= INT16_MIN) & (q <= INT16_MAX), tf.float32)
    clipped = tf.cast(tf.clip_by_value(q, INT16_MIN, INT16_MAX), tf.float32)
    passed = exact * inside
    return passed + tf.stop_gradient(clipped * scale - passed)
