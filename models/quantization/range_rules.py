"""From the values of a quantity to its range: three rules, all of them blind to the order of the values.

A rule gets a histogram of every value seen and returns the range to quantize.
Values outside of it saturate. NumPy only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.quantization.number_formats import INT8_MAX, INT8_MIN, Range, affine_format

BINS = 1 << 14
"""Bins between the smallest and the largest value: 64 to an int8 step, so that a middle stands for it."""

PERCENTILE = 99.99
"""Share of the values, in percent, that ``percentile`` keeps."""

CANDIDATES = np.linspace(1.0, 0.1, 46)
"""Shares of either bound that ``mse`` tries: 1.00, 0.98, ... 0.10."""


@dataclass(frozen=True)
class Histogram:
    """How often which value was seen.

    Args:
        minimum, maximum: the smallest and the largest value; the bins between them are equally wide.
        counts: [BINS] values in each.
    """

    minimum: float
    maximum: float
    counts: NDArray[np.int64]

    @property
    def middles(self) -> NDArray[np.float64]:
        """[BINS] the value in the middle of each bin."""
        edges = np.linspace(self.minimum, self.maximum, len(self.counts) + 1)
        return (edges[:-1] + edges[1:]) / 2


def min_max(histogram: Histogram) -> Range:
    """Every value seen fits: nothing saturates, and one outlier widens the step for all."""
    return Range(histogram.minimum, histogram.maximum)


def percentile(histogram: Histogram) -> Range:
    """The middle ``PERCENTILE`` percent of the values; as many are cut below as above."""
    cumulative = np.cumsum(histogram.counts) / max(int(histogram.counts.sum()), 1)
    cut = (1.0 - PERCENTILE / 100.0) / 2
    edges = np.linspace(histogram.minimum, histogram.maximum, len(histogram.counts) + 1)
    low = int(np.searchsorted(cumulative, cut, side="right"))
    high = int(np.searchsorted(cumulative, 1.0 - cut, side="left"))
    return Range(float(edges[low]), float(edges[high + 1]))


def mse(histogram: Histogram) -> Range:
    """The range whose int8 values are closest to the real ones: least mean of ``(x - dequantized x)^2``.

    Both bounds are shrunk independently; what saturates is weighed against the finer step.
    """
    seen = histogram.counts > 0
    x, counts = histogram.middles[seen], histogram.counts[seen]
    best, least = min_max(histogram), np.inf
    for low in CANDIDATES if histogram.minimum < 0 else (1.0,):
        for high in CANDIDATES if histogram.maximum > 0 else (1.0,):
            candidate = Range(histogram.minimum * low, histogram.maximum * high)
            error = float(np.sum(counts * _squared_error(x, candidate)))
            if error < least:
                best, least = candidate, error
    return best


def _squared_error(x: NDArray[np.float64], value_range: Range) -> NDArray[np.float64]:
    number = affine_format(value_range)
    q = np.clip(np.round(x / number.scale) + number.zero_point, INT8_MIN, INT8_MAX)
    squared: NDArray[np.float64] = (x - number.scale * (q - number.zero_point)) ** 2
    return squared


RULES: dict[str, Callable[[Histogram], Range]] = {"min-max": min_max, "percentile": percentile, "mse": mse}
"""The rules by the name a user gives."""
