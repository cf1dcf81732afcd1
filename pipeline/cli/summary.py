"""What a build says last, on stdout: verdict, parity table, accuracies, sizes, where the report is."""

from typing import Any

import click

from pipeline.build import BuildResult
from pipeline.cli.output import print_table, printable


def print_summary(result: BuildResult) -> None:
    """Print a finished build's results; what was not reached is not mentioned."""
    if result.parity is not None:
        _print_parity(result.parity)
    sizes = {name: path.stat().st_size for name, path in result.files.items() if name.endswith(".tflite")}
    for name, size_bytes in sizes.items():
        click.echo(f"{name}: {size_bytes / 1024:.1f} KiB")
    if {"model_int8.tflite", "model_float32.tflite"} <= sizes.keys():
        ratio = sizes["model_int8.tflite"] / sizes["model_float32.tflite"]
        click.echo(f"int8 is {ratio:.1%} of the float32 file")
    for note in (result.parity or {}).get("notes", []):
        click.echo(f"Note: {printable(note)}")
    if "report.html" in result.files:
        click.echo(f"Report: {result.files['report.html']}")
    else:
        click.echo(f"Files: {result.out}")
    if result.parity is not None:
        click.echo("PARITY PASSED" if result.passed else "PARITY FAILED")


def _print_parity(parity: dict[str, Any]) -> None:
    rows = [
        (
            check["name"],
            check["reference"],
            _number(check["value"]),
            f"{check['relation']} {_number(check['limit'])}" if check["limit"] is not None else "reported",
            {True: "pass", False: "FAIL", None: ""}[check["passed"]],
        )
        for check in parity["checks"]
    ]
    print_table(("check", "against", "value", "limit", "verdict"), rows, right=(2,))
    for one in parity.get("accuracies", []):
        click.echo(
            f"accuracy of {printable(one['name'])}: {_number(one['value'])} "
            f"({one['correct']}/{one['n']}, 95 % interval {_number(one['low'])} to {_number(one['high'])})"
        )


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
