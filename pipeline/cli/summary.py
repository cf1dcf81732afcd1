"""What `build` and `verify` say last, on stdout: parity, accuracies, sizes, the report, the verdict."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from pipeline.build import PUBLISHED, BuildResult
from pipeline.cli.output import printable, stdout
from pipeline.cli.scheme_table import scheme_table
from pipeline.parity.definitions import REFERENCES
from pipeline.parity.verdict import Check
from pipeline.report.data import BUILD_NAMES
from pipeline.report.numbers import MISSING, amount, figures, outcome, percent, size
from pipeline.report.schemes import SchemeResult

PROMISE = "float_model"  # shown whole; of the explanations only what has a limit, the report has the rest
MODELS = [name for name in PUBLISHED if name.endswith(".tflite")]
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
    schemes = [SchemeResult.from_dict(one) for one in parity.get("schemes", [])]
    several = len([one for one in schemes if one.asked]) > 1
    if several:
        _print_schemes(schemes, parity["recommendation"]["reason"])
    names = {**BUILD_NAMES, **parity.get("names", {})}
    _print_block("Test accuracy, with its 95 % interval", _accuracies(parity.get("accuracies", []), names))
    _print_block("Test scores", _scores(parity.get("scores", []), names))
    if parity.get("stock"):
        _print_block("Beside it, for comparison only: TensorFlow's stock int8 quantizer", _stock(parity))
    if not several:
        _print_block("Size", _sizes(sizes, "float32" if parity.get("built", True) else names["float_model"]))
    for note in parity["notes"]:
        _say(_wrapped(f"Note: {printable(note)}"))
    if where:
        _say(where)
    if "verdict" not in parity:
        return
    for prefix, failed in _failures(schemes) if several else [("", checks)]:
        for check in failed:
            if check.passed is False:
                value, limit = figures(check)
                _say(_wrapped(f"FAILED {prefix}{check.reference}.{check.name}: {value}, limit {limit}"), BAD)
    passed = parity["verdict"] == "pass"
    _say("PARITY PASSED" if passed else "PARITY FAILED", GOOD if passed else BAD)


def _print_checks(title: str, checks: list[Check]) -> None:
    if not checks:
        return
    _say(_wrapped(title), TITLE)
    for check in checks:
        value, limit = figures(check)
        mark, said = ("!", "FAIL") if check.passed is False else (" ", outcome(check))
        unit = "" if value.endswith(("%", MISSING)) else check.unit
        row = f"{mark} {check.name:<26} {value:>12} {unit:<12} {limit:>12}  {said}"
        _say(row, BAD if check.passed is False else "")
    _say()


def _print_schemes(schemes: list[SchemeResult], reason: str) -> None:
    """The table of all schemes, what is to be known of their LSTMs, and which one to ship."""
    _say("All schemes, each against the original float model; ! misses a limit", TITLE)
    heading, *rows = scheme_table(schemes)
    _say(heading)
    for one, row in zip(schemes, rows, strict=True):
        _say(row, BAD if one.failed else "")
    for one in schemes:
        if one.lstm_note:
            _say(_wrapped(f"{one.name}: {printable(one.lstm_note)}"))
    _say()
    _say(_wrapped(f"Recommended: {printable(reason)}"), TITLE)
    _say()


def _failures(schemes: list[SchemeResult]) -> Iterator[tuple[str, list[Check]]]:
    for one in schemes:
        yield f"{one.name}: ", one.failed


def _accuracies(accuracies: list[dict[str, Any]], names: Mapping[str, str]) -> Iterator[str]:
    shown = [one for one in accuracies if one["name"] in names]
    width = _width(names[one["name"]] for one in shown)
    for one in shown:
        interval = f"{percent(one['low'])} to {percent(one['high'])}"
        name = f"{names[one['name']]:<{width}}"
        yield f"  {name} {percent(one['value']):>12} {interval}, {one['correct']} of {one['n']}"


def _scores(scores: list[dict[str, Any]], names: Mapping[str, str]) -> Iterator[str]:
    """Figures of merit beside the accuracy, a line a model."""
    for one in scores:
        if one["name"] in names:
            shown = [f"{printable(what)} {amount(value)}" for what, value in one["values"].items()]
            yield click.wrap_text(
                f"{names[one['name']]:<26} {', '.join(shown)}", 80, "  ", " " * 29, preserve_paragraphs=False
            )


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
    width = _width(printable(name) for name, _ in sizes)
    for index, (name, size_bytes) in enumerate(sizes):
        share = f"{100 * size_bytes / sizes[0][1]:.1f} % of {first}" if index else ""
        yield f"  {printable(name):<{width}} {size(size_bytes):>12} {share}".rstrip()


def _width(names: Iterable[str]) -> int:
    """Of a column of names: that of the checks, or more where a name needs it; very long ones stick out."""
    return min(max([26, *map(len, names)]), 32)


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
