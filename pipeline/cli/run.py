"""`pipeline run`: windows in, JSON lines out."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from models.errors import InputError
from pipeline.cli.kernels import kernels_option
from pipeline.cli.lazy import examples

if TYPE_CHECKING:
    import numpy as np

    from pipeline.runtime import SequenceModel


@click.command(
    epilog=examples(
        "pipeline run build/japanese-vowels/model_int8.tflite --input window.csv",
        "pipeline run build/har/model_int8.tflite --input build/har/golden.npz",
        "pipeline run build/fsdd/model_int8.tflite --input 7_jackson_3.wav",
        "pipeline run build/fsdd/model_int8.tflite --input w.csv --kernels auto",
    )
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--input", "windows", required=True, type=click.Path(path_type=Path), metavar="FILE",
    help="Windows in raw units: .csv (one), .npy, or .npz with raw_features or x_test; .wav for audio.",
)  # fmt: skip
@kernels_option("What runs the LSTMs.")
def run(model: Path, windows: Path, kernels: str) -> None:
    """Run MODEL on the windows of FILE and print one JSON object a line.

    Each has window, label, class_index, probabilities by class name, and attention_weights, one a time step.
    A model of several labels has labels, one of values has values and units by name, one of steps a label
    and probabilities for each. What ran the LSTMs is said on stderr where it was asked for.
    """
    from models.quiet_tensorflow import stderr_held_back
    from pipeline.predictions import to_json
    from pipeline.runtime import KernelsError, ModelFileError, WindowError, load_model

    try:
        with stderr_held_back():  # the interpreter tells about its delegate
            loaded = load_model(model, kernels=kernels)
    except KernelsError as error:
        raise InputError(f"'{model}': {error}", "--kernels auto takes the built-in kernel then.") from error
    except ModelFileError as error:
        raise InputError(f"'{model}': {error}", _tip(model)) from error
    names = loaded.metadata["class_names"]
    tell = functools.partial(click.echo, err=True)
    if kernels != "builtin":
        tell(f"LSTM kernels: {loaded.kernels_note}")
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


def _tip(model: Path) -> str:
    """What to try with a model that cannot be opened."""
    if not model.exists():
        return "Check the path; `pipeline build` writes the model files into the folder of its --out."
    if model.is_dir():
        return "Give one of the .tflite files in this folder."
    return "Is the file whole? Copy it again, or build it again."
