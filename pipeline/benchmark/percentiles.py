"""From times to the few numbers that are told of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import VerificationError


@dataclass(frozen=True)
class Latency:
    """Of one call, milliseconds.

    Attributes:
        runs: how many were timed.
        p50, p90, p99: percentiles; None where there are too few runs for it.
        smallest: the fastest call.
        ratio: median over the rounds of this model's time divided by that of the first model in the same
            round; None of the first model.
    """

    runs: int
    p50: float
    p90: float | None
    p99: float | None
    smallest: float
    ratio: float | None

    @classmethod
    def of(cls, times_ms: Sequence[float], first_ms: Sequence[float] | None) -> Latency:
        """Of the times of one model, and of those of the first model in the same rounds.

        Raises:
            VerificationError: there is no time, or one that is no positive number.
        """
        if not times_ms or not all(math.isfinite(time) and time > 0 for time in times_ms):
            raise VerificationError("The clock gave no positive times; nothing can be said of them.")
        ratios = None if first_ms is None else [a / b for a, b in zip(times_ms, first_ms, strict=True)]
        middle = percentile(times_ms, 50)
        assert middle is not None
        return cls(
            runs=len(times_ms),
            p50=middle,
            p90=percentile(times_ms, 90),
            p99=percentile(times_ms, 99),
            smallest=min(times_ms),
            ratio=None if ratios is None else percentile(ratios, 50),
        )


def percentile(values: Sequence[float], percent: int) -> float | None:
    """The smallest value that `percent` per cent of the values do not pass (nearest rank).

    None where fewer than one value lies above it: it would be the largest value, whatever was asked for. So
    a p99 takes 100 values, and a p90 10. The median is always known.
    """
    if not values:
        return None
    if percent > 50 and len(values) * (100 - percent) < 100:
        return None
    rank = max(math.ceil(len(values) * percent / 100), 1)
    return sorted(values)[rank - 1]


def median_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Where the median of what was sampled lies with at least 95 %, whatever its distribution.

    The k-th smallest and the k-th largest value: the median is outside with the chance that fewer than k of n
    fair coins show heads, or tails (Conover 1999, section 3.2). None below 6 values: then not even the
    smallest and the largest will do.
    """
    n = len(values)
    outside, k = 0.0, 0
    while True:
        outside += 2.0 * math.comb(n, k) / 2.0**n
        if outside > 0.05 or k >= n // 2:
            break
        k += 1
    if k == 0:
        return None
    ordered = sorted(values)
    return ordered[k - 1], ordered[-k]
