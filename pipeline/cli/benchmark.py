"""`pipeline benchmark`: what models cost, beside each other and beside their peers."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from models.errors import InputError
from pipeline.cli.lazy import examples
from pipeline.cli.output import print_table, printable
from pipeline.cli.page import require_writable, write_page

if TYPE_CHECKING:
    from pipeline.benchmark.result import Benchmark
    from pipeline.report.table import Table

PEERS = ("onnxruntime", "unfused")  # pipeline.benchmark.peers.PEERS, not imported for --help; a test compares


@click.command(
    epilog=examples(
        "pipeline benchmark build/har",
        "pipeline benchmark build/har --peer unfused --html cost.html",
        "pipeline benchmark theirs.tflite model_int8.tflite --runs 1000 --json",
    )
)
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--runs", type=click.IntRange(min=1), default=200, show_default=True,
    help="How often each model is called; a p99 takes 100.",
)  # fmt: skip
@click.option(
    "--warm-up", type=click.IntRange(min=0), default=10, show_default=True,
    help="Calls of each before those that count.",
)  # fmt: skip
@click.option(
    "--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Threads each model may use."
)
@click.option(
    "--peer", "peers", multiple=True, type=click.Choice(PEERS),
    help="A peer to time in the same run; may be given again. unfused loads TensorFlow. "
    "Default: onnxruntime, where it is installed.",
)  # fmt: skip
@click.option("--no-peers", is_flag=True, help="Time no peers.")
@click.option("--no-profile", is_flag=True, help="Do not time the operators.")
@click.option(
    "--instructions", is_flag=True,
    help="Also count executed instructions on an emulated Arm core, which is set up on first use.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Also write a page to FILE.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
def benchmark(
    models: tuple[Path, ...],
    runs: int,
    warm_up: int,
    threads: int,
    peers: tuple[str, ...],
    no_peers: bool,
    no_profile: bool,
    instructions: bool,
    as_json: bool,
    html: Path | None,
    quiet: bool,
) -> None:
    """Measure what each MODEL costs: .tflite files, ours or not, and build folders with all their files.

    Latency by percentiles, start-up, memory, file size, time by operator, and the same for peers that run the
    same model. All models take turns in one run, so that their ratios are fair on a busy machine too.
    """
    from pipeline.benchmark.instructions import emulated
    from pipeline.benchmark.run import benchmark as measure
    from pipeline.cli.progress import listener

    if no_peers and peers:
        raise InputError("--peer and --no-peers exclude each other.", "Leave one of them out.")
    chosen = () if no_peers else tuple(dict.fromkeys(peers)) or ("onnxruntime",)
    require_writable(html)
    with listener(quiet) as progress:
        found = measure(
            models, rounds=runs, warm_up=warm_up, threads=threads, peers=chosen, profile=not no_profile,
            counter=emulated(progress) if instructions else None, progress=progress,
        )  # fmt: skip
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2, allow_nan=False))
    else:
        _print(found)
    if html is not None:
        from pipeline.report.benchmark import render

        write_page(html, render(found))
        if not as_json:
            _say(f"Page: {html}")


def _print(found: "Benchmark") -> None:
    from pipeline.report import benchmark_tables as tables

    _say(tables.environment(found))
    _say(tables.method(found))
    for warning in found.warnings:
        _say(f"Warning: {warning}")
    click.echo()
    counted = tables.instructions(found)
    profiles = [tables.operators(one, found) for one in found.profiles if not one.skipped]
    operators = [*profiles, *tables.operator_instructions(found)]
    for table in (tables.latency(found), tables.cost(found), *([counted] if counted else []), *operators):
        _print_table(table)
    for note in tables.notes(found):
        _say(note)
    for one in found.paddings:
        _say(tables.padding(one))
    for line in found.missing:
        _say(f"Not measured: {line}")


def _print_table(table: "Table") -> None:
    _say(table.title)
    profile = table.headings[:2] == ("operator", "output")
    print_table(table.headings, table.rows, right=range(2 if profile else 1, len(table.headings)))
    _say(table.note)
    click.echo()


def _say(text: str) -> None:
    click.echo(click.wrap_text(printable(text), width=80, subsequent_indent="  "))
