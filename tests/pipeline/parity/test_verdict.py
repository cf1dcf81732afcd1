"""A limit that is met passes, everything else fails, and silence never passes."""

from __future__ import annotations

import math

import pytest

from pipeline.parity.verdict import Check, verdict


def check(value: float | None, limit: float | None, relation: str = "<=") -> Check:
    return Check("some_error", "float_model", relation, value, limit, "share", 100)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "relation", "limit", "passed"),
    [
        (0.01, "<=", 0.02, True),
        (0.02, "<=", 0.02, True),
        (0.0201, "<=", 0.02, False),
        (0.98 - 0.97, "<=", 0.01, True),  # 0.010000000000000009
        (0.99, ">=", 0.985, True),
        (1 - 0.015, ">=", 0.985, True),
        (0.9849, ">=", 0.985, False),
        (0.985 - 1e-6, ">=", 0.985, False),  # one window in a million
        (0.0, "<=", 0.0, True),
        (-0.5, "<=", 0.0, True),
        (0.3, "<=", None, None),
        (math.nan, "<=", None, None),
        (None, "<=", 0.02, False),
        (math.nan, "<=", 0.02, False),
        (math.nan, ">=", 0.02, False),
        (-math.inf, "<=", 0.02, False),
        (math.inf, ">=", 0.02, False),
        (0.01, "<=", math.nan, False),
        (0.01, "<=", math.inf, False),
    ],
)
def test_passed(value: float | None, relation: str, limit: float | None, passed: bool | None) -> None:
    assert check(value, limit, relation).passed is passed


def test_one_failure_fails_the_verdict() -> None:
    assert verdict([check(0.1, 1.0), check(2.0, 1.0)]) == "fail"


def test_reported_checks_do_not_matter() -> None:
    assert verdict([check(0.1, 1.0), check(2.0, None)]) == "pass"


def test_nothing_held_against_a_limit_fails() -> None:
    assert verdict([]) == "fail"
    assert verdict([check(0.0, None)]) == "fail"


def test_a_check_goes_to_a_dictionary_and_back() -> None:
    one = check(0.5, 0.4)
    values = one.to_dict()
    assert list(values) == ["name", "reference", "relation", "value", "limit", "unit", "n", "passed"]
    assert values["passed"] is False
    assert Check.from_dict({**values, "passed": True}) == one  # what the file claims is not believed
    assert Check.from_dict({**values, "passed": True}).passed is False
