"""`pipeline export`: a folder for a device, made of a build."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from pipeline.cli.lazy import LazyGroup, examples
from pipeline.cli.output import printable

KINDS = {
    "python": ("pipeline.cli.export:python", "For a Raspberry Pi or any Linux: numpy and an interpreter."),
    "c": ("pipeline.cli.export:c", "For a microcontroller: the model as a C array."),
    "android": ("pipeline.cli.export:android", "For a phone: a model put into the Android app."),
}


@click.group(
    cls=LazyGroup,
    lazy=KINDS,
    epilog=examples(
        "pipeline export python build/device",
        "pipeline export c firmware/model --from build/basic-motions",
        "pipeline export android android_demo --from build/basic-motions",
    ),
)
def export() -> None:
    """Make a folder for a device from a build.

    Each kind carries the model, what its inputs and outputs mean, and windows with the answers it has to
    give there.
    """


def _from(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--from", "build", type=click.Path(path_type=Path), default=Path("build/japanese-vowels"),
        show_default=True, metavar="BUILD", help="The folder that `pipeline build` wrote.",
    )(function)  # fmt: skip


def _model(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--model", metavar="NAME", help="Which file of the build [default: model_int8.tflite]."
    )(function)


def _force(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--force", is_flag=True,
        help="Write into a folder that is not an export too, where all but files of the same names stays; "
        "export a model whose parity failed or was not verified.",
    )(function)  # fmt: skip


def _say(files: Iterable[Path]) -> None:
    for file in files:
        click.echo(printable(file))


@click.command(
    epilog=examples(
        "pipeline export python build/device",
        "pipeline export python build/pi --from build/har --streaming",
    )
)
@click.argument("out", metavar="DIR", type=click.Path(path_type=Path))
@_from
@_model
@click.option("--streaming", is_flag=True, help="Also take samples as they come: see docs/streaming.md.")
@_force
def python(out: Path, build: Path, model: str | None, streaming: bool, force: bool) -> None:
    """Write DIR: model, runtime, golden vectors, requirements, and a self-test.

    On the device: `pip install -r requirements.txt` (numpy and ai-edge-litert), then
    `python selftest.py`. Neither TensorFlow nor this project is needed there.
    """
    from pipeline.export.python import export_python

    _say(export_python(build, out, model, streaming, force))


@click.command(epilog=examples("pipeline export c firmware/model --from build/basic-motions"))
@click.argument("out", metavar="DIR", type=click.Path(path_type=Path))
@_from
@_model
@_force
def c(out: Path, build: Path, model: str | None, force: bool) -> None:
    """Write DIR: the int8 model as an aligned C array, its constants, and golden vectors.

    For TensorFlow Lite Micro: the header lists the ops for its resolver and estimates the arena. Inputs and
    outputs are integers; of a model with float ones the conversion at the border is cut off. `make check`
    in DIR compiles and checks what was written.
    """
    from pipeline.export.c import export_c

    _say(export_c(build, out, model, force))


@click.command(epilog=examples("pipeline export android android_demo --from build/basic-motions"))
@click.argument("app", metavar="APP", type=click.Path(path_type=Path))
@_from
@click.option("--force", is_flag=True, help="Export a model whose parity failed or was not verified.")
def android(app: Path, build: Path, force: bool) -> None:
    """Put the int8 model of a build and its golden vectors into APP, the Android app's folder."""
    from pipeline.export.android import export_android

    _say(export_android(build, app, force))
