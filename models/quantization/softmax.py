"""The int16 SOFTMAX kernel, to the last bit, with the exact softmax's gradient.

Per row, from int16 scores q with scale s (tensorflow/lite/kernels/internal/reference/softmax.h,
SoftmaxInt16; tables as LUTPopulate of kernels/internal/common.h makes them; TensorFlow 2.21)::

    d_t = M(q_t - max q) with the multiplier s / (10 / 65535)    -65535..0 stands for -10..0
    e_t = exp table at d_t + 32767                               Q0.15; what lies below -10 counts as -10
    r   = 1 / (1 + x) table at x = sum of e / 2^k - 1 in [0, 1)  Q0.15
    w_t = (e_t r + 2^(14 + k)) >> (15 + k)                       Q0.15
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.quantization.integer_ops import multiply, quantize_multiplier_float64
from models.quantization.number_formats import INT16_MAX, INT16_MIN

EXPONENT_SPAN = 10.0
"""The exp table covers [-10, 0]."""

_SEGMENTS = 512


def softmax_int16(scores: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """The int16 kernel's softmax over the last axis.

    Args:
        scores: [..., time], values on the int16 grid of ``scale``.
        scale: of the scores, a scalar; zero point 0.

    Returns:
        [..., time], multiples of 1/32768. The gradient is that of the exact softmax.
    """
    exact = tf.nn.softmax(scores)
    return exact + tf.stop_gradient(_kernel(tf.stop_gradient(scores), tf.stop_gradient(scale)) - exact)


def _kernel(scores: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    q = tf.cast(tf.round(scores / scale), tf.int32)
    multiplier = quantize_multiplier_float64(tf.cast(scale, tf.float64) / (EXPONENT_SPAN / 65535.0))
    difference = multiply(q - tf.reduce_max(q, axis=-1, keepdims=True), *multiplier)
    powers = _look_up(exp_table(), tf.clip_by_value(difference + INT16_MAX, INT16_MIN, INT16_MAX))
    total = tf.reduce_sum(powers, axis=-1, keepdims=True)  # Q16.15
    above = tf.zeros_like(total)  # k: how many powers of two the sum lies above 1
    for bit in range(16, 31):
        above += tf.cast(total >= (1 << bit), tf.int32)
    # The sum over its power of two, as x - 1 in 16 bits, around the middle of the table.
    normal = tf.bitwise.left_shift(tf.cast(total, tf.int64), tf.cast(15 - above, tf.int64))
    normal = tf.cast(tf.bitwise.right_shift(normal + (1 << 13), tf.constant(14, tf.int64)), tf.int32)
    x = tf.clip_by_value(normal - (1 << 15) - (1 << 16), INT16_MIN, INT16_MAX)
    reciprocal = _look_up(reciprocal_table(), x)
    shift = tf.cast(above + 15, tf.int64)
    half = tf.bitwise.left_shift(tf.ones_like(shift), shift - 1)
    product = tf.cast(powers, tf.int64) * tf.cast(reciprocal, tf.int64)
    weights = tf.clip_by_value(tf.bitwise.right_shift(product + half, shift), 0, INT16_MAX)
    return tf.cast(weights, tf.float32) / 32768.0


def _look_up(table: NDArray[np.int32], place: tf.Tensor) -> tf.Tensor:
    """LUTLookup: 128 int16 values between two entries, interpolated and rounded."""
    low = tf.bitwise.right_shift(place, 7) + _SEGMENTS // 2
    offset = tf.bitwise.bitwise_and(place, 127)
    entries, slopes = tf.constant(table[:-1]), tf.constant(np.diff(table))
    rise = tf.gather(slopes, low) * offset + 64
    return tf.gather(entries, low) + tf.bitwise.right_shift(rise, 7)


@functools.cache
def exp_table() -> NDArray[np.int32]:
    """exp on [-10, 0]: [513] Q0.15."""
    return _table(np.exp, -EXPONENT_SPAN, 0.0)


@functools.cache
def reciprocal_table() -> NDArray[np.int32]:
    """1 / (1 + x) on [0, 1]: [513] Q0.15."""
    return _table(lambda x: 1.0 / (1.0 + x), 0.0, 1.0)


def _table(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], low: float, high: float
) -> NDArray[np.int32]:
    """Entries at the ends of 512 segments, each moved by half of what interpolation misses mid-way."""
    step = (high - low) / _SEGMENTS
    ends = low + step * np.arange(_SEGMENTS + 1, dtype=np.float64)
    exact = function(ends) * 2.0**15
    middle = _round(function(ends[:-1] + step / 2) * 2.0**15)
    interpolated = _round((exact[1:] + _round(exact[:-1])) / 2)
    table = _round(exact)
    table[:-1] -= _round((interpolated - middle) / 2)
    return np.clip(table, INT16_MIN, INT16_MAX).astype(np.int32)


def _round(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Halves away from zero, as C's round."""
    rounded: NDArray[np.float64] = np.trunc(x + np.copysign(0.5, x))
    return rounded
