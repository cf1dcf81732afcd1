"""Ranges of values that no fake-quantized twin knows: what the tensors of a float model hold on windows.

For a model that was brought. Each window runs from the zero state, so neither their order nor their number
in a batch matters; smallest and largest value of all of them, nothing is cut off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters import schema
from converters.inner_tensors import values_by_window
from converters.quantizer.formats import Format
from converters.ranges import Quantity
from models.errors import ConversionError
from models.quantization.number_formats import INT8_MAX, INT8_MIN, Range


@dataclass(frozen=True)
class Seen:
    """Smallest and largest value of each float tensor, by index.

    Args:
        names: of the tensors.
        ranges: over all windows.
    """

    names: Mapping[int, str]
    ranges: Mapping[int, Range]

    def quantity(self, index: int, fixed: Format | None = None) -> Quantity:
        """A tensor as a quantity of its own.

        Args:
            fixed: the format that the kernel writes whatever the values are (a softmax's 1/256).
        """
        seen = self.ranges[index]
        if fixed is not None:
            low, high = (fixed.scale * (end - fixed.zero_point) for end in (INT8_MIN, INT8_MAX))
            seen = Range(low, high)
        return Quantity(f"observed/{self.names[index]}", seen, None)


def observe(model: bytes, windows: NDArray[np.float32]) -> Seen:
    """Run a float model on windows.

    Args:
        windows: [n, steps, features], n at least 1.

    Raises:
        ConversionError: a value that is not finite.
    """
    unpacked = schema.read_model(model)
    (graph,) = unpacked.subgraphs
    places = [
        index
        for index, tensor in enumerate(graph.tensors)
        if schema.is_float(tensor) and schema.elements(tensor) and not schema.has_data(unpacked, tensor)
    ]
    names = {index: schema.name(graph.tensors[index]) for index in places}
    lowest, highest = dict.fromkeys(places, np.inf), dict.fromkeys(places, -np.inf)
    for values in values_by_window(model, windows, places):
        for index, value in values.items():
            if not np.isfinite(value).all():
                raise ConversionError(
                    f"Tensor '{names[index]}' of the float model is not finite on a window.",
                    "Look at the model: a division by zero, a logarithm of 0, or exploding activations.",
                )
            lowest[index] = min(lowest[index], float(value.min()))
            highest[index] = max(highest[index], float(value.max()))
    return Seen(names, {index: Range(lowest[index], highest[index]) for index in places})
