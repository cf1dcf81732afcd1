"""What a build says last, on stdout: parity, accuracies, sizes, where the report is, the verdict."""

import math
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import click

from pipeline.build import BuildResult
from pipeline.cli.output import printable, stdout
from pipeline.parity.definitions import REFERENCES
from pipeline.parity.verdict import Check
from pipeline.report.numbers import MISSING, percent, size

PROMISE = "float_model"  # shown whole; of the explanations only what has a limit, the report has the rest
ACCURACIES = {"float_model": "float model", "int8": "int8 file"}
FLOAT, INT8 = "model_float32.tflite", "model_int8.tflite"
GOOD, BAD, TITLE = "bold green", "bold red", "bold"


def print_summary(result: BuildResult) -> None:
    """Print a finished build's results; what was not reached is not mentioned."""
    parity = result.parity or {"checks": [], "notes": []}
    checks = [Check.from_dict(check) for check in parity["checks"]]
    for reference, group in groupby(checks, lambda check: check.reference):
        _print_checks(
            REFERENCES.get(reference, reference),
            [check for check in group if reference == PROMISE or check.limit is not None],
        )
    _print_block("Test accuracy, with its 95 % interval", _accuracies(parity.get("accuracies", [])))
    _print_block("Size", _sizes(result))
    for note in parity["notes"]:
        _say(_wrapped(f"Note: {printable(note)}"))
    if "report.html" in result.files:
        _say(f"Report: {printable(result.files['report.html'])}")
    else:
        _say(f"Files: {printable(result.out)}")
    if result.parity is None:
        return
    for check in checks:
        if check.passed is False:
            value, limit = figures(check)
            _say(_wrapped(f"FAILED {check.reference}.{check.name}: {value}, limit {limit}"), BAD)
    _say("PARITY PASSED", GOOD) if result.passed else _say("PARITY FAILED", BAD)


def figures(check: Check) -> tuple[str, str]:
    """Value and limit ("" without one) as text, with as many digits as it takes to tell them apart.

    What misses its limit never looks as if it met it, and nothing short of everything is called 100 %.
    A share of what agrees is a percentage; a difference is a plain number of three significant digits.
    """
    as_percent = check.unit == "share" and check.relation == ">="
    value, limit = check.value, check.limit
    measured = value is not None and math.isfinite(value)
    numbers = [number for number in (limit, 1.0) if measured and number is not None and number != value]
    for digits in range(3, 12):
        shown = _written(value, as_percent, digits) if measured else MISSING
        if shown not in (_written(number, as_percent, digits) for number in numbers):
            break
    return shown, "" if limit is None else f"{check.relation} {_written(limit, as_percent, digits)}"


def _written(value: float | None, as_percent: bool, digits: int) -> str:
    assert value is not None
    if as_percent:
        return f"{100 * value:.{digits - 2}f} %"
    return f"{value:.0f}" if value == round(value) else f"{value:.{digits}g}".replace("e-0", "e-")


def _print_checks(title: str, checks: list[Check]) -> None:
    if not checks:
        return
    _say(title, TITLE)
    for check in checks:
        value, limit = figures(check)
        mark, outcome = {True: (" ", "pass"), False: ("!", "FAIL"), None: (" ", "reported")}[check.passed]
        unit = "" if value.endswith(("%", MISSING)) else check.unit
        row = f"{mark} {check.name:<26} {value:>12} {unit:<12} {limit:>12}  {outcome}"
        _say(row, BAD if check.passed is False else "")
    _say()


def _accuracies(accuracies: list[dict[str, Any]]) -> Iterator[str]:
    for one in accuracies:
        if one["name"] in ACCURACIES:
            interval = f"{percent(one['low'])} to {percent(one['high'])}"
            name = ACCURACIES[one["name"]]
            yield f"  {name:<26} {percent(one['value']):>12} {interval}, {one['correct']} of {one['n']}"


def _sizes(result: BuildResult) -> Iterator[str]:
    sizes = {name: result.files[name].stat().st_size for name in (FLOAT, INT8) if name in result.files}
    for name, size_bytes in sizes.items():
        share = f"{size_bytes / sizes[FLOAT]:.1%}".replace("%", " % of float32")
        yield f"  {name:<26} {size(size_bytes):>12} {share if name != FLOAT else ''}".rstrip()


def _print_block(title: str, lines: Iterable[str]) -> None:
    block = list(lines)
    if block:
        _say(title, TITLE)
        _say("\n".join([*block, ""]))


def _wrapped(text: str) -> str:
    return click.wrap_text(text, width=80, subsequent_indent="  ")


def _say(text: str = "", style: str = "") -> None:
    """Print lines, in colour where stdout is a terminal that wants it; never folded, never markup."""
    from rich.text import Text

    stdout().print(Text(text, style=style), soft_wrap=True)
