"""Which file to ship: the smallest of those that hold every limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.report.numbers import MISSING, figures, size
from pipeline.report.schemes import FLOAT32, SchemeResult


@dataclass(frozen=True)
class Recommendation:
    """The name of a scheme, and one sentence that says why this one and no smaller one."""

    scheme: str
    reason: str


def recommend(results: Sequence[SchemeResult]) -> Recommendation:
    """The smallest file whose every limit holds; of equal sizes the faster, then the one that agrees more.

    Args:
        results: of all schemes, float32 among them, which is what is left where no other holds its limits.
    """
    ranked = sorted(results, key=_order)
    failing = [one for one in ranked if one.verdict == "fail"]
    best = next((one for one in ranked if one.verdict == "pass"), None)
    if best is None:
        return _because(FLOAT32, "no scheme holds every limit", failing)
    smaller = [one for one in failing if one.size_bytes <= best.size_bytes]
    if best.name == FLOAT32 and smaller:
        return _because(FLOAT32, "no smaller scheme holds every limit", smaller)
    smallest = ", the smallest" if best.name == FLOAT32 and len(ranked) > 1 else ""
    held = f"{size(best.size_bytes)}{smallest}, all {len(best.judged)} checks hold"
    return _because(best.name, held, smaller)


def _order(one: SchemeResult) -> tuple[float, float, float]:
    agreement = one.figure("decision_agreement")
    return one.size_bytes, one.latency_ms, -(agreement if agreement is not None else -math.inf)


def _because(scheme: str, reason: str, failing: Sequence[SchemeResult]) -> Recommendation:
    against = ", ".join(_objection(one) for one in failing)
    return Recommendation(scheme, f"{scheme}: {reason}{'; ' if against else ''}{against}.")


def _objection(one: SchemeResult) -> str:
    """What speaks against it: "int8 is 36.8 kB but its attention total variation 0.031 exceeds 0.024"."""
    is_size = f"{one.name} is {size(one.size_bytes)}"
    if not one.failed:
        return f"{is_size} but nothing of it was held against a limit"
    check, *more = one.failed
    (value, limit), name = figures(check), check.name.replace("_", " ")
    limit = limit.removeprefix(f"{check.relation} ")
    beyond = "exceeds" if check.relation == "<=" else "falls short of"
    told = f"its {name} was {MISSING}" if value == MISSING else f"its {name} {value} {beyond} {limit}"
    also = f" and {len(more)} more {'check fails' if len(more) == 1 else 'checks fail'}" if more else ""
    return f"{is_size} but {told}{also}"
