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

import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.python.core.quantization.keras.graph_transformations import (
    model_transformer,
    transforms,
)
from tensorflow_model_optimization.quantization import keras as tfmot

from models.attention.base import Attention
from models.classifier import OneQuery
from models.errors import QuantizationError
from models.quantization.attention import ATTENTION_TWINS
from models.quantization.dense import QuantizedDense
from models.quantization.lstm import QuantizedLSTM
from models.quantization.mean import QuantizedMeanOverTime
from models.quantization.number_formats import PRECISIONS
from models.recurrent import LastRealState, LastState, MeanOverTime, ReverseTime

Layer: TypeAlias = tf_keras.layers.Layer

_SHAPE_ONLY = (
    LastRealState,
    LastState,
    OneQuery,
    ReverseTime,
    tf_keras.layers.Concatenate,
    tf_keras.layers.Dropout,
    tf_keras.layers.Flatten,
    tf_keras.layers.Reshape,
)
_HIDDEN_INT8 = "hidden int8"
"""Values made of LSTM outputs and their means, in the one format that all of them share."""


def _values_of(layer: Layer, precision: str) -> str:
    """What a layer hands on: "hidden int8", "hidden int16", "hidden float32" or "other"."""
    if isinstance(layer, tf_keras.layers.LSTM):
        return _HIDDEN_INT8
    if isinstance(layer, Attention):
        if not layer.context_is_mean:
            return "other"
        return f"hidden {precision}"
    if isinstance(layer, (*_SHAPE_ONLY, MeanOverTime)):
        return _values_into(layer, precision)
    return "other"


def _values_into(layer: Layer, precision: str) -> str:
    """The same of a layer's input; where several differ, what they have in common."""
    sources = [source for node in layer.inbound_nodes for source in _as_list(node.inbound_layers)]
    kinds = {_values_of(source, precision) for source in sources if _is_float(source)}
    wider = kinds - {_HIDDEN_INT8}  # beside hidden states in int8 stands what has to be brought to it
    return wider.pop() if len(wider) == 1 else "other" if wider else _HIDDEN_INT8


def _is_float(layer: Layer) -> bool:
    """False of a layer that gives lengths or masks."""
    return all(output.dtype.is_floating for output in tf.nest.flatten(layer.output))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _lstm_config(layer: Layer, precision: str) -> dict[str, Any]:
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
    return {
        "units": config["units"],
        "input_is_hidden": _values_into(layer, precision) == _HIDDEN_INT8,
    }


def _attention_config(layer: Layer, precision: str) -> dict[str, Any]:
    if _values_into(layer, precision) != _HIDDEN_INT8:
        raise QuantizationError(
            f"Attention layer '{layer.name}' has no fake-quantized twin: its query and value are not all "
            "outputs of LSTM layers.",
            tip="Leave it out with quantize_annotate(model, skip=[...]).",
        )
    (node,) = layer.inbound_nodes
    return {**layer.get_config(), "precision": precision, "masked": len(_as_list(node.inbound_layers)) > 3}


def _mean_config(layer: Layer, precision: str) -> dict[str, Any]:
    is_hidden = _values_into(layer, precision) != "other"
    sources = [source for node in layer.inbound_nodes for source in _as_list(node.inbound_layers)]
    attends = any(isinstance(source, Attention) for source in sources)
    return {"input_is_hidden": is_hidden, "precision": precision if attends else "int8"}


def _dense_config(layer: Layer, precision: str) -> dict[str, Any]:
    config = layer.get_config()
    if config["activation"] != "linear" or not config["use_bias"]:
        raise QuantizationError(
            f"Dense layer '{layer.name}' has no fake-quantized twin: it needs a bias and no activation, "
            f"got activation={config['activation']!r}, use_bias={config['use_bias']}.",
            tip="Put the activation into a layer of its own, or leave this one out with skip=[...].",
        )
    return {"units": config["units"], "input_values": _values_into(layer, precision)}


_TWINS: dict[type[Layer], tuple[type[Layer], Callable[[Layer, str], dict[str, Any]]]] = {
    tf_keras.layers.LSTM: (QuantizedLSTM, _lstm_config),
    tf_keras.layers.Dense: (QuantizedDense, _dense_config),
    MeanOverTime: (QuantizedMeanOverTime, _mean_config),
    **{layer: (twin, _attention_config) for layer, twin in ATTENTION_TWINS.items()},
}
"""Layer class -> its twin, and how the twin's own configuration follows from the layer and the precision
of the attention."""


class _SwapForTwin(transforms.Transform):
    """Replace one layer, found by its name, by its twin with equal weights."""

    def __init__(self, layer: Layer, layer_in_graph: Layer, precision: str) -> None:
        self._layer = layer
        self._twin, twin_config = _TWINS[type(layer)]
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
            layer.name for layer in model.layers if layer.name in layer_quantize_map and type(layer) in _TWINS
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
        if type(layer) not in _TWINS or layer.name in skip:
            return layer.__class__.from_config(layer.get_config())
        _, twin_config = _TWINS[type(layer)]
        twin_config(layer, "int8")  # refuses what the twin does not compute
        return tfmot.quantize_annotate_layer(layer)

    annotated = tf_keras.models.clone_model(model, clone_function=annotate)
    annotated.set_weights(model.get_weights())
    return annotated


def quantize_model(model: tf_keras.Model, attention_precision: str = "int8") -> tf_keras.Model:
    """The fake-quantized twin of a model, with equal weights, ready for ``calibrate`` and ``fit``.

    Args:
        model: a built functional model whose LSTM layers fuse. It is not changed.
        attention_precision: of the attention's scores, weights and context: "int8", "int16" or "float32".

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
    applied = tfmot.quantize_apply(quantize_annotate(model), scheme=scheme)
    # quantize_apply leaves every layer with the calls of its intermediate models; a copy has one call each.
    twin = type(applied).from_config(applied.get_config())
    twin.set_weights(applied.get_weights())
    return twin
