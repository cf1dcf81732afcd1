"""The number formats of tensors, and the rules by which a range or another format becomes one.

real = scale * (q - zero_point). The scale is a float32, as the file stores it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.quantization.number_formats import INT16_MAX, Range, affine_format


@dataclass(frozen=True)
class Format:
    """How a tensor writes its values.

    Args:
        precision: "int8", "int16" or "float32".
        scale: of one step; 0 for float32.
        zero_point: the integer that means 0.
    """

    precision: str
    scale: float = 0.0
    zero_point: int = 0

    def __str__(self) -> str:
        if self.precision == "float32":
            return self.precision
        return f"{self.precision} (scale {self.scale:.9g}, zero point {self.zero_point})"


FLOAT = Format("float32")


def from_range(value_range: Range, precision: str) -> Format:
    """The format of a quantity: ``affine_format`` in int8, ``int16_scale`` in int16."""
    if precision == "int8":
        number = affine_format(value_range)
        return Format("int8", number.scale, number.zero_point)
    return FLOAT if precision == "float32" else Format("int16", int16_scale(value_range))


def int16_scale(value_range: Range) -> float:
    """Of int16, symmetric with zero point 0: ``max|x| / 32767``, in float32.

    A range from -1 to less than 1 is known by construction (hidden states and their means): 1/32768, the
    format that their int8 form widens to without a rounding. A range that is only 0 gets scale 1.
    """
    if value_range.minimum == -1.0 and value_range.maximum < 1.0:
        return 1 / 32768
    largest = np.float32(max(abs(value_range.minimum), abs(value_range.maximum)))
    return float(largest / np.float32(INT16_MAX)) if largest > 0 else 1.0


def widened(narrow: Format) -> Format:
    """The int16 format that holds every int8 value exactly.

    256 (q) fits where the zero point is 0: 256 * -128 = -32768. With a zero point q - zero_point can be
    +-255, and only 128 of it fits.
    """
    return Format("int16", narrow.scale / (256 if narrow.zero_point == 0 else 128))
