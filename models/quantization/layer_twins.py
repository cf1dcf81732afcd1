"""Which layer has which fake-quantized twin, and how the twin's configuration follows from the layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import tensorflow as tf
import tf_keras

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
    tf_keras.layers.Permute,
    tf_keras.layers.RepeatVector,
    tf_keras.layers.Reshape,
)
_SHAPE_ONLY_FUNCTIONS = ("__operators__.getitem", "expand_dims", "reshape", "squeeze")
"""Functions of TensorFlow that stand in a functional model without a layer (``x[:, -1]``), by their names."""


class _Values(NamedTuple):
    """What a layer hands on.

    Args:
        hidden: outputs of LSTM layers or means of them, which lie in [-1, 1) and have one format.
        precision: what they were computed in, "int8", "int16" or "float32".
    """

    hidden: bool
    precision: str


_LSTM_OUTPUT = _Values(hidden=True, precision="int8")


def _values_of(layer: Layer, attention_precision: str) -> _Values:
    if isinstance(layer, tf_keras.layers.LSTM):
        return _LSTM_OUTPUT
    if isinstance(layer, Attention):
        return _Values(layer.context_is_mean, attention_precision)
    if isinstance(layer, (*_SHAPE_ONLY, MeanOverTime)) or _moves_values(layer):
        return _values_into(layer, attention_precision)
    return _Values(hidden=False, precision="int8")


def _moves_values(layer: Layer) -> bool:
    function = layer.get_config().get("function") if "OpLambda" in type(layer).__name__ else None
    return function in _SHAPE_ONLY_FUNCTIONS


def _values_into(layer: Layer, attention_precision: str) -> _Values:
    """What a layer gets; of several inputs the widest precision, to which the others are brought."""
    sources = [source for node in layer.inbound_nodes for source in _as_list(node.inbound_layers)]
    values = [_values_of(source, attention_precision) for source in sources if _is_float(source)]
    precisions = {one.precision for one in values}
    return _Values(all(one.hidden for one in values), max(precisions, key=PRECISIONS.index))


def _is_float(layer: Layer) -> bool:
    """False of a layer that gives lengths or masks."""
    return all(output.dtype.is_floating for output in tf.nest.flatten(layer.output))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _has_keras_mask(tensor: Any) -> bool:
    """Whether Masking, or an Embedding with mask_zero, stands somewhere before it."""
    return getattr(tensor, "_keras_mask", None) is not None


_NO_DROPOUT_INSIDE = (
    "Recurrent dropout changes every step of the loop, for which the fused op has no place: it cannot fuse. "
    "Dropout between layers can, as a Dropout layer."
)


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
    wrong = {key: value for key, value in wanted.items() if config[key] != value}
    if wrong:
        told = ", ".join(f"{key}={config[key]!r} (needs {value!r})" for key, value in wrong.items())
        why = " " + _NO_DROPOUT_INSIDE if {"dropout", "recurrent_dropout"} & wrong.keys() else ""
        raise QuantizationError(
            f"LSTM layer '{layer.name}' has no fake-quantized twin: {told}.{why}",
            tip="Leave it out with quantize_annotate(model, skip=[...]), or build it as the kernel does.",
        )
    nodes = layer.inbound_nodes
    if any(_has_keras_mask(one) or one.dtype.is_bool for node in nodes for one in node.keras_inputs):
        raise QuantizationError(
            f"LSTM layer '{layer.name}' has no fake-quantized twin: it is masked, which no fused op knows.",
            tip="Mask the attention instead: attention([query, hidden, hidden, mask]).",
        )
    return {
        "units": config["units"],
        "input_is_hidden": _values_into(layer, precision) == _LSTM_OUTPUT,
    }


def _attention_config(layer: Layer, precision: str) -> dict[str, Any]:
    if _values_into(layer, precision) != _LSTM_OUTPUT:
        raise QuantizationError(
            f"Attention layer '{layer.name}' has no fake-quantized twin: its query and value are not all "
            "outputs of LSTM layers.",
            tip="Leave it out with quantize_annotate(model, skip=[...]).",
        )
    (node,) = layer.inbound_nodes
    inputs = node.call_args[0]  # query, value, key and, if any, the mask
    masked = len(inputs) == 4 or _has_keras_mask(inputs[1])
    return {**layer.get_config(), "precision": precision, "masked": masked}


def _mean_config(layer: Layer, precision: str) -> dict[str, Any]:
    values = _values_into(layer, precision)
    return {"input_is_hidden": values.hidden, "precision": values.precision}


def _dense_config(layer: Layer, precision: str) -> dict[str, Any]:
    config = layer.get_config()
    if config["activation"] != "linear" or not config["use_bias"]:
        raise QuantizationError(
            f"Dense layer '{layer.name}' has no fake-quantized twin: it needs a bias and no activation, "
            f"got activation={config['activation']!r}, use_bias={config['use_bias']}.",
            tip="Put the activation into a layer of its own, or leave this one out with skip=[...].",
        )
    values = _values_into(layer, precision)
    return {
        "units": config["units"],
        "input_values": f"hidden {values.precision}" if values.hidden else "other",
        "hidden_part": 0 if values.hidden else _hidden_at_the_end(layer, precision),
    }


def _hidden_at_the_end(layer: Layer, precision: str) -> int:
    """How many of a layer's inputs, the last ones of a Concatenate, are LSTM outputs in int8."""
    (node,) = layer.inbound_nodes
    joined = node.inbound_layers
    if not isinstance(joined, tf_keras.layers.Concatenate):
        return 0
    last = _as_list(joined.inbound_nodes[0].inbound_layers)[-1]
    return int(last.output.shape[-1]) if _values_of(last, precision) == _LSTM_OUTPUT else 0


TWINS: dict[type[Layer], tuple[type[Layer], Callable[[Layer, str], dict[str, Any]]]] = {
    tf_keras.layers.LSTM: (QuantizedLSTM, _lstm_config),
    tf_keras.layers.Dense: (QuantizedDense, _dense_config),
    MeanOverTime: (QuantizedMeanOverTime, _mean_config),
    **{layer: (twin, _attention_config) for layer, twin in ATTENTION_TWINS.items()},
}
"""Layer class -> its twin, and how the twin's configuration follows from the layer, where it stands in the
model, and the precision of the attention."""
