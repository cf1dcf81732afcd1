"""The profile is the difference of prefixes, and says what it cannot tell."""

import numpy as np
import pytest
from hand_made import hand_made

from converters import schema
from pipeline.benchmark import profile

SIX = np.array([-2.0, -1.0, 0.0, 0.0, 1.0, 2.0])


def test_an_operator_takes_what_its_prefix_takes_longer() -> None:
    """By hand: 1 ms the call, 2 ms the first operator, 0.5 ms the second; the third is lost in noise."""
    model = schema.read_model(hand_made())
    call = np.full(6, 1.0)
    times = [call, call + 2.0, call + 2.5, call + 2.5 + SIX]
    found = profile.to_profile("model", model, [list(map(float, one)) for one in times])
    assert [one.place for one in found.operators] == [None, 0, 1, 2]
    assert [one.name for one in found.operators] == ["(the call itself)", "SUM", "SUM", "SOFTMAX"]
    assert [one.output for one in found.operators] == ["", "float32 1x3", "float32 1x5", "float32 1x5"]
    assert [one.ms for one in found.operators] == [1.0, 2.0, 0.5, 0.0]
    assert (found.operators[3].low, found.operators[3].high) == (-2.0, 2.0)
    assert [one.told_apart for one in found.operators] == [True, True, True, False]


def test_no_bound_is_longer_than_the_whole_and_no_share_more_than_all_of_it() -> None:
    """The third operator seems to take back 2 of the 3 ms: 1 ms for all of it, in which the others took 3."""
    model = schema.read_model(hand_made())
    times = [SIX + 1.0, SIX + 2.5, SIX * 2 + 3.0, SIX * 2 + 1.0]
    found = profile.to_profile("model", model, [list(map(float, one)) for one in times])
    assert found.whole_ms == 1.0
    assert max(one.high for one in found.operators) <= 5.0
    shares = [found.share(one) for one in found.operators]
    assert shares[1:] == [1.0, None, None]


def test_operators_that_take_longer_than_the_whole_are_no_profile() -> None:
    """2 ms the first operator, in every run; and 1.5 ms all of them together."""
    model = schema.read_model(hand_made())
    times = [[1.0] * 6, [3.0] * 6, [3.5] * 6, [1.5] * 6]
    found = profile.to_profile("model", model, times)
    assert (found.operators, found.whole_ms, found.skipped) == ((), None, profile.TOO_BUSY)


def test_every_prefix_runs() -> None:
    model = schema.read_model(hand_made())
    found = profile.profile_ms(model, [np.zeros((1, 5, 3), np.float32)], 1)
    assert [len(one) for one in found] == [profile.RUNS] * 4
    assert min(map(min, found)) > 0


@pytest.mark.parametrize(("operators", "size_bytes", "why"), [
    (3, 1000, ""), (0, 1000, "has no operators"), (101, 1000, "has 101 operators; at most 100"),
    (3, profile.MOST_BYTES // 4 + 1, "too many to be loaded"),
])  # fmt: skip
def test_what_is_not_profiled(operators: int, size_bytes: int, why: str) -> None:
    model = schema.read_model(hand_made())
    model.subgraphs[0].operators = [model.subgraphs[0].operators[0]] * operators
    found = profile.not_profiled(model, size_bytes)
    assert (why in found) if why else found == ""
