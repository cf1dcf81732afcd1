"""Percentiles by nearest rank, against cases computed by hand."""

import math
import random

import pytest

from models.errors import VerificationError
from pipeline.benchmark.percentiles import Latency, median_interval, percentile


def test_nearest_rank_by_hand() -> None:
    """Of 15 20 35 40 50 (in any order) the median is the third: ceil(0.5 * 5) = 3."""
    assert percentile([40, 15, 50, 35, 20], 50) == 35


def test_of_a_hundred_values_the_rank_is_the_percentage() -> None:
    values = list(range(1, 101))
    random.Random(0).shuffle(values)
    assert [percentile(values, percent) for percent in (50, 90, 99)] == [50, 90, 99]


@pytest.mark.parametrize(
    ("count", "percent", "known"),
    [(99, 99, False), (100, 99, True), (9, 90, False), (10, 90, True), (1, 50, True), (0, 50, False)],
)
def test_a_percentile_takes_a_value_above_it(count: int, percent: int, known: bool) -> None:
    """Otherwise the largest value would be told, whatever was asked for."""
    found = percentile(list(range(count)), percent)
    assert (found is not None) is known
    assert found is None or found < count - 1 or count == 1


def test_the_interval_of_a_median_by_hand() -> None:
    """Of 6 values the smallest and the largest: outside with 2 / 64 = 3.1 %. Of 9 the second from each side:
    2 (1 + 9) / 512 = 3.9 %, while the third would be 2 (1 + 9 + 36) / 512 = 18 %."""
    assert median_interval([3, 1, 2, 6, 5, 4]) == (1, 6)
    assert median_interval(list(range(1, 10))) == (2, 8)
    assert median_interval([1, 2, 3, 4, 5]) is None  # 2 / 32 = 6.3 %
    assert median_interval([]) is None


def test_the_interval_holds_the_median_as_often_as_it_says() -> None:
    draw = random.Random(1)
    held = 0
    for _ in range(2000):
        interval = median_interval([draw.random() for _ in range(20)])
        assert interval is not None
        held += interval[0] <= 0.5 <= interval[1]
    assert held / 2000 > 0.95 - 3 * math.sqrt(0.05 * 0.95 / 2000)  # three standard deviations of a share


def test_a_ratio_is_taken_round_by_round() -> None:
    """Ratios 2, 2, 0.5 -> 2, though the medians' ratio is 4 / 4."""
    found = Latency.of([2.0, 4.0, 4.0], [1.0, 2.0, 8.0])
    assert (found.p50, found.smallest, found.ratio, found.p90, found.p99) == (4.0, 2.0, 2.0, None, None)
    assert Latency.of([1.0], None).ratio is None


@pytest.mark.parametrize("times", [[], [0.0], [1.0, math.nan], [1.0, math.inf], [-1.0]])
def test_times_that_are_none(times: list[float]) -> None:
    with pytest.raises(VerificationError, match="no positive times"):
        Latency.of(times, None)
