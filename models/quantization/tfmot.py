"""Quantization-aware training through TFMOT's own interface.

TFMOT's default scheme refuses LSTM layers. This one supplies what is missing: a
``QuantizeScheme`` whose layout transform swaps each supported layer for its
fake-quantized twin. The transformer of layer graphs beneath it is TFMOT 0.8.1's own,
without a public name. ``quantize_annotate`` and ``quantize_apply`` are TFMOT's::

    model = quantize_model(float_model)
    calibrate(model, x_train)
    model.compile(...); model.fit(...)
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import tf_keras
from tensorflow_model_optimization.python.core.quantization.keras.graph_transformations import (
    model_transformer,
    transforms,
)
from tensorflow_model_optimization.quantization import keras as tfmot

from models.errors import QuantizationError
from models.quantization.layer_twins import TWINS, Layer
from models.quantization.number_formats import PRECISIONS


class _SwapForTwin(transforms.Transform):
    """Replace one layer, found by its name, by its twin with equal weights."""

    def __init__(self, layer: Layer, layer_in_graph: Layer, precision: str) -> None:
        self._layer = layer
        self._twin, twin_config = TWINS[type(layer)]
        own = twin_config(layer_in_graph, precision)
        self._config = {**own, "name": layer.name, "trainable": layer.trainable}

    def pattern(self) -> transforms.LayerPattern:
        return transforms.LayerPattern(".*", {"name": re.escape(self._layer.name)})

    def replacement(self, match_layer: transforms.LayerNode) -> transforms.LayerNode:
        layer = {
            **match_layer.layer,
            "class_name": tf_keras.utils.get_registered_name(self._twin),
            "config": self._config,
        }
        for key in ("module", "registered_name", "build_config"):
            layer.pop(key, None)
        weights = OrderedDict(
            (weight.name.split("/")[-1], value)
            for weight, value in zip(self._layer.weights, self._layer.get_weights(), strict=True)
        )
        return transforms.LayerNode(layer, weights=weights)

    def custom_objects(self) -> dict[str, Any]:
        return {tf_keras.utils.get_registered_name(self._twin): self._twin}


class _TwinLayout(tfmot.QuantizeLayoutTransform):
    """Swap every annotated layer for its twin; a twin needs no wrapper, so it leaves the map."""

    def __init__(self, precision: str) -> None:
        self._precision = precision

    def apply(self, model: tf_keras.Model, layer_quantize_map: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        names = {
            layer.name for layer in model.layers if layer.name in layer_quantize_map and type(layer) in TWINS
        }
        # Wrapping and unwrapping leaves calls of its own on the layers; a copy has only the model's.
        graph = type(model).from_config(model.get_config())
        swaps = [
            _SwapForTwin(layer, graph.get_layer(layer.name), self._precision)
            for layer in model.layers
            if layer.name in names
        ]
        transformer = model_transformer.ModelTransformer(model, swaps, set(names), {})
        swapped, _ = transformer.transform()
        return swapped, {name: value for name, value in layer_quantize_map.items() if name not in names}


class _NoOtherLayers(tfmot.QuantizeRegistry):
    """Layers without a twin are not wrapped; ``quantize_apply`` refuses an annotated one."""

    def supports(self, layer: Layer) -> bool:
        return False

    def get_quantize_config(self, layer: Layer) -> None:
        return None


class FusedLstmQuantizeScheme(tfmot.QuantizeScheme):
    """For TFMOT's ``quantize_apply(model, scheme=...)``: LSTM, attention and linear Dense layers in int8.

    Args:
        attention_precision: of the attention's scores, weights and context: "int8", "int16" or "float32".

    Raises:
        QuantizationError: another precision.
    """

    def __init__(self, attention_precision: str = "int8") -> None:
        if attention_precision not in PRECISIONS:
            known = ", ".join(PRECISIONS)
            raise QuantizationError(f"Unknown precision '{attention_precision}'. Known: {known}.")
        self._precision = attention_precision

    def get_layout_transformer(self) -> _TwinLayout:
        return _TwinLayout(self._precision)

    def get_quantize_registry(self) -> _NoOtherLayers:
        return _NoOtherLayers()


def quantize_annotate(model: tf_keras.Model, skip: Iterable[str] = ()) -> tf_keras.Model:
    """Annotate every layer that has a fake-quantized twin, for ``quantize_apply``.

    Args:
        model: a built functional model.
        skip: names of layers to leave in float.

    Returns:
        A copy of the model with TFMOT's ``QuantizeAnnotate`` around the layers to quantize.

    Raises:
        QuantizationError: a layer computes what its twin does not, or a name to skip is unknown.
    """
    skip = set(skip)
    unknown = skip - {layer.name for layer in model.layers}
    if unknown:
        raise QuantizationError(
            f"No layer named {', '.join(sorted(map(repr, unknown)))} to skip. "
            f"The model has: {', '.join(layer.name for layer in model.layers)}."
        )

    def annotate(layer: Layer) -> Layer:
        if type(layer) not in TWINS or layer.name in skip:
            return layer.__class__.from_config(layer.get_config())
        _, twin_config = TWINS[type(layer)]
        twin_config(layer, "int8")  # refuses what the twin does not compute
        return tfmot.quantize_annotate_layer(layer)

    annotated = tf_keras.models.clone_model(model, clone_function=annotate)
    annotated.set_weights(model.get_weights())
    return annotated


def layers_without_twin(model: tf_keras.Model, attention_precision: str = "int8") -> dict[str, str]:
    """By name the attention and Dense layers that have to be left out (``skip``), and why.

    An LSTM is not among them: one that has no twin does not fuse either, and is refused.
    """
    found = {}
    for layer in model.layers:
        if type(layer) in TWINS and not isinstance(layer, tf_keras.layers.LSTM):
            try:
                TWINS[type(layer)][1](layer, attention_precision)
            except QuantizationError as error:
                found[layer.name] = error.message
    return found


def quantize_model(
    model: tf_keras.Model, attention_precision: str = "int8", skip: Iterable[str] = ()
) -> tf_keras.Model:
    """The fake-quantized twin of a model, with equal weights, ready for ``calibrate`` and ``fit``.

    Args:
        model: a built functional model whose LSTM layers fuse. It is not changed.
        attention_precision: of the attention's scores, weights and context: "int8", "int16" or "float32".
        skip: names of layers to leave in float.

    Returns:
        A model of the same inputs, outputs, layer names and weights, whose LSTM,
        attention and Dense layers compute what their int8 kernels compute.

    Raises:
        QuantizationError: there is nothing to quantize, or a layer has no twin.
    """
    if not any(type(layer) is tf_keras.layers.LSTM for layer in model.layers):
        kinds = sorted({type(layer).__name__ for layer in model.layers})
        raise QuantizationError(
            f"There is no tf_keras LSTM layer to quantize. The model's layers are: {', '.join(kinds)}.",
            tip="A Keras 3 model has to be rebuilt with tf_keras (Keras 2) layers.",
        )
    scheme = FusedLstmQuantizeScheme(attention_precision)
    applied = tfmot.quantize_apply(quantize_annotate(model, skip), scheme=scheme)
    # quantize_apply leaves every layer with the calls of its intermediate models; a copy has one call each.
    twin = type(applied).from_config(applied.get_config())
    twin.set_weights(applied.get_weights())
    return twin
