"""`pipeline inspect`: what is inside a .tflite file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.lazy import examples
from pipeline.cli.output import print_table, printable

if TYPE_CHECKING:
    from converters.summary import LstmSummary, ModelSummary, TensorSummary


@click.command(
    epilog=examples(
        "pipeline inspect build/japanese-vowels/model_int8.tflite",
        "pipeline inspect build/japanese-vowels/model_int8.tflite --json",
    )
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
def inspect(model: Path, as_json: bool) -> None:
    """Show the ops, sizes, LSTM quantization parameters and state rule of MODEL, any .tflite file.

    Says whether the LSTM is fused, and lists what deserves a look. Nothing is run.
    """
    from converters.summary import summarize

    summary = summarize(model)
    if as_json:
        click.echo(json.dumps(summary.to_dict(), indent=2))
        return
    _print_overview(model.name, summary)
    print_table(
        ("op", "count", "output types"),
        [(op.name, op.count, ", ".join(op.dtypes)) for op in summary.ops],
        right=(1,),
    )
    for lstm in summary.lstms:
        _print_lstm(lstm)
    for finding in summary.findings:
        _say(f"Look at: {finding}")
    if summary.state_rule:
        _say(f"State: {summary.state_rule}")
    if summary.metadata is not None:
        _print_metadata(summary.metadata)


def _print_overview(name: str, summary: "ModelSummary") -> None:
    _say(
        f"{name}: {summary.size_bytes / 1024:.1f} KiB, of which weights {summary.weight_bytes / 1024:.1f} KiB"
    )
    _say(f"LSTM fused: {_yes(summary.fused)}. Integers only: {_yes(summary.integer_only)}.")
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
    for key in ("name", "class_names", "channel_names", "channel_units", "sample_rate_hz"):
        value = metadata.get(key)
        if value:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            _say(f"{key.replace('_', ' ').capitalize()}: {shown}")
    provenance = metadata.get("provenance")
    if isinstance(provenance, dict) and provenance:
        _say("Made with: " + ", ".join(f"{name} {value}" for name, value in provenance.items()))


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


def _say(text: str) -> None:
    click.echo(click.wrap_text(printable(text), width=80, subsequent_indent="  "))
