"""The integers of weights, biases and other constants; rounded as TensorFlow's own quantizer rounds them.

Symmetric, zero point 0. ``q = round(w * (1 / scale))``, halves away from zero, the reciprocal and the
product in float32 (MLIR's uniform quantizer; a division rounds one weight in some ten thousand the other
way). TensorFlow 2.21; ``tests/converters/quantizer/test_against_mlir.py`` compares every constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.quantizer.formats import Format
from models.errors import ConversionError
from models.quantization.number_formats import INT8_MAX, INT8_MIN, INT16_MAX, INT16_MIN, WEIGHT_MAX

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Constant:
    """A quantized constant.

    Args:
        values: int8, int16, int32 or int64.
        scales: float32, one, or one for each channel along ``axis``.
        zero_point: 0 for weights and biases.
        axis: of the channels.
    """

    values: NDArray[Any]
    scales: Floats
    zero_point: int = 0
    axis: int = 0


def weights(values: Floats, per_channel: bool, axis: int = 0) -> Constant:
    """int8 in [-127, 127], ``scale = max|w| / 127``, of all weights or of each output channel.

    Args:
        axis: of the channels, where there is a scale for each.
    """
    magnitudes = np.abs(values)
    others = tuple(other for other in range(values.ndim) if other != axis)
    largest = magnitudes.max(others, keepdims=True) if per_channel else magnitudes.max(keepdims=True)
    scales = _scales(largest, WEIGHT_MAX)
    rounded = _round(values * (np.float32(1) / scales)).astype(np.int8)
    return Constant(rounded, np.ravel(scales), axis=axis)


def bias(values: Floats, input_scale: float, weight_scales: Floats, activations: str) -> Constant:
    """``scale = input scale * weight scale``: int32 beside int8 activations, int64 beside int16.

    int64 values can exceed what a float32 product tells apart, so theirs is a float64 one.

    Raises:
        ConversionError: a bias beyond int32.
    """
    scales = np.float32(input_scale) * weight_scales
    if activations == "int16":
        wide = _round(values.astype(np.float64) / scales.astype(np.float64))
        return Constant(wide.astype(np.int64), scales)
    rounded = _round(values * (np.float32(1) / scales)).astype(np.float64)
    if np.abs(rounded).max(initial=0) > np.iinfo(np.int32).max:
        raise ConversionError(
            f"A bias of {np.abs(values).max():g} is beyond int32 at a step of {scales.min():g}.",
            "A layer whose weights or inputs are nearly zero has so large a bias; train it further.",
        )
    return Constant(rounded.astype(np.int32), scales)


def symmetric(values: Floats, precision: str) -> Constant:
    """A factor or summand of an elementwise op: ``scale = max|x| / 127`` (int8) or ``/ 32767`` (int16).

    The largest magnitude, so every scalar, is exact up to the rounding of its scale.
    """
    largest, kind = (WEIGHT_MAX, np.int8) if precision == "int8" else (INT16_MAX, np.int16)
    scales = _scales(np.abs(values).max(keepdims=True).reshape(1), largest)
    return Constant(_round(values * (np.float32(1) / scales[0])).astype(kind), scales)


def in_format(values: Floats, number: Format) -> Constant:
    """A constant in the format of an activation; what lies outside takes the nearest end.

    So the lowest float that stands for "masked" becomes the lowest integer.
    """
    low, high, kind = (
        (INT8_MIN, INT8_MAX, np.int8) if number.precision == "int8" else (INT16_MIN, INT16_MAX, np.int16)
    )
    zero = number.zero_point
    steps = _round(np.clip(values.astype(np.float64) / number.scale, low - zero, high - zero)) + zero
    return Constant(steps.astype(kind), np.array([number.scale], np.float32), zero)


def _scales(largest: Floats, steps: int) -> Floats:
    """``largest / steps`` in float32, 1 where all values are 0."""
    scales = largest.astype(np.float32) / np.float32(steps)
    return np.asarray(np.where(scales > 0, scales, 1), np.float32)


def _round(x: NDArray[Any]) -> NDArray[Any]:
    """To the nearest integer, halves away from zero."""
    magnitude = np.abs(x)
    whole = np.floor(magnitude)  # floor(|x| + 0.5) would round the sum first, and take 0.49999997 for 1
    return np.asarray(np.sign(x) * (whole + (magnitude - whole >= 0.5)))
