"""int8 ops beside FULLY_CONNECTED, to the last bit, with the exact result's gradient.

A BATCH_MATMUL with an axis of heads runs in TFLite's own kernel, which XNNPACK leaves to it
(reference/batch_matmul.h, TensorFlow 2.21): int32 sums, scaled by a multiplier of 31 bits in two roundings,
halves up, then away from zero. A QUANTIZE from int8 to int8 runs in XNNPACK's (qs8-vcvt), whose multiplier
has 8 bits behind the point.
"""

from __future__ import annotations

import tensorflow as tf

from models.quantization.fake_quant import affine_parameters
from models.quantization.integer_ops import multiply, quantize_multiplier_float64
from models.quantization.number_formats import HIDDEN_RANGE, INT8_MAX, INT8_MIN, affine_format


def batch_matmul_int8(
    exact: tf.Tensor,
    sums: tf.Tensor,
    a_scale: tf.Tensor,
    b_scale: tf.Tensor,
    minimum: tf.Tensor,
    maximum: tf.Tensor,
) -> tf.Tensor:
    """The product in the int8 format of a range.

    Args:
        exact: the real result, float32, whose gradient is passed on where it does not saturate.
        sums: of products of the factors' integers less their zero points, float64, of the same shape.
        a_scale, b_scale: of the factors.
        minimum, maximum: of the output's range.
    """
    scale, zero_point = affine_parameters(minimum, maximum)
    product = tf.cast(a_scale, tf.float64) * tf.cast(b_scale, tf.float64)
    factor = quantize_multiplier_float64(product / tf.cast(scale, tf.float64))
    scaled = multiply(tf.cast(sums, tf.int32), *factor)
    return _real(exact, scaled, scale, zero_point)


def requantize_hidden(hidden: tf.Tensor, minimum: tf.Tensor, maximum: tf.Tensor) -> tf.Tensor:
    """Hidden states, which have scale 1/128 and zero point 0, in the int8 format of a range.

    ``(256 s_hidden / s, rounded) * q``, shifted by 8 bits, halves up.
    """
    scale, zero_point = affine_parameters(minimum, maximum)
    before = affine_format(HIDDEN_RANGE).scale
    multiplier = tf.cast(tf.round(256.0 * (before / scale)), tf.int32)
    q = tf.cast(tf.round(hidden / before), tf.int32)
    return _real(hidden, tf.bitwise.right_shift(q * multiplier + 128, 8), scale, zero_point)


def _real(exact: tf.Tensor, scaled: tf.Tensor, scale: tf.Tensor, zero_point: tf.Tensor) -> tf.Tensor:
    """Integers less their zero point as real values; the gradient is that of the exact ones."""
    q = tf.cast(scaled, tf.float32) + zero_point
    clipped = tf.clip_by_value(q, INT8_MIN, INT8_MAX)
    passed = exact * tf.cast(tf.equal(q, clipped), tf.float32)
    return passed + tf.stop_gradient(scale * (clipped - zero_point) - passed)
