"""`pipeline data`: the data sets by name, and a look at the user's own."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.flags import ConfigCommand, given_flags, reading_options
from pipeline.cli.lazy import examples
from pipeline.cli.output import print_table, printable

if TYPE_CHECKING:
    from pipeline.data.describe import Description


@click.group(epilog=examples("pipeline data list", "pipeline data describe recordings.npz"))
def data() -> None:
    """Look at the data sets."""


@data.command("list", epilog=examples("pipeline data list", "pipeline build --data basic-motions"))
def list_() -> None:
    """List the data sets that `--data` knows by name."""
    from pipeline.data.registry import describe

    for info in describe():
        lines = (info.summary, info.shape, info.attribution)
        click.echo("\n".join([printable(info.name), *(f"  {printable(line)}" for line in lines)]))


@data.command(
    "describe",
    cls=ConfigCommand,
    epilog=examples(
        "pipeline data describe recordings.npz",
        "pipeline data describe walks.csv --csv-window 128 --group subject",
        "pipeline data describe digits --config examples/spoken-digits.toml --json",
    ),
)
@click.argument("source", metavar="PATH")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="TOML file; flags win.")
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
@reading_options
def describe(source: str, config: Path | None, as_json: bool, **flags: Any) -> None:
    """Read the data at PATH, or of that name, as a build would, and say what it is.

    Counts, lengths, balance, ranges, what was done to it, and what is suspicious: channels that never change,
    windows in both parts, clipping, classes out of balance. What no build could read is an error here too.
    """
    from pipeline.config_reader import read_config
    from pipeline.data import load_dataset
    from pipeline.data.describe import describe_dataset
    from pipeline.data.options import ReadOptions

    read = read_config(config, {**given_flags(flags), "data": source})
    options = ReadOptions(read.model.task, read.data, read.csv, read.audio, read.train.seed)
    found = describe_dataset(load_dataset(source, options=options))
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=True, allow_nan=False))
    else:
        _print(found)


def _print(found: "Description") -> None:
    rate = f", {found.sample_rate_hz:g} steps a second" if found.sample_rate_hz else ""
    _say(f"{found.name}: {found.task}, windows of {found.steps} steps{rate}, {len(found.channels)} channels")
    if found.front_end is not None:
        _say("Front end: " + ", ".join(f"{name} {value}" for name, value in found.front_end.items()))
    for note in found.notes:
        _say(note)
    print_table(
        ("part", "windows", "shortest", "median", "longest"),
        [(name, p.windows, p.shortest, f"{p.median:g}", p.longest) for name, p in found.parts.items()],
        right=range(1, 5),
    )
    if found.held_out is not None:
        _say(f"{found.held_out} of the training windows are set aside for validation by the data itself.")
    what = {"regression": "target, mean", "multi-label": "label", "per-step": "class, steps"}
    print_table(
        (what.get(found.task, "class"), "train", "test"),
        [(one.name, f"{one.train:g}", f"{one.test:g}") for one in found.labels],
        right=(1, 2),
    )
    print_table(
        ("channel", "unit", "smallest", "mean", "largest", "deviation"),
        [
            (one.name, one.unit, *(f"{v:.4g}" for v in (one.smallest, one.mean, one.largest, one.std)))
            for one in found.channels
        ],
        right=range(2, 6),
    )
    if not found.suspicious:
        _say("Nothing suspicious.")
    for finding in found.suspicious:
        _say(f"Suspicious: {finding}")


def _say(text: str) -> None:
    click.echo(click.wrap_text(printable(text), width=80, subsequent_indent="  "))
