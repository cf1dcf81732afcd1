"""From a trained twin back to a plain model, and the table of ranges it learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tf_keras
from numpy.typing import NDArray

from models.errors import QuantizationError
from models.inputs import Inputs, take
from models.quantization.number_formats import Range
from models.quantization.twin import float_forward, twins


@dataclass(frozen=True)
class ObservedQuantity:
    """A named quantity of a twin: its range, its float value on a probe window (None: never a tensor), and
    what it is computed in ("int8", "int16" or "float32")."""

    name: str
    range: Range
    probe: NDArray[np.float32] | None
    precision: str = "int8"


def transfer_weights(twin: tf_keras.Model, plain: tf_keras.Model) -> None:
    """Copy the trainable weights of every layer of a twin into the layer of the same name.

    Raises:
        QuantizationError: a layer is missing, or its weights have other names or shapes.
    """
    for layer in twin.layers:
        if not layer.trainable_weights:
            continue
        try:
            target = plain.get_layer(layer.name)
        except ValueError:
            raise QuantizationError(
                f"The plain model has no layer '{layer.name}' to copy weights into."
            ) from None
        ours = {weight.name.split("/")[-1]: weight for weight in layer.trainable_weights}
        theirs = {weight.name.split("/")[-1]: weight for weight in target.weights}
        if {k: v.shape for k, v in ours.items()} != {k: v.shape for k, v in theirs.items()}:
            raise QuantizationError(
                f"The weights of layer '{layer.name}' differ in name or shape from its twin's."
            )
        for name, weight in ours.items():
            theirs[name].assign(weight)


def observed_quantities(twin: tf_keras.Model, probe: Inputs) -> list[ObservedQuantity]:
    """Every quantity of every fake-quantized layer, with its float value on one window.

    Args:
        twin: a calibrated or trained model from ``quantize_model``.
        probe: [steps, features] float32, one standardized window; with ``lengths``, a scalar, where the
            model takes them.
    """
    quantities = []
    with float_forward(twin):
        twin(take(probe, np.newaxis), training=False)
        for layer in twins(twin):
            for role, value_range in layer.ranges().items():
                tap = layer.taps.get(role)
                value = None if tap is None else np.asarray(tap, np.float32)
                name, precision = f"{layer.name}/{role}", layer.precision_of(role)
                quantities.append(ObservedQuantity(name, value_range, value, precision))
    return quantities


def outputs_with_context(model: tf_keras.Model, x: Inputs) -> dict[str, Any]:
    """The outputs of a classifier, plain or twin, and the context vector inside it.

    Args:
        model: from ``models.classifier.build_model`` or its twin.
        x: [n, steps, features] float32, standardized; with ``lengths`` where the model takes them.

    Returns:
        the model's outputs, and ``context`` [n, units], of several queries [n, queries, units]. No context
        of multi-head attention: what comes out of it is projected, and in a file the context is the one
        product that takes the weights, the means of the heads before that.
    """
    attention = model.get_layer("attention")
    if not attention.context_is_mean:
        answers: dict[str, Any] = model.predict(x, batch_size=1024, verbose=0)
        return answers
    context, _ = attention.output
    tapped = tf_keras.Model(model.input, {**model.output, "context": context})
    outputs: dict[str, Any] = tapped.predict(x, batch_size=1024, verbose=0)
    context = outputs["context"]  # [n, queries, units]
    return {**outputs, "context": context[:, 0] if context.shape[1] == 1 else context}
