"""TFLite's integer arithmetic in TensorFlow; ``fixed_point`` is its NumPy twin and its test."""

from __future__ import annotations

import tensorflow as tf

from models.quantization.number_formats import INT16_MAX, INT16_MIN


def rounding_shift(x: tf.Tensor, exponent: tf.Tensor) -> tf.Tensor:
    """RoundingDivideByPOT in the type of x."""
    exponent = tf.cast(exponent, x.dtype)
    mask = tf.bitwise.left_shift(tf.ones_like(exponent), exponent) - 1
    remainder = tf.bitwise.bitwise_and(x, mask)
    threshold = tf.bitwise.right_shift(mask, tf.ones_like(mask)) + tf.cast(x < 0, x.dtype)
    return tf.bitwise.right_shift(x, exponent) + tf.cast(remainder > threshold, x.dtype)


def quantize_multiplier(real: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """QuantizeMultiplier of positive float32 values: mantissa and exponent are read off their bits."""
    bits = tf.bitcast(real, tf.int32)
    shift = tf.bitwise.right_shift(bits, 23) - 126
    mantissa = tf.bitwise.bitwise_or(tf.bitwise.bitwise_and(bits, 0x7FFFFF), 0x800000)  # 24 bits
    return tf.bitwise.left_shift(mantissa, 7), shift


def quantize_multiplier_float64(real: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """QuantizeMultiplier of a positive float64 value."""
    bits = tf.bitcast(real, tf.int64)
    shift = tf.cast(tf.bitwise.right_shift(bits, tf.constant(52, tf.int64)), tf.int32) - 1022
    mantissa = tf.round(real * tf.pow(tf.constant(2.0, tf.float64), tf.cast(31 - shift, tf.float64)))
    overflow = mantissa >= 2.0**31
    mantissa = tf.where(overflow, mantissa / 2.0, mantissa)
    return tf.cast(mantissa, tf.int32), shift + tf.cast(overflow, tf.int32)


def multiply(x: tf.Tensor, multiplier: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """MultiplyByQuantizedMultiplier of int32 values: int32."""
    shifted = tf.bitwise.left_shift(x, tf.maximum(shift, 0))
    product = tf.cast(shifted, tf.int64) * tf.cast(multiplier, tf.int64)
    high = tf.bitwise.right_shift(product + (1 << 30), 31)  # halves up
    return rounding_shift(tf.cast(high, tf.int32), tf.maximum(-shift, 0))


def saturate16(x: tf.Tensor) -> tf.Tensor:
    """To the bounds of int16."""
    return tf.clip_by_value(x, INT16_MIN, INT16_MAX)


def integer_matmul(x: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The exact product of int8 values and weights held in float32, as int32."""
    exact_in = tf.float32 if weights.shape[0] * 128 * 127 < 2**24 else tf.float64
    return tf.cast(tf.matmul(tf.cast(x, exact_in), tf.cast(weights, exact_in)), tf.int32)
