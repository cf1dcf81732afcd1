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
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import tf_keras
from tensorflow_model_optimization.python.core.quantization.keras.graph_transformations import (
    model_transformer,
    transforms,
)
from tensorflow_model_optimization.quantization import keras as tfmot

from models.attention.dot_product import ScaledDotProductAttention
from models.errors import QuantizationError
from models.quantization.attention import QuantizedScaledDotProductAttention
from models.quantization.dense import QuantizedDense
from models.quantization.lstm import QuantizedLSTM
from models.recurrent import LastState

Layer: TypeAlias = tf_keras.layers.Layer

_HIDDEN_SOURCES = (tf_keras.layers.LSTM, ScaledDotProductAttention)
_SHAPE_ONLY = (
    LastState,
    tf_keras.layers.Concatenate,
    tf_keras.layers.Dropout,
    tf_keras.layers.Flatten,
    tf_keras.layers.Reshape,
)


def _is_made_of_hidden_states(layer: Layer) -> bool:
    """Whether all of a layer's input is LSTM outputs and contexts, through layers that only move values."""
    sources = [source for node in layer.inbound_nodes for source in _as_list(node.inbound_layers)]
    return bool(sources) and all(
        isinstance(source, _HIDDEN_SOURCES)
        or (isinstance(source, _SHAPE_ONLY) and _is_made_of_hidden_states(source))
        for source in sources
    )


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _lstm_config(layer: Layer) -> dict[str, Any]:
    wanted = {
        "return_sequences": True,
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "use_bias": True,
        "recurrent_dropout": 0.0,
        "dropout": 0.0,
        "return_state": False,
        "go_backwards": False,
        "stateful": False,
        "time_major": False,
        "unroll": False,
    }
    config = layer.get_config()
    wrong = [
        f"{key}={config[key]!r} (needs {value!r})" for key, value in wanted.items() if config[key] != value
    ]
    if wrong:
        raise QuantizationError(
            f"LSTM layer '{layer.name}' has no fake-quantized twin: {', '.join(wrong)}.",
            tip="Leave it out with quantize_annotate(model, skip=[...]), or build it as the kernel does.",
        )
    return {"units": config["units"]}


def _dense_config(layer: Layer) -> dict[str, Any]:
    config = layer.get_config()
    if config["activation"] != "linear" or not config["use_bias"]:
        raise QuantizationError(
            f"Dense layer '{layer.name}' has no fake-quantized twin: it needs a bias and no activation, "
            f"got activation={config['activation']!r}, use_bias={config['use_bias']}.",
            tip="Put the activation into a layer of its own, or leave this one out with skip=[...].",
        )
    return {"units": config["units"], "input_is_hidden": _is_made_of_hidden_states(layer)}


_TWINS: dict[type[Layer], tuple[type[Layer], Callable[[Layer], dict[str, Any]]]] = {
    tf_keras.layers.LSTM: (QuantizedLSTM, _lstm_config),
    ScaledDotProductAttention: (QuantizedScaledDotProductAttention, lambda layer: {}),
    tf_keras.layers.Dense: (QuantizedDense, _dense_config),
}
"""Layer class -> its twin, and how the twin's own configuration follows from the layer."""


class _SwapForTwin(transforms.Transform):
    """Replace one layer, found by its name, by its twin with equal weights."""

    def __init__(self, layer: Layer, layer_in_graph: Layer) -> None:
        self._layer = layer
        self._twin, twin_config = _TWINS[type(layer)]
        self._config = {"name": layer.name, "trainable": layer.trainable, **twin_config(layer_in_graph)}

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

    def apply(self, model: tf_keras.Model, layer_quantize_map: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        names = {
            layer.name for layer in model.layers if layer.name in layer_quantize_map and type(layer) in _TWINS
        }
        # Wrapping and unwrapping leaves calls of its own on the layers; a copy has only the model's.
        graph = type(model).from_config(model.get_config())
        swaps = [
            _SwapForTwin(layer, graph.get_layer(layer.name)) for layer in model.layers if layer.name in names
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
    """For TFMOT's ``quantize_apply(model, scheme=...)``: LSTM, attention and linear Dense layers in int8."""

    def get_layout_transformer(self) -> _TwinLayout:
        return _TwinLayout()

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
        if type(layer) not in _TWINS or layer.name in skip:
            return layer.__class__.from_config(layer.get_config())
        _, twin_config = _TWINS[type(layer)]
        twin_config(layer)  # refuses what the twin does not compute
        return tfmot.quantize_annotate_layer(layer)

    annotated = tf_keras.models.clone_model(model, clone_function=annotate)
    annotated.set_weights(model.get_weights())
    return annotated


def quantize_model(model: tf_keras.Model) -> tf_keras.Model:
    """The fake-quantized twin of a model, with equal weights, ready for ``calibrate`` and ``fit``.

    Args:
        model: a built functional model whose LSTM layers fuse. It is not changed.

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
    applied = tfmot.quantize_apply(quantize_annotate(model), scheme=FusedLstmQuantizeScheme())
    # quantize_apply leaves every layer with the calls of its intermediate models; a copy has one call each.
    twin = type(applied).from_config(applied.get_config())
    twin.set_weights(applied.get_weights())
    return twin
