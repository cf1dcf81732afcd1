"""The option `--kernels`, the same for every command that runs a model."""

from collections.abc import Callable
from typing import Any

import click

CHOICES = ("builtin", "auto", "fuselage")


def kernels_option(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--kernels`; `what` says what it is for."""
    return click.option(
        "--kernels", type=click.Choice(CHOICES), default="builtin", show_default=True, metavar="NAME",
        help=f"{what} builtin: the interpreter's own; fuselage: those of fuselage-kernels, which have to run "
        "every fused LSTM; auto: these where they run. The results are the same to the last bit.",
    )  # fmt: skip
