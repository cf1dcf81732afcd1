"""The range of each channel over the real steps of many windows, a portion of them at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

PORTION = 1024
"""Windows looked at at once."""
SAMPLE = 10_000
"""Steps of which different values are counted."""


@dataclass(frozen=True)
class ChannelRange:
    """One channel, in its unit.

    Attributes:
        steps, at_smallest, at_largest: how many there are, and how many have exactly these values.
        distinct: different values among the first `SAMPLE` steps.
    """

    name: str
    unit: str
    smallest: float
    mean: float
    largest: float
    std: float
    steps: int
    at_smallest: int
    at_largest: int
    distinct: int


def measure(
    windows: np.ndarray, real: np.ndarray, names: Sequence[str], units: Sequence[str]
) -> tuple[ChannelRange, ...]:
    """Measure each channel.

    Args:
        windows: [n, time, channels] float32, raw units.
        real: [n, time] bool, False where a step is padding.
        names, units: one a channel.
    """
    count = int(real.sum())
    low = np.full(windows.shape[2], np.inf)
    high, total = -low, np.zeros(windows.shape[2])
    for steps in _portions(windows, real):  # [steps, channels] float64
        low, high = np.minimum(low, steps.min(axis=0)), np.maximum(high, steps.max(axis=0))
        total += steps.sum(axis=0)
    mean = total / count
    squares, at_low, at_high = (np.zeros(windows.shape[2]) for _ in range(3))
    for steps in _portions(windows, real):
        squares += ((steps - mean) ** 2).sum(axis=0)
        at_low += (steps == low).sum(axis=0)
        at_high += (steps == high).sum(axis=0)
    first = windows[: max(1, SAMPLE // windows.shape[1])]
    some = first[real[: len(first)]]
    return tuple(
        ChannelRange(
            name=name,
            unit=unit,
            smallest=float(low[index]),
            mean=float(mean[index]),
            largest=float(high[index]),
            std=float(np.sqrt(squares[index] / count)),
            steps=count,
            at_smallest=int(at_low[index]),
            at_largest=int(at_high[index]),
            distinct=len(np.unique(some[:, index])),
        )
        for index, (name, unit) in enumerate(zip(names, units, strict=True))
    )


def _portions(windows: np.ndarray, real: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(windows), PORTION):
        part = slice(start, start + PORTION)
        yield windows[part][real[part]].astype(np.float64)
