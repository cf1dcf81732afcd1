"""A model in memory, and its trained twin, to a .tflite file: what the stage `convert` does, for programs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import pipeline
from models.config import output_name
from models.errors import InputError
from pipeline.data.preprocessing import Preprocessing

if TYPE_CHECKING:
    import tf_keras

Windows = NDArray[np.float32]

OBSERVED = 256
"""Windows on which ranges of values that no twin knows are observed."""

ONE = {"classification": "class", "per-step": "class", "multi-label": "label", "regression": "target"}
"""What an output of a task is called that has no name."""


def evenly(windows: Windows, count: int = OBSERVED) -> Windows:
    """Up to so many windows, evenly from the first to the last."""
    places = np.unique(np.linspace(0, len(windows) - 1, count).astype(int))
    chosen: Windows = windows[places]
    return chosen


@dataclass(frozen=True)
class Conversion:
    """A .tflite file that was written.

    Attributes:
        path: where.
        left_in_float: "OP 'tensor'" of each op that has no integer kernel here; empty of a float file.
        ranges: of an int8 file, for each activation: tensor, quantity, minimum, maximum, precision, scale,
            zero_point, left_in_float.
    """

    path: Path
    left_in_float: tuple[str, ...]
    ranges: tuple[dict[str, Any], ...]


def convert(
    model: tf_keras.Model,
    path: str | os.PathLike[str],
    *,
    twin: tf_keras.Model | None = None,
    windows: Windows | None = None,
    io: str = "float32",
    task: str = "classification",
    class_names: Sequence[str] = (),
    channel_names: Sequence[str] = (),
    preprocessing: Preprocessing | None = None,
) -> Conversion:
    """Write a .tflite file with every LSTM fused, checked: in float32, or with a twin in int8.

    The file carries metadata, so that `SequenceClassifier` takes it.

    Args:
        model: functional, one input [batch, steps, channels], outputs a dictionary with `logits` or `values`,
            or one tensor. Of an int8 file the weights are the twin's.
        path: of the file.
        twin: from `quantize_model(model)`, calibrated.
        windows: [n, steps, channels]; needed with a twin: the first is the probe, and up to 256 give ranges
            to values that no twin knows.
        io: type of the int8 file's input and outputs, "float32" or "int8".
        task: what the model answers.
        class_names, channel_names: for the metadata; () numbers them.
        preprocessing: how raw windows are standardized; None: windows are taken as they are.

    Raises:
        ConversionError: an LSTM that did not fuse, or an op or a value that cannot be in the file.
        InputError: a model of other inputs or outputs, or a twin without windows.
    """
    from converters.child import run_in_child
    from converters.export import export_saved_model

    if twin is not None and windows is None:
        raise InputError("An int8 file needs windows: convert(model, path, twin=twin, windows=windows).")
    from models.quiet_tensorflow import load_tensorflow

    load_tensorflow()
    import tf_keras

    if len(model.inputs) != 1 or len(model.input_shape) != 3 or None in model.input_shape[1:]:
        raise InputError(f"The model's input is {model.input_shape}; needed is [batch, steps, channels].")
    steps, channels = model.input_shape[1:]
    plain = _with_named_outputs(model, task)
    layers = [layer.name for layer in model.layers if type(layer) is tf_keras.layers.LSTM]
    path = Path(path)
    scheme = {"file": path.name, "conversion": "float32" if twin is None else "int8",
              "attention": None if twin is None else "int8"}  # fmt: skip
    rule = preprocessing or Preprocessing.identity(steps, channels, "none")
    answers = int(plain.output[output_name(task)].shape[-1])
    metadata = _metadata(task, answers, class_names, channel_names, rule)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export_saved_model(plain, folder / "float", steps, channels)
        quantized = {} if twin is None else {"int8": _export_twin(twin, plain, windows, folder)}
        made = run_in_child(
            "converters.convert:convert_job",
            folder / "work",
            {
                "schemes": {"one": scheme},
                "float_saved_model": str(folder / "float"),
                "quantized": quantized,
                "io": io,
                "lstm_layers": layers,
                "metadata": {"name": path.stem, **metadata},
            },
        )
        path.write_bytes((folder / "work" / path.name).read_bytes())
    ranges = made["one"]["ranges"]
    left = [f"{one['left_in_float']} '{one['tensor']}'" for one in ranges if one["left_in_float"]]
    return Conversion(path, tuple(left), tuple(ranges))


def _export_twin(
    twin: tf_keras.Model, plain: tf_keras.Model, windows: Any, folder: Path
) -> dict[str, str]:
    """The twin's weights in a plain model, its ranges, and the windows to observe: paths by name."""
    from converters.export import export_saved_model
    from converters.ranges import Quantity, RangeTable
    from models.quantization.transfer import observed_quantities, transfer_weights

    windows = np.asarray(windows, np.float32)
    trained = _copy_of(plain)
    transfer_weights(twin, trained)
    quantities = (
        Quantity(one.name, one.range, one.probe, one.precision)
        for one in observed_quantities(twin, windows[0])
    )
    paths = {name: folder / name for name in ("saved_model", "ranges.npz", "windows.npy")}
    RangeTable(windows[0], tuple(quantities)).save(paths["ranges.npz"])
    np.save(paths["windows.npy"], evenly(windows))
    export_saved_model(trained, paths["saved_model"], *windows.shape[1:])
    return {name.partition(".")[0]: str(path) for name, path in paths.items()}


def _with_named_outputs(model: tf_keras.Model, task: str) -> tf_keras.Model:
    import tf_keras

    answer = output_name(task)
    if isinstance(model.output, dict):
        if answer not in model.output:
            names = ", ".join(model.output)
            raise InputError(f"The model's outputs are {names}; the answer of {task} is called '{answer}'.")
        return model
    if isinstance(model.output, list | tuple):
        raise InputError(
            f"The model has {len(model.output)} outputs without names.",
            f"Name them: tf_keras.Model(x, {{'{answer}': ..., 'attention_weights': ...}}).",
        )
    return tf_keras.Model(model.input, {answer: model.output})


def _copy_of(model: tf_keras.Model) -> tf_keras.Model:
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def _metadata(
    task: str, answers: int, class_names: Sequence[str], channel_names: Sequence[str], rule: Preprocessing
) -> dict[str, Any]:
    """As docs/tflite-file.md has it, but for the name."""
    about: dict[str, Any] = {
        "task": task,
        "class_names": list(class_names) or [f"{ONE[task]} {index}" for index in range(answers)],
        "channel_names": list(channel_names) or [f"channel {index}" for index in range(rule.features)],
        "channel_units": [""] * rule.features,
        "provenance": {"fuselage": pipeline.__version__, "tensorflow": version("tensorflow")},
    }
    if task == "regression":
        about["target_units"] = [""] * answers
        if not rule.target_std:
            rule = replace(rule, target_mean=(0.0,) * answers, target_std=(1.0,) * answers)
    return {**about, "preprocessing": rule.to_dict()}
