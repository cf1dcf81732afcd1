"""`pipeline inspect`: what is inside a .tflite file, and what is wrong with it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from models.errors import InputError
from pipeline.cli.lazy import examples
from pipeline.cli.output import print_table, printable
from pipeline.cli.page import require_writable, write_page

if TYPE_CHECKING:
    from converters.findings import Finding
    from converters.findings.memory import Memory
    from converters.inspection import Inspection
    from converters.summary import LstmSummary, TensorSummary

COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


@click.command(
    epilog=examples(
        "pipeline inspect build/japanese-vowels/model_int8.tflite",
        "pipeline inspect stock.tflite --strict --html stock.html",
        "pipeline inspect build/japanese-vowels/model_int8.tflite --json",
        "pipeline inspect build/har/model_int8.tflite --data build/har/golden.npz",
    )
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Also write a page to FILE.")
@click.option(
    "--data", type=click.Path(path_type=Path), metavar="FILE",
    help="Run MODEL on these windows: .npz with features (and lengths), or .npy. Default: seeded noise.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit with 1 on a warning too.")
def inspect(model: Path, as_json: bool, html: Path | None, data: Path | None, strict: bool) -> int:
    """Show what is in MODEL, any .tflite file, and what is wrong with it.

    Ops, sizes, memory, the LSTM's quantization parameters, and findings: what was found, what it does to
    the answers, what to do about it. MODEL is run in a process of its own to measure that. Exit code 1: there
    is an error among the findings.
    """
    from converters.inspection import inspect_model

    require_writable(html)
    windows, lengths = (None, None) if data is None else _windows(data)
    inspection = inspect_model(model, windows, "" if data is None else data.name, lengths)
    if as_json:
        click.echo(json.dumps(inspection.to_dict(), indent=2, allow_nan=False))
    else:
        _print(model.name, inspection)
    if html is not None:
        from pipeline.report.inspection import render

        write_page(html, render(model.name, inspection))
        if not as_json:
            _say(f"Page: {html}")
    return 0 if inspection.passed(strict) else 1


def _windows(path: Path) -> tuple[Any, Any]:
    """[n, ...] numbers and, where there are any, lengths [n]; whether they fit is for the model to say."""
    from pipeline.data.archive import as_windows, read_npy, read_npz
    from pipeline.data.lengths import checked_lengths, lengths_key, zeros_for_padding

    def choose(names: tuple[str, ...]) -> tuple[str, ...]:
        if "features" not in names:
            raise InputError(
                f"'{path.name}' has no array 'features': windows as the model's float input takes them. "
                f"It has: {', '.join(names) or 'nothing'}."
            )
        told = lengths_key("features", names)
        return ("features",) if told is None else ("features", told)

    if path.suffix.lower() != ".npz":
        return as_windows(path.name, read_npy(path)), None
    values, *more = read_npz(path, choose).values()
    windows = as_windows(path.name, values)
    if not more or windows.ndim != 3:
        return windows, None
    lengths = checked_lengths("lengths", more[0], windows, "features")
    return zeros_for_padding(windows, lengths), lengths


def _print(name: str, inspection: "Inspection") -> None:
    summary = inspection.summary
    _print_overview(name, inspection)
    print_table(
        ("op", "count", "output types", "weights, bytes"),
        [(op.name, op.count, ", ".join(op.dtypes), op.weight_bytes or "") for op in summary.ops],
        right=(1, 3),
    )
    for lstm in summary.lstms:
        _print_lstm(lstm)
    if summary.metadata is not None:
        _print_metadata(summary.metadata)
    for finding in inspection.findings:
        _print_finding(finding)
    _print_verdict(inspection)


def _print_overview(name: str, inspection: "Inspection") -> None:
    summary = inspection.summary
    _say(
        f"{name}: {summary.size_bytes / 1024:.1f} KiB, of which weights {summary.weight_bytes / 1024:.1f} KiB"
    )
    _say(f"Memory at work: {_memory(inspection.memory)}")
    has_none = any(finding.rule == "no-lstm" for finding in inspection.findings)
    fused = "there is none" if has_none else _yes(summary.fused)
    _say(f"LSTM fused: {fused}. Integers only: {_yes(summary.integer_only)}.")
    for signature in summary.signatures:
        _say(f"Signature {signature.key}: {', '.join(signature.inputs)} -> {', '.join(signature.outputs)}")
    tensors = [("input", tensor) for tensor in summary.inputs] + [("output", t) for t in summary.outputs]
    print_table(("", "tensor", *_COLUMNS), [(role, t.name, *_cells(t)) for role, t in tensors], right=(4, 5))


def _print_lstm(lstm: "LstmSummary") -> None:
    clip = f"clipped at {lstm.cell_clip:g}" if lstm.cell_clip else "not clipped"
    _say(f"LSTM {lstm.name}: {lstm.kind}")
    _say(f"{lstm.units} units, {lstm.features} features, {lstm.steps} steps, cell state {clip}")
    print_table(("tensor", *_COLUMNS), [(role, *_cells(t)) for role, t in lstm.parameters], right=(3, 4))


def _print_metadata(metadata: dict[str, Any]) -> None:
    task = metadata.get("task")
    called = {"multi-label": "label names", "regression": "target names"}.get(str(task), "class names")
    keys = ("name", "task", "class_names", "target_units", "channel_names", "channel_units", "sample_rate_hz")
    for key in keys:
        value = metadata.get(key)
        shown = ", ".join(filter(None, map(str, value))) if isinstance(value, list) else value
        if shown:
            what = called if key == "class_names" else key.replace("_", " ")
            _say(f"{what.capitalize()}: {shown}")
    for key, what in (("front_end", "Front end"), ("provenance", "Made with")):
        said = metadata.get(key)
        if isinstance(said, dict) and said:
            _say(f"{what}: " + ", ".join(f"{name} {value}" for name, value in said.items()))


def _print_finding(finding: "Finding") -> None:
    severity = click.style(finding.severity, fg=COLOURS[finding.severity], bold=True)
    where = f" in {printable(finding.layer)}" if finding.layer else ""
    heading = f"{severity} {click.style(finding.rule, bold=True)}{where}"
    click.echo("\n" + click.wrap_text(heading, width=80, subsequent_indent="  "))
    for text in (finding.message, f"Remedy: {finding.remedy}" if finding.remedy else ""):
        if text:
            _say(text, indent="  ")


def _print_verdict(inspection: "Inspection") -> None:
    counts = [
        f"{count} {severity if count == 1 or severity == 'info' else severity + 's'}"
        for severity in COLOURS
        if (count := inspection.count(severity))
    ]
    worst = inspection.findings[0].severity if inspection.findings else "info"
    click.echo("\n" + click.style(", ".join(counts) or "No findings", fg=COLOURS[worst], bold=True))


def _memory(memory: "Memory") -> str:
    """How much, and how we know."""
    if memory.source == "interpreter":
        return f"{memory.bytes / 1024:.1f} KiB, as LiteRT without delegates lays it out here"
    return f"at least {memory.bytes / 1024:.1f} KiB, computed from the tensors, without the kernels' scratch"


_COLUMNS = ("type", "shape", "scale", "zero point")


def _cells(tensor: "TensorSummary") -> tuple[str, str, str, str]:
    """Type, shape, scale and zero point; one scale a channel: from where to where."""
    shape = "x".join(map(str, tensor.shape))
    return tensor.dtype, shape, _span(tensor.scales, ".4g"), _span(tensor.zero_points, "d")


def _span(values: Sequence[float], form: str) -> str:
    if not values:
        return ""
    low, high = min(values), max(values)
    return f"{low:{form}}" if low == high else f"{low:{form}} to {high:{form}}"


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


def _say(text: str, indent: str = "") -> None:
    following = indent or "  "
    click.echo(click.wrap_text(printable(text), width=80, initial_indent=indent, subsequent_indent=following))
