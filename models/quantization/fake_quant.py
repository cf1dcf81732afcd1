"""Fake quantization: round to what an integer tensor can hold, with the straight-through gradient.

Forward ``y = scale * (clip(round(x / scale) + zero_point, low, high) - zero_point)``,
backward ``dx = dy`` where x lies inside the representable range, else 0
(Bengio et al. 2013, arXiv 1308.3432; Jacob et al. 2018, arXiv 1712.05877, section 3).
"""

from __future__ import annotations

import tensorflow as tf

from models.quantization.number_formats import (
    INT8_MAX,
    INT8_MIN,
    INT16_MAX,
    INT16_MIN,
    WEIGHT_MAX,
    Range,
    affine_format,
    int16_scale,
)


def round_half_away(x: tf.Tensor) -> tf.Tensor:
    """Round to the nearest integer, halves away from zero, as the converter stores constants."""
    magnitude = tf.abs(x)
    whole = tf.floor(magnitude)  # floor(|x| + 0.5) would round the sum first, and take 0.49999997 for 1
    return tf.sign(x) * (whole + tf.cast(magnitude - whole >= 0.5, x.dtype))


def _divide(x: tf.Tensor, divisor: float) -> tf.Tensor:
    """``x / divisor`` in float32, correctly rounded.

    TensorFlow's graph optimizer and XLA turn a division by a constant into a
    product with its reciprocal, which is off in the last bit; in float64 that does
    not reach the float32 result.
    """
    return tf.cast(tf.cast(x, tf.float64) / divisor, tf.float32)


def affine_parameters(minimum: tf.Tensor, maximum: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """An int8 scale and zero point from a range, by the rule of ``number_formats.affine_format``."""
    minimum, maximum = tf.minimum(minimum, 0.0), tf.maximum(maximum, 0.0)
    scale = _divide(maximum - minimum, 255.0)
    empty = tf.equal(scale, 0.0)
    scale = tf.where(empty, tf.ones_like(scale), scale)
    zero_point = round_half_away(INT8_MIN - tf.cast(minimum, tf.float64) / tf.cast(scale, tf.float64))
    return scale, tf.where(empty, tf.zeros_like(scale), tf.cast(zero_point, tf.float32))


def quantize(x: tf.Tensor, scale: tf.Tensor, zero_point: tf.Tensor) -> tf.Tensor:
    """The int8 value of x, held in float32; halves to even.

    A product with the reciprocal, as TFLite's QUANTIZE computes it: where x lies
    between two steps, a division can round the other way.

    LiteRT's default kernels (XNNPACK: qs8 with float32 requantization) round every
    activation so: inputs, and the int32 sums of FULLY_CONNECTED and BATCH_MATMUL.
    The reference kernels round halves away from zero. It matters where halves are
    frequent, which is in the context: its sums are whole numbers of 1/256 of a step.
    """
    return tf.clip_by_value(tf.round(x * (1.0 / scale)) + zero_point, INT8_MIN, INT8_MAX)


@tf.custom_gradient
def _fake_quantize(x: tf.Tensor, scale: tf.Tensor, zero_point: tf.Tensor):  # type: ignore[no-untyped-def]
    q = tf.round(x * (1.0 / scale)) + zero_point
    inside = tf.cast((q >= INT8_MIN) & (q <= INT8_MAX), x.dtype)
    y = scale * (tf.clip_by_value(q, INT8_MIN, INT8_MAX) - zero_point)
    return y, lambda dy: (dy * inside, None, None)


def fake_quantize(x: tf.Tensor, minimum: tf.Tensor, maximum: tf.Tensor) -> tf.Tensor:
    """Activations: int8, asymmetric, per tensor, over [minimum, maximum], rounded as in ``quantize``."""
    scale, zero_point = affine_parameters(minimum, maximum)
    return _fake_quantize(x, scale, zero_point)


def symmetric_scale(minimum: tf.Tensor, maximum: tf.Tensor) -> tf.Tensor:
    """An int16 scale from an observed range: ``max|x| / 32767``; 1 where it is only 0."""
    largest = tf.maximum(tf.abs(minimum), tf.abs(maximum))
    return tf.where(largest > 0.0, _divide(largest, float(INT16_MAX)), tf.ones_like(largest))


@tf.custom_gradient
def _fake_quantize_int16(x: tf.Tensor, scale: tf.Tensor):  # type: ignore[no-untyped-def]
    q = round_half_away(x * (1.0 / scale))
    inside = tf.cast((q >= INT16_MIN) & (q <= INT16_MAX), x.dtype)
    return scale * tf.clip_by_value(q, INT16_MIN, INT16_MAX), lambda dy: (dy * inside, None)


def fake_quantize_int16(x: tf.Tensor, minimum: tf.Tensor, maximum: tf.Tensor) -> tf.Tensor:
    """Activations: int16, symmetric, per tensor, over the larger of the two bounds.

    The kernels sum exact products in int64; float32 sums are off by some 2^-24 of the largest, a
    hundredth of an int16 step, so that a value can land one step beside only at the edge of a rounding.
    """
    return _fake_quantize_int16(x, symmetric_scale(minimum, maximum))


def weight_scale(weight: tf.Tensor, axis: list[int] | None = None) -> tf.Tensor:
    """``max|w| / 127``, over all of the tensor (axis None) or over the given axes; 1 where all are 0."""
    largest = tf.reduce_max(tf.abs(weight), axis=axis, keepdims=axis is not None)
    return tf.where(largest > 0.0, _divide(largest, WEIGHT_MAX), tf.ones_like(largest))


def quantize_constant(x: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """The integer that the converter stores for a weight or bias, held in float32; zero point 0.

    A product with the float32 reciprocal, as MLIR's uniform quantizer computes
    it: a division rounds one weight in some ten thousand the other way.
    """
    return round_half_away(x * (1.0 / scale))


def fake_quantize_weight(weight: tf.Tensor, axis: list[int] | None = None) -> tf.Tensor:
    """Weights: int8, symmetric in [-127, 127]; per tensor, or per channel where ``axis`` is reduced.

    The scale follows the largest weight, so nothing is ever clipped and the gradient passes everywhere.
    """
    scale = tf.stop_gradient(weight_scale(weight, axis))
    rounded = scale * quantize_constant(weight, scale)
    return weight + tf.stop_gradient(rounded - weight)


def fake_quantize_bias(bias: tf.Tensor, input_scale: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """Biases: int32 with ``scale = input scale * weight scale``."""
    step = tf.stop_gradient(input_scale * scale)
    rounded = step * quantize_constant(bias, step)
    return bias + tf.stop_gradient(rounded - bias)


def fake_quantize_known(x: tf.Tensor, known: Range) -> tf.Tensor:
    """Activations whose range is known by construction, int8: the gradient passes everywhere.

    Such a value leaves its range by less than a step, so there is nothing a zero gradient could teach.
    """
    number = affine_format(known)
    rounded = number.scale * (quantize(x, number.scale, float(number.zero_point)) - number.zero_point)
    return x + tf.stop_gradient(rounded - x)


def fake_quantize_known_int16(x: tf.Tensor, known: Range) -> tf.Tensor:
    """The same in int16."""
    scale = int16_scale(known)
    rounded = scale * tf.clip_by_value(round_half_away(x * (1.0 / scale)), INT16_MIN, INT16_MAX)
    return x + tf.stop_gradient(rounded - x)
