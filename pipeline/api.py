"""The public functions, for programs. The command line does the same with files and a store.

    from pipeline.api import (
        SequenceClassifier, calibrate, convert, distill, fusable_model, quantize_model, verify,
    )

    model = fusable_model("model.keras", windows).model        # of either Keras; LSTM layers that fuse
    twin = quantize_model(model, skip=["decision"])            # fake-quantized, layer by layer
    calibrate(twin, windows)
    distill(twin, model, windows)                              # or twin.compile(...), twin.fit(...)
    convert(model, "float.tflite")
    convert(model, "int8.tflite", twin=twin, windows=windows)
    print(verify("float.tflite", "int8.tflite", windows).headline)
    print(SequenceClassifier("int8.tflite").predict(windows[0]).label)

docs/python.md walks through it. TensorFlow is imported by the first function that needs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.conversion import Conversion, convert
from pipeline.data.preprocessing import Preprocessing
from pipeline.runtime import (
    MultiLabelClassifier,
    SequenceClassifier,
    SequenceRegressor,
    StepClassifier,
    load_model,
)
from pipeline.verify import verify

if TYPE_CHECKING:
    import tf_keras

__all__ = [
    "Conversion",
    "FusableModel",
    "MultiLabelClassifier",
    "Preprocessing",
    "SequenceClassifier",
    "SequenceRegressor",
    "StepClassifier",
    "calibrate",
    "convert",
    "distill",
    "fusable_model",
    "load_model",
    "quantize_model",
    "verify",
]

Windows = NDArray[np.float32]
"""[n, steps, channels] float32, as the model takes them."""


@dataclass(frozen=True)
class FusableModel:
    """A model whose LSTM layers become one op each.

    Attributes:
        model: a functional tf_keras model; outputs `logits` (of a regression `values`), `attention_weights`
            where there are some, and what else was asked for, by name.
        mended: a sentence for each change that changes no answer.
        largest_difference: between answers of original and model on the windows, over the largest answer.
        end: "softmax" or "sigmoid" where that stood behind the logits, else None.
    """

    model: tf_keras.Model
    mended: tuple[str, ...]
    largest_difference: float
    end: str | None


def fusable_model(
    source: Any,
    windows: Windows,
    *,
    output: str | None = None,
    check_outputs: Sequence[str] = (),
    task: str | None = None,
) -> FusableModel:
    """Rebuild a Keras model so that its LSTM layers fuse, with equal answers.

    Args:
        source: path of a .keras, .h5 or SavedModel, or a model in memory, of tf_keras or Keras 3. Nothing
            in a file is executed.
        windows: [n, steps, channels], as the model takes them; the answers are compared on them.
        output: name of the output that answers; None: the first.
        check_outputs: names of layers whose values become outputs; the first that is a distribution over
            the steps becomes `attention_weights`.
        task: "classification", "multi-label", "regression" or "per-step", of a linear answer; None: what
            follows from its end, else "classification".

    Raises:
        InputError: a file that cannot be read or names what is not loaded from a file, or no such output.
        QuantizationError: an LSTM that cannot fuse with equal answers, or a layer that is not known.
    """
    _load_tensorflow()
    from models.foreign.files import original_of, read_original
    from models.foreign.rebuild import rebuild
    from pipeline.brought.model import largest_difference
    from pipeline.brought.original import Wanted, answer_of
    from pipeline.brought.outputs import fusable

    is_path = isinstance(source, str | os.PathLike)
    original = read_original(Path(source)) if is_path else original_of(source)
    windows = np.asarray(windows, np.float32)
    rebuilt = rebuild(original.graph, original.weights_of, windows.shape[1])
    difference = largest_difference(original, rebuilt, windows)
    wanted = Wanted(Path(str(source)) if is_path else Path("model"), output, tuple(check_outputs), task)
    answer = answer_of(rebuilt, wanted)
    made = fusable(rebuilt, answer, check_outputs, windows, answer.task or "classification")
    return FusableModel(made.model, tuple(map(str, rebuilt.mended)), difference, answer.end)


def quantize_model(
    model: tf_keras.Model, *, attention_precision: str = "int8", skip: Iterable[str] = ()
) -> tf_keras.Model:
    """The fake-quantized twin of a model, with equal weights, ready for `calibrate` and for training.

    As TFMOT's function of that name, for LSTM layers too: they, attention layers and linear Dense layers
    compute what their int8 kernels compute. Layers without a twin stay float in training; in the file they
    are int8 too where there is a kernel. `models.quantization.quantize_annotate` and TFMOT's `quantize_apply`
    do the same in two steps.

    Args:
        model: functional; its LSTM layers as `fusable_model` makes them. It is not changed.
        attention_precision: of the scores, weights and contexts of attention layers: "int8", "int16" or
            "float32".
        skip: names of layers to leave in float in training.

    Raises:
        QuantizationError: no LSTM layer, one that does not fuse, or an unknown name to skip.
    """
    _load_tensorflow()
    from models import quantization
    from models.quantization.tfmot import layers_without_twin

    left = {*skip, *layers_without_twin(model, attention_precision)}
    return quantization.quantize_model(model, attention_precision, left)


def calibrate(twin: tf_keras.Model, windows: Windows, rule: str = "mse") -> None:
    """Set the ranges of a twin from what its float forward does on windows.

    Args:
        twin: from `quantize_model`.
        windows: [n, steps, channels], representative; their order does not matter.
        rule: "min-max", "percentile" or "mse".

    Raises:
        QuantizationError: an unknown rule, or windows that are empty or not finite.
    """
    from models import quantization

    quantization.calibrate(twin, np.asarray(windows, np.float32), rule)


def distill(
    twin: tf_keras.Model,
    model: tf_keras.Model,
    windows: Windows,
    validation: Windows | None = None,
    *,
    epochs: int | None = None,
    learning_rate: float | None = None,
    task: str = "classification",
) -> int:
    """Train a twin to answer as its float model does; no labels are needed.

    Args:
        twin: calibrated; changed in place.
        model: the float model it was made from.
        windows: [n, steps, channels].
        validation: by which the closest epoch is chosen; None: `windows`.
        epochs, learning_rate: None: about 300 steps, 1e-5.
        task: what the models answer.

    Returns:
        The epoch that was kept; 0: the rounded float weights, training found nothing closer.
    """
    from models.quantization import training
    from models.training import plan_training

    windows = np.asarray(windows, np.float32)
    batch_size = plan_training(len(windows), 1e-3).batch_size
    plan = training.plan_distillation(len(windows), batch_size, epochs, learning_rate)
    held_out = windows if validation is None else np.asarray(validation, np.float32)
    return training.distill(twin, model, windows, held_out, plan, lambda figures: None, task)


def _load_tensorflow() -> None:
    from models.quiet_tensorflow import load_tensorflow

    load_tensorflow()
