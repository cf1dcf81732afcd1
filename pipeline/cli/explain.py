"""`pipeline explain`: where the error of an int8 LSTM comes from."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.lazy import examples
from pipeline.cli.output import print_table, printable
from pipeline.cli.page import require_writable, write_page

if TYPE_CHECKING:
    from converters.microscope.explanation import LstmExplanation
    from pipeline.explain import Explanation
    from pipeline.report.table import Table


@click.command(
    epilog=examples(
        "pipeline explain model_int8.tflite --data japanese-vowels",
        "pipeline explain model_int8.tflite --data golden.npz --html why.html",
        "pipeline explain their_int8.tflite --reference their.tflite --data t.npz",
    )
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--data", "source", required=True, metavar="SOURCE",
    help="Name of a data set, an .npz with x_test or features, or a build's golden.npz.",
)  # fmt: skip
@click.option(
    "--windows", type=click.IntRange(min=1), default=100, show_default=True,
    help="How many windows to take at most, a seeded sample.",
)  # fmt: skip
@click.option(
    "--reference", type=click.Path(path_type=Path), metavar="FLOAT",
    help="The float file it was made from [default: model_float32.tflite beside it, else its own weights].",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Also draw a page into FILE.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def explain(
    model: Path,
    source: str,
    windows: int,
    reference: Path | None,
    as_json: bool,
    html: Path | None,
    quiet: bool,
) -> None:
    """Put each fused int8 LSTM of MODEL under the microscope.

    Step by step and gate by gate: the float value, the integer value, the error; where gates and cell
    saturate, how the error drifts along time, and which rounding and which gate it comes from: each is
    switched off, and on alone.
    """
    from pipeline.cli.progress import listener
    from pipeline.data.given import read_given
    from pipeline.explain import explain as explain_file

    require_writable(html)
    with listener(quiet) as progress:
        found = explain_file(model, read_given(source, labels=False), windows, reference, progress)
    if as_json:
        click.echo(json.dumps(found.to_dict(), allow_nan=False))
    else:
        _print(found)
    if html is not None:
        from pipeline.report.explanation import render

        write_page(html, render(found))
        if not as_json:
            _say(f"Page: {html}")


def _print(found: "Explanation") -> None:
    _say(f"{found.model}: {found.windows} of {found.available} windows of {found.data}")
    if found.reference is not None:
        _say(f"The float side is the float LSTM with the weights of {found.reference}.")
    for note in found.notes:
        _say(f"Note: {note}")
    for lstm in found.lstms:
        _print_lstm(lstm)


def _print_lstm(lstm: "LstmExplanation") -> None:
    from pipeline.report import explanation_tables as tables

    click.echo()
    _say(f"LSTM {lstm.name}: {lstm.units} units, {lstm.features} features, {lstm.steps} steps")
    _say(f"Equal to the interpreter's, to the last bit: all {lstm.outputs_equal:,} hidden states.")
    _say(tables.headline(lstm))
    _say(tables.saturated_input(lstm))
    click.echo()
    for table in (tables.by_rounding(lstm), tables.by_gate(lstm), tables.gates(lstm)):
        _print_table(table)
    _say(f"Cell state. {tables.cell(lstm)}")
    click.echo()
    _print_table(tables.along_time(lstm))
    _print_table(tables.focus(lstm))


def _print_table(table: "Table") -> None:
    _say(table.title)
    print_table(table.headings, table.rows, right=range(1, len(table.headings)))
    _say(table.note)
    click.echo()


def _say(text: str) -> None:
    if text:
        click.echo(click.wrap_text(printable(text), width=80, subsequent_indent="  "))
