"""`pipeline run`: windows in, JSON lines out."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from models.errors import InputError
from pipeline.cli.lazy import examples

if TYPE_CHECKING:
    import numpy as np

    from pipeline.runtime import SequenceModel


@click.command(
    epilog=examples(
        "pipeline run build/japanese-vowels/model_int8.tflite --input window.csv",
        "pipeline run build/har/model_int8.tflite --input build/har/golden.npz",
        "pipeline run build/fsdd/model_int8.tflite --input 7_jackson_3.wav",
    )
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--input", "windows", required=True, type=click.Path(path_type=Path), metavar="FILE",
    help="Windows in raw units: .csv (one), .npy, or .npz with raw_features or x_test; .wav for audio.",
)  # fmt: skip
def run(model: Path, windows: Path) -> None:
    """Run MODEL on the windows of FILE and print one JSON object a line.

    Each has window, label, class_index, probabilities by class name, and attention_weights, one a time step.
    A model of several labels has labels, one of values has values and units by name, one of steps a label
    and probabilities for each.
    """
    from models.quiet_tensorflow import stderr_held_back
    from pipeline.predictions import to_json
    from pipeline.runtime import ModelFileError, WindowError, load_model

    try:
        with stderr_held_back():  # the interpreter tells about its delegate
            loaded = load_model(model)
    except ModelFileError as error:
        tip = "Is the file whole? Copy it again, or build it again."
        raise InputError(f"'{model}': {error}", tip) from error
    names = loaded.metadata["class_names"]
    tell = functools.partial(click.echo, err=True)
    for index, window in enumerate(_windows(loaded, windows, tell)):
        try:
            found = loaded.predict(window)
        except WindowError as error:
            raise InputError(f"Window {index} of '{windows.name}': {error}") from error
        line = {"window": index, **to_json(found, names)}
        click.echo(json.dumps(line, ensure_ascii=True, allow_nan=False))


def _windows(model: "SequenceModel", path: Path, tell: Callable[[str], None]) -> "list[np.ndarray]":
    """The windows of a file; one, the features, of a recording."""
    from pipeline.data.wav import read_wav
    from pipeline.runtime import ModelFileError, WindowError
    from pipeline.windows import read_windows

    if path.suffix.lower() != ".wav":
        return read_windows(path, model.metadata["channel_names"], tell)
    try:
        return [model.features_of(*read_wav(path))]
    except (ModelFileError, WindowError) as error:
        raise InputError(f"'{path.name}': {error}") from error
