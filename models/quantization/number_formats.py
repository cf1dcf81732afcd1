"""The number formats of an int8 model, and the rule by which a range becomes one.

Real value = scale * (q - zero_point). The formats of the LSTM are those of
TFLite's integer kernel "8x8_16" (tensorflow/lite/kernels/lstm_eval.cc and
Li and Alvarez 2021, arXiv 2101.05453). Plain data, no TensorFlow: the training
forward, the converter and the tests share this one file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

INT8_MIN, INT8_MAX = -128, 127
INT16_MIN, INT16_MAX = -32768, 32767

GATE_FRACTION_BITS = 12
"""Gate pre-activations: int16, Q3.12. Saturates at +-8, where the sigmoid is within 3.4e-4 of 0 or 1."""

GATE_OUTPUT_FRACTION_BITS = 15
"""Results of sigmoid and tanh: int16, Q0.15; the largest value is 1 - 2^-15."""

WEIGHT_MAX = 127
"""Weights: int8, symmetric, narrow range [-127, 127], zero point 0."""


@dataclass(frozen=True)
class Range:
    """The real values a tensor has to hold, ``minimum <= x <= maximum``, in the tensor's own unit."""

    minimum: float
    maximum: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.minimum) and math.isfinite(self.maximum) and self.minimum <= self.maximum):
            raise ValueError(
                f"A range needs finite minimum <= maximum, got [{self.minimum}, {self.maximum}]."
            )


HIDDEN_RANGE = Range(-1.0, 127 / 128)
"""h = o * tanh(c) lies in (-1, 1), and so does a mean of h (the context): scale 1/128, zero point 0.

One format for the hidden value as written, the LSTM's output, the state read
back, and the context, because the kernel keeps them in one array and a
CONCATENATION makes its inputs share a format.
"""

SOFTMAX_RANGE = Range(0.0, 255 / 256)
"""The int8 SOFTMAX kernel's fixed output: scale 1/256, zero point -128."""


HIDDEN_RANGE_16 = Range(-1.0, 32767 / 32768)
"""The same in int16: scale 1/32768, to which the int8 form widens without a rounding."""

SOFTMAX_RANGE_16 = Range(0.0, 32767 / 32768)
"""The int16 SOFTMAX kernel's fixed output: scale 1/32768, zero point 0."""

PRECISIONS = ("int8", "int16", "float32")
"""What a value can be computed in, from narrow to wide."""


def int16_scale(value_range: Range) -> float:
    """Of int16, symmetric with zero point 0: ``max|x| / 32767``, in float32.

    A range from -1 to less than 1 is known by construction (hidden states and
    their means): 1/32768. A range that is only 0 gets scale 1.
    """
    if value_range.minimum == -1.0 and value_range.maximum < 1.0:
        return 1 / 32768
    largest = np.float32(max(abs(value_range.minimum), abs(value_range.maximum)))
    return float(largest / np.float32(INT16_MAX)) if largest > 0 else 1.0


@dataclass(frozen=True)
class AffineFormat:
    """int8, asymmetric, per tensor."""

    scale: float
    zero_point: int


def affine_format(value_range: Range) -> AffineFormat:
    """The int8 format of a range: ``scale = (max - min) / 255``, ``zero_point = round(-128 - min / scale)``.

    The range is first widened to contain 0, so that 0 is exact. The scale is
    computed in float32 and the zero point from that scale in float64, halves
    away from zero: what the converter does, to the last bit (one step off, a
    range like [-1, 1] gets another zero point). A range that is only 0 gets
    scale 1.
    """
    minimum = np.float32(min(value_range.minimum, 0.0))
    maximum = np.float32(max(value_range.maximum, 0.0))
    scale = float((maximum - minimum) / np.float32(255.0))
    if scale == 0:
        return AffineFormat(1.0, 0)
    return AffineFormat(scale, round_half_away(INT8_MIN - float(minimum) / scale))


def round_half_away(x: float) -> int:
    """Round to the nearest integer, halves away from zero, as C's ``round``."""
    whole = math.trunc(x)
    return whole + int(math.copysign(abs(x - whole) >= 0.5, x))


CELL_EXPONENTS = range(-15, -8)
"""log2 of the cell state's scale, for which the kernel has a tanh: |c| up to 1, 2, 4, ... 64.

Outside, TFLite's kernel leaves h uncomputed (kernels/internal/reference/portable_tensor_utils.cc,
PortableApplyTanh: 0 to 6 integer bits).
"""


def cell_exponent(largest_cell_magnitude: float) -> int:
    """log2 of the cell state's scale: int16, symmetric, ``scale = 2^ceil(log2 max|c|) / 32768``.

    A power of two, because the kernel rescales the cell by shifts. Kept within
    ``CELL_EXPONENTS``; a cell state beyond 64 saturates there, where its tanh is 1 all the same.
    """
    fraction, exponent = math.frexp(abs(largest_cell_magnitude))  # fraction in [1/2, 1), or 0
    exponent -= 15 + (fraction == 0.5)
    return min(max(exponent, CELL_EXPONENTS[0]), CELL_EXPONENTS[-1])
