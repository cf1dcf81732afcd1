"""`pipeline quantize`: from a trained Keras model to a verified int8 file."""

import os
import warnings
from pathlib import Path
from typing import Any

import click

from pipeline.cli.flags import ConfigCommand, brought_options, given_flags
from pipeline.cli.lazy import examples

TASKS = click.Choice(("classification", "multi-label", "regression", "per-step"))


@click.command(
    cls=ConfigCommand,
    epilog=examples(
        "pipeline quantize model.keras --data mine.npz",
        "pipeline quantize m.h5 --data mine.npz --check-output attention",
        "pipeline quantize saved_model --data mine.npz --output decision --no-qat",
        "pipeline quantize model.keras --data mine.npz --quantize float16",
    ),
)
@click.argument("model", metavar="MODEL", type=click.Path(path_type=Path))
@click.option(
    "--data", "source", required=True, metavar="SOURCE",
    help="Name of a data set or path of an .npz: windows as the model takes them, and labels.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Output folder [default: build/<model>]"
)
@click.option(
    "--check-output", "check", multiple=True, metavar="NAME",
    help="A layer whose values are checked too (NAME:1, its second result); may be given again.",
)  # fmt: skip
@click.option("--output", metavar="NAME", help="The output that answers [default: the first].")
@click.option("--task", type=TASKS, help="What a linear answer is [default: from the data].")
@click.option("--fresh", is_flag=True, help="Forget all stored results of the output folder first.")
@click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
@brought_options
def quantize(
    model: Path,
    source: str,
    out: Path | None,
    check: tuple[str, ...],
    output: str | None,
    task: str | None,
    fresh: bool,
    quiet: bool,
    **flags: Any,
) -> int:
    """Quantize MODEL, a trained Keras model with LSTM layers, and verify the int8 file against it.

    MODEL is a .keras or .h5 file of tf_keras or Keras 3, or a SavedModel folder of tf_keras. Nothing in it is
    executed. Its LSTM layers are rebuilt so that they fuse, with equal answers; what cannot be is refused
    with the reason. Files, reports and exit codes are those of `build`.
    """
    from pipeline import build as engine
    from pipeline.brought import stages_for
    from pipeline.brought.original import Wanted, require_file
    from pipeline.cli.progress import listener
    from pipeline.cli.summary import print_summary
    from pipeline.config_reader import read_config

    require_file(model)
    resolved = read_config(None, {**given_flags(flags), "data": source})
    wanted = Wanted(model, output, check, task)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only; set before TensorFlow is imported
    warnings.simplefilter("ignore")  # of libraries, to their authors; ours are messages
    with listener(quiet) as progress:
        result = engine.build(
            resolved, out or Path("build") / model.stem, progress, fresh=fresh, stages=stages_for(wanted)
        )
    print_summary(result)
    return 0 if result.passed else 1
