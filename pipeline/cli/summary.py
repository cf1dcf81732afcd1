"""What `build` and `verify` say last, on stdout: parity, accuracies, sizes, the report, the verdict."""

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from pipeline.build import BuildResult
from pipeline.cli.output import printable, stdout
from pipeline.parity.definitions import REFERENCES
from pipeline.parity.verdict import Check
from pipeline.report.data import BUILD_NAMES
from pipeline.report.numbers import MISSING, amount, outcome, percent, size

PROMISE = "float_model"  # shown whole; of the explanations only what has a limit, the report has the rest
MODELS = ("model_float32.tflite", "model_int8.tflite", "model_int8_stock.tflite")
GOOD, BAD, TITLE = "bold green", "bold red", "bold"


def print_summary(result: BuildResult) -> None:
    """Print a finished build's results; what was not reached is not mentioned."""
    sizes = [(name, result.files[name].stat().st_size) for name in MODELS if name in result.files]
    report = result.files.get("report.html")
    where = f"Report: {printable(report)}" if report else f"Files: {printable(result.out)}"
    _print_all(result.parity or {"checks": [], "notes": []}, sizes, where)


def print_parity(parity: Mapping[str, Any], report: Path | None) -> None:
    """Print what `ReportData.parity` has of two files that were given, and where the report is, if any is."""
    sizes = [(one["name"], one["size_bytes"]) for one in parity["files"]]
    _print_all(parity, sizes, f"Report: {printable(report)}" if report else "")


def _print_all(parity: Mapping[str, Any], sizes: list[tuple[str, int]], where: str) -> None:
    checks = [Check.from_dict(check) for check in parity["checks"]]
    for reference, group in groupby(checks, lambda check: check.reference):
        _print_checks(
            printable(parity.get("references", REFERENCES).get(reference, reference)),
            [check for check in group if reference == PROMISE or check.limit is not None],
        )
    names = {**BUILD_NAMES, **parity.get("names", {})}
    _print_block("Test accuracy, with its 95 % interval", _accuracies(parity.get("accuracies", []), names))
    _print_block("Test scores", _scores(parity.get("scores", []), names))
    if parity.get("stock"):
        _print_block("Beside it, for comparison only: TensorFlow's stock int8 quantizer", _stock(parity))
    _print_block("Size", _sizes(sizes, "float32" if parity.get("built", True) else names["float_model"]))
    for note in parity["notes"]:
        _say(_wrapped(f"Note: {printable(note)}"))
    if where:
        _say(where)
    if "verdict" not in parity:
        return
    for check in checks:
        if check.passed is False:
            value, limit = figures(check)
            _say(_wrapped(f"FAILED {check.reference}.{check.name}: {value}, limit {limit}"), BAD)
    passed = parity["verdict"] == "pass"
    _say("PARITY PASSED" if passed else "PARITY FAILED", GOOD if passed else BAD)


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
        mark, said = ("!", "FAIL") if check.passed is False else (" ", outcome(check))
        unit = "" if value.endswith(("%", MISSING)) else check.unit
        row = f"{mark} {check.name:<26} {value:>12} {unit:<12} {limit:>12}  {said}"
        _say(row, BAD if check.passed is False else "")
    _say()


def _accuracies(accuracies: list[dict[str, Any]], names: Mapping[str, str]) -> Iterator[str]:
    for one in accuracies:
        if one["name"] in names:
            interval = f"{percent(one['low'])} to {percent(one['high'])}"
            name = names[one["name"]]
            yield f"  {name:<26} {percent(one['value']):>12} {interval}, {one['correct']} of {one['n']}"


def _scores(scores: list[dict[str, Any]], names: Mapping[str, str]) -> Iterator[str]:
    """Figures of merit beside the accuracy, a line a model."""
    for one in scores:
        if one["name"] in names:
            shown = ", ".join(f"{printable(what)} {amount(value)}" for what, value in one["values"].items())
            yield f"  {names[one['name']]:<26} {shown}"


def _stock(parity: Mapping[str, Any]) -> Iterator[str]:
    """Each check of the promise, and beside it what the stock file comes to."""
    if parity["stock"]["error"]:
        yield _wrapped(f"  {printable(parity['stock']['error'])}")
        return
    ours = {one["name"]: Check.from_dict(one) for one in parity["checks"] if one["reference"] == PROMISE}
    yield f"  {'':<26} {'this build':>12} {'stock':>12} {'limit':>12}"
    for check in map(Check.from_dict, parity["stock"]["checks"]):
        value, limit = figures(check)
        missed = "  missed" if check.passed is False else ""
        own, _ = figures(ours[check.name])
        yield f"  {check.name:<26} {own:>12} {value:>12} {limit:>12}{missed}".rstrip()


def _sizes(sizes: list[tuple[str, int]], first: str) -> Iterator[str]:
    for index, (name, size_bytes) in enumerate(sizes):
        share = f"{100 * size_bytes / sizes[0][1]:.1f} % of {first}" if index else ""
        yield f"  {printable(name):<26} {size(size_bytes):>12} {share}".rstrip()


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
