"""How numbers are written for people; the same in every rendering."""

from __future__ import annotations

import math

from pipeline.parity.verdict import REPRESENTATION, Check

MISSING = "not measured"


def amount(value: float | None, unit: str = "") -> str:
    """Three significant digits, small ones as a power of ten; what is counted as whole numbers."""
    if value is None or not math.isfinite(value):
        return MISSING
    if unit in ("windows", "rows", "numbers"):
        return f"{value:.0f}"
    if value == 0:
        return "0"
    if abs(value) < 1e-3:
        return f"{value:.1e}".replace("e-0", "e-")
    if unit == "share" and abs(value) > 0.9:
        return f"{value:.4f}"
    return f"{value:.3g}"


def limit(check: Check) -> str:
    """`>= 0.985`, or nothing where a check is only reported."""
    if check.limit is None:
        return ""
    sign = "≤" if check.relation == "<=" else "≥"
    return f"{sign} {amount(check.limit)}"


def step_size(step: float) -> str:
    """A quantization step: 1/256 where it is one over a whole number."""
    return f"1/{1 / step:.0f}" if (1 / step).is_integer() else f"{step:.3g}"


def percent(value: float | None) -> str:
    """A share as a percentage with one decimal; nothing short of everything is called 100 %."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{100 * value:.1f} %"
    return "> 99.9 %" if value < 1 and text == "100.0 %" else text


def size(size_bytes: float) -> str:
    """Kilobytes of 1000 bytes with one decimal; megabytes from 1000 kB."""
    kilobytes = size_bytes / 1000
    return f"{kilobytes:.1f} kB" if kilobytes < 1000 else f"{kilobytes / 1000:.2f} MB"


def outcome(check: Check) -> str:
    """`pass`, `fail`, `reported` without a limit, `skipped` without a limit and a value."""
    if check.limit is None and amount(check.value) == MISSING:
        return "skipped"
    return {True: "pass", False: "fail", None: "reported"}[check.passed]


def figures(check: Check) -> tuple[str, str]:
    """Value and limit ("" without one) as text, with as many digits as it takes to tell them apart.

    What misses its limit never looks as if it met it; what lies on it, but for the representation of
    numbers, is not told apart from it. And nothing short of everything is called 100 %.
    A share of what agrees is a percentage; a difference is a plain number of three significant digits.
    """
    as_percent = check.unit == "share" and check.relation == ">="
    value, limit = check.value, check.limit
    measured = value is not None and math.isfinite(value)
    apart = []
    if value is not None and math.isfinite(value):
        on_limit = limit is None or math.isclose(value, limit, rel_tol=REPRESENTATION, abs_tol=REPRESENTATION)
        apart = [number for number in (value if on_limit else limit, 1.0) if number != value]
    for digits in range(3, 12):
        shown = _written(value, as_percent, digits) if measured else MISSING
        if shown not in (_written(number, as_percent, digits) for number in apart):
            break
    return shown, "" if limit is None else f"{check.relation} {_written(limit, as_percent, digits)}"


def _written(value: float | None, as_percent: bool, digits: int) -> str:
    assert value is not None
    if as_percent:
        return f"{100 * value:.{digits - 2}f} %"
    return f"{value:.0f}" if value == round(value) else f"{value:.{digits}g}".replace("e-0", "e-")
