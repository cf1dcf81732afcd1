"""`pipeline run`: windows in, JSON lines out."""

import functools
import json
from pathlib import Path
from typing import Any

import click

from models.errors import InputError
from pipeline.cli.lazy import examples


@click.command(
    epilog=examples(
        "pipeline run build/japanese-vowels/model_int8.tflite --input window.csv",
        "pipeline run build/japanese-vowels/model_int8.tflite --input build/japanese-vowels/golden.npz",
    )
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--input", "windows", required=True, type=click.Path(path_type=Path), metavar="FILE",
    help="Windows in raw units: .csv (one), .npy, or .npz with raw_features or x_test.",
)  # fmt: skip
def run(model: Path, windows: Path) -> None:
    """Classify the windows of FILE with MODEL and print one JSON object a line.

    Each has window, label, class_index, probabilities by class name, and attention_weights, one a time step.
    """
    from models.quiet_tensorflow import stderr_held_back
    from pipeline.runtime import ModelFileError, SequenceClassifier, WindowError
    from pipeline.windows import read_windows

    try:
        with stderr_held_back():  # the interpreter tells about its delegate
            classifier = SequenceClassifier(model)
    except ModelFileError as error:
        tip = "Is the file whole? Copy it again, or build it again."
        raise InputError(f"'{model}': {error}", tip) from error
    names = classifier.metadata["class_names"]
    tell = functools.partial(click.echo, err=True)
    for index, window in enumerate(read_windows(windows, classifier.metadata["channel_names"], tell)):
        try:
            found = classifier.predict(window)
        except WindowError as error:
            raise InputError(f"Window {index} of '{windows.name}': {error}") from error
        line = {
            "window": index,
            "label": found.label,
            "class_index": found.class_index,
            "probabilities": dict(zip(names, _shortest(found.probabilities), strict=True)),
            "attention_weights": _shortest(found.attention_weights),
        }
        click.echo(json.dumps(line, ensure_ascii=True, allow_nan=False))


def _shortest(values: Any) -> list[float]:
    """float32 values as the shortest decimal numbers that are read back as the same float32."""
    return [float(str(value)) for value in values]
