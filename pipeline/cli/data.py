"""`pipeline data`: the data sets by name."""

import click

from pipeline.cli.lazy import examples
from pipeline.cli.output import printable


@click.group(epilog=examples("pipeline data list"))
def data() -> None:
    """Look at the data sets."""


@data.command("list", epilog=examples("pipeline data list", "pipeline build --data basic-motions"))
def list_() -> None:
    """List the data sets that `--data` knows by name."""
    from pipeline.data.registry import describe

    for info in describe():
        lines = (info.summary, info.shape, info.attribution)
        click.echo("\n".join([printable(info.name), *(f"  {printable(line)}" for line in lines)]))
