"""`pipeline build`: from data to a verified int8 file."""

import os
import warnings
from pathlib import Path
from typing import Any

import click

from pipeline.cli.errors import Terminated
from pipeline.cli.flags import ConfigCommand, config_options, given_flags
from pipeline.cli.lazy import examples
from pipeline.stages import NAMES

STAGES = click.Choice(NAMES)


@click.command(
    cls=ConfigCommand,
    epilog=examples(
        "pipeline build --quantize int8",
        "pipeline build --data basic-motions --units 32 --out build/watch",
        "pipeline build --data recordings.npz --config project.toml --seed 1",
        "pipeline build --quantize int8 --attention-precision int16",
        "pipeline build --until convert --no-qat",
        "pipeline build --redo train",
    ),
)
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="TOML file; flags win.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Output folder [default: build/<data>]"
)
@click.option("--until", type=STAGES, help="Stop after this stage.")
@click.option("--redo", type=STAGES, multiple=True, help="Run this stage again; may be given several times.")
@click.option("--fresh", is_flag=True, help="Forget all stored results of the output folder first.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
@config_options
def build(
    config: Path | None,
    out: Path | None,
    until: str | None,
    redo: tuple[str, ...],
    fresh: bool,
    quiet: bool,
    **flags: Any,
) -> int:
    """Train an LSTM with attention, quantize it, convert it with the LSTM fused, verify int8 against float.

    Finished stages are stored: a second run redoes only what a changed option, file or version touches, and
    says why. Every field below is also a key of the TOML file. Exit code 1: a file misses a limit.
    """
    from pipeline import build as engine
    from pipeline.cli.progress import listener
    from pipeline.cli.summary import print_summary
    from pipeline.config_reader import read_config

    resolved = read_config(config, given_flags(flags))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only; set before TensorFlow is imported
    warnings.simplefilter("ignore")  # of libraries, to their authors; ours are messages
    try:
        with listener(quiet) as progress:
            result = engine.build(
                resolved,
                out or Path("build") / Path(resolved.data.source).resolve().stem,
                progress,
                until=until,
                redo=redo,
                fresh=fresh,
            )
    except (KeyboardInterrupt, Terminated) as stop:
        stop.add_note("A build keeps its finished stages and goes on from there.")
        raise
    print_summary(result)
    return 0 if result.passed else 1
