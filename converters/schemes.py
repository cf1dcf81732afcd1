"""The schemes of a build: how much of a model is rounded. One function each, all with the same arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.convert import quantize_int8
from converters.quantizer.weights_only import convert_dynamic, convert_float16
from converters.ranges import RangeTable
from models.errors import ConversionError


@dataclass(frozen=True)
class Source:
    """What files are made from.

    Args:
        original: the float .tflite of the trained model (``converters.convert.convert_float``).
        trained: the float .tflite of the weights that learned to bear rounding; for the integer schemes.
        table: the ranges of these weights. Its precisions decide what an integer file computes in int16 or
            float, so a table for each of those variants makes its file.
        io: type of float inputs and outputs of an integer file, "float32" or "int8".
        windows: [n, steps, features], of a model that the table does not cover; see ``converters.quantizer``.
    """

    original: bytes
    trained: bytes | None = None
    table: RangeTable | None = None
    io: str = "float32"
    windows: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Converted:
    """A file, and the format of each of its activations (integer schemes only)."""

    content: bytes
    ranges: list[dict[str, Any]] = field(default_factory=list)


def float32(source: Source) -> Converted:
    """Everything in float, as trained."""
    return Converted(source.original)


def float16(source: Source) -> Converted:
    """Weights stored in float16, everything computed in float32."""
    return Converted(convert_float16(source.original))


def dynamic(source: Source) -> Converted:
    """int8 weights, values in float: the LSTM's kernel is the hybrid one."""
    return Converted(convert_dynamic(source.original))


def int8(source: Source) -> Converted:
    """Integers throughout, but for what the table asks in float.

    Raises:
        ConversionError: weights or table are missing, or do not fit each other.
    """
    if source.trained is None or source.table is None:
        raise ConversionError("An integer file needs the weights that bear rounding and their ranges.")
    return Converted(*quantize_int8(source.trained, source.table, source.io, source.windows))


SCHEMES: dict[str, Callable[[Source], Converted]] = {
    scheme.__name__: scheme for scheme in (float32, float16, dynamic, int8)
}


def convert(scheme: str, source: Source) -> Converted:
    """Make the file of a scheme.

    Raises:
        ConversionError: the scheme is unknown, or its conversion fails.
    """
    if scheme not in SCHEMES:
        raise ConversionError(f"Unknown scheme '{scheme}'. Known: {', '.join(SCHEMES)}.")
    return SCHEMES[scheme](source)
