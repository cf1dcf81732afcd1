"""Which layers of a model can be rebuilt, and how: the registry by kind.

A function of the registry gets the place and the layer's arguments, and returns what the layer returns.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import tf_keras

from models.attention.base import REGISTRY as ATTENTIONS
from models.attention.dot_product import DotAttention
from models.classifier import OneQuery
from models.errors import QuantizationError
from models.foreign import recurrent
from models.foreign.graph import kind_of
from models.foreign.operations import OPERATIONS
from models.foreign.site import Site, Tensor
from models.recurrent import LastState, MeanOverTime, ReverseTime

Layers = tf_keras.layers
Translation = Callable[..., Any]

_TRAINING_ONLY = ("Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout",
                  "ActivityRegularization")  # fmt: skip
_AS_THEY_ARE = (
    "Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "Conv1D", "DepthwiseConv1D", "SeparableConv1D",
    "MaxPooling1D", "AveragePooling1D", "GlobalMaxPooling1D", "Flatten", "Reshape", "Permute", "RepeatVector",
    "Concatenate", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Dot", "ZeroPadding1D",
    "Cropping1D", "UpSampling1D", "LayerNormalization", "BatchNormalization", "UnitNormalization",
    "Normalization", "Rescaling", "AdditiveAttention", "MultiHeadAttention",
)  # fmt: skip
_IN_TIME = ("Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "LayerNormalization",
            *_TRAINING_ONLY)  # fmt: skip
_OURS = (*ATTENTIONS.values(), LastState, MeanOverTime, OneQuery, ReverseTime)
_FROM_TRAINING = ("_initializer", "_regularizer", "_constraint")

REFUSED = {
    "GRU": "TFLite has a fused op for the LSTM only. Train an LSTM in its place",
    "GRUCell": "TFLite has a fused op for the LSTM only. Train an LSTM in its place",
    "SimpleRNN": "TFLite has a fused op for the LSTM only. Train an LSTM in its place",
    "SimpleRNNCell": "TFLite has a fused op for the LSTM only. Train an LSTM in its place",
    "StackedRNNCells": "its cells would need a layer each. Write it as one LSTM above the other",
    "ConvLSTM1D": "TFLite has no fused op for a convolution inside the recurrence",
    "ConvLSTM2D": "TFLite has no fused op for a convolution inside the recurrence",
    "CuDNNLSTM": "its weights are those of another layout. Load it in Keras, and set them on an LSTM",
    "Embedding": "the input has to be windows of numbers, [time, channels]",
}
"""Layers that are known and cannot be in the file, and why."""


def translation(kind: str) -> Translation | None:
    """How a kind of layer is rebuilt; None where it is not known."""
    return _REGISTRY.get(kind)


def reasons_against(kind: str, name: str, config: Any) -> list[str]:
    """Why a layer cannot be rebuilt, a sentence each; none where it can."""
    if kind in REFUSED:
        return [f"{kind} '{name}': {REFUSED[kind]}."]
    if translation(kind) is None:
        return [f"{kind} '{name}' is not among the layers that are known here."]
    dtype = config.get("dtype")
    if isinstance(dtype, dict):
        dtype = dtype.get("config", {}).get("name")
    if dtype not in (None, "float32"):
        return [f"{kind} '{name}' computes in {dtype}. Load it, set_weights into a float32 model, and save."]
    return recurrent.reasons(kind, name, config)


def _same(site: Site, x: Tensor, **kwargs: Any) -> Tensor:
    """A layer that does something in training only."""
    return x


def _masking(site: Site, x: Tensor, **kwargs: Any) -> Tensor:
    site.mend("Masking", "left out, for the fused op has no mask; no answer on the data changes")
    return x


def _as_it_is(kind: str) -> Translation:
    keras_class = getattr(Layers, kind)

    def translate(site: Site, *args: Any, **kwargs: Any) -> Any:
        layer = keras_class(**_settings(keras_class, site))
        if kind == "BatchNormalization":
            layer.trainable = False  # its means belong to the float model, and stand still
        outputs = site.put(layer, *args, weights=site.weights, **kwargs)
        activation = site.config.get("activation")
        if kind == "Activation":
            site.end(str(activation), outputs, args[0])
        elif kind == "Softmax" and site.config.get("axis", -1) in (-1, _last(args[0])):
            site.end("softmax", outputs, args[0])
        return outputs

    return translate


def _last(x: Tensor) -> int:
    return len(x.shape) - 1


def _settings(keras_class: Any, site: Site) -> dict[str, Any]:
    """What the constructor takes of a configuration of either Keras; weights come from the file."""
    base = Layers.Layer
    classes = [one for one in keras_class.__mro__ if issubclass(one, base) and one is not base]
    known = {key for one in classes for key in inspect.signature(one.__init__).parameters} - {"dtype"}
    taken = {
        key: value
        for key, value in site.config.items()
        if key in known and not key.endswith(_FROM_TRAINING)
    }
    if "negative_slope" in site.config and "alpha" in known:  # as Keras 3 calls it
        taken["alpha"] = site.config["negative_slope"]
    for key in ("activation", "depthwise_activation"):
        _require_known_activation(site.name, taken.get(key))
    return {**taken, "name": site.name}


def _require_known_activation(name: str, activation: Any) -> None:
    try:
        if activation is None or (isinstance(activation, str) and tf_keras.activations.get(activation)):
            return
    except ValueError:
        pass
    raise QuantizationError(f"Layer '{name}': tf_keras does not know the activation {activation!r}.")


def _dense(site: Site, x: Tensor, **kwargs: Any) -> Tensor:
    """A linear layer with a bias, and what follows it: these are what the fake-quantized twins compute."""
    config = site.config
    activation = config.get("activation") or "linear"
    _require_known_activation(site.name, activation)
    weights = site.weights
    if not config.get("use_bias", True):
        site.mend("use_bias=False", "got a bias of zeros, which adds nothing")
        weights = [*weights, weights[0][0] * 0]
    alone = activation == "linear"
    linear = site.put(
        Layers.Dense(int(config["units"]), name=site.name if alone else f"{site.name}_linear"),
        x,
        weights=weights,
    )
    if alone:
        return linear
    outputs = site.put(Layers.Activation(activation, name=site.name), linear)
    site.end(activation, outputs, linear)
    return outputs


def _time_distributed(site: Site, x: Tensor, **kwargs: Any) -> Tensor:
    inner = site.config["layer"]
    kind = kind_of(inner)
    if kind not in _IN_TIME:
        raise QuantizationError(
            f"TimeDistributed '{site.name}' holds a {kind}; known are {', '.join(_IN_TIME)}.",
            "These work on the last axis of [time, size] by themselves.",
        )
    return _REGISTRY[kind](site.inner(site.name, inner["config"], site.weights), x)


def _mean_over_time(site: Site, x: Tensor, **kwargs: Any) -> Tensor:
    if site.config.get("keepdims") or site.config.get("data_format") == "channels_first":
        return _as_it_is("GlobalAveragePooling1D")(site, x)
    return site.put(MeanOverTime(name=site.name), x)


def _keras_attention(site: Site, inputs: Any, *more: Any, **kwargs: Any) -> Any:
    """Keras's dot-product attention is ours, where it has no scale and no mask."""
    given = [*(inputs if isinstance(inputs, list | tuple) else [inputs]), *more]
    if "value" in kwargs:
        given += [kwargs.pop(key) for key in ("value", "key") if kwargs.get(key) is not None]
    config, scores = site.config, bool(kwargs.pop("return_attention_scores", False))
    plain = not config.get("use_scale") and config.get("score_mode", "dot") == "dot" and not kwargs
    sizes = {tensor.shape[-1] for tensor in (given[0], given[-1])}
    if plain and len(sizes) == 1:
        return site.put(DotAttention(return_attention_scores=scores, name=site.name), given)
    keras_class = Layers.Attention
    layer = keras_class(**{**_settings(keras_class, site), "dropout": 0.0})
    return site.put(layer, given, weights=site.weights, return_attention_scores=scores, **kwargs)


def _ours(layer_class: Any) -> Translation:
    def translate(site: Site, *args: Any, **kwargs: Any) -> Any:
        layer = layer_class.from_config({**site.config, "name": site.name})
        return site.put(layer, *args, weights=site.weights, **kwargs)

    return translate


def _function(site: Site, *args: Any, **kwargs: Any) -> Any:
    """A function of TensorFlow, by the name that ``safety`` has let through."""
    if site.config["function"] == "__operators__.getitem":
        return _cut(site, args[0], kwargs["slice_spec"])
    config = {"name": site.name, "function": site.config["function"]}
    layer = Layers.deserialize({"class_name": "TFOpLambda", "config": config})
    kwargs.pop("name", None)
    output = site.put(layer, *args, **kwargs)
    kind = site.config["function"].rpartition(".")[2]
    if kind == "sigmoid" or (kind == "softmax" and kwargs.get("axis") in (None, -1, _last(args[0]))):
        site.end(kind, output, args[0])
    return output


def _cut(site: Site, x: Tensor, where: Any) -> Tensor:
    """``x[where]``; of the last step by a layer that the twins know."""
    where = tuple(where) if isinstance(where, list | tuple) else (where,)
    everything = slice(None)
    if len(x.shape) == 3 and where in ((everything, -1), (everything, -1, everything), (..., -1, everything)):
        return site.put(LastState(name=site.name), x)
    return x[where]


def _operation(kind: str) -> Translation:
    def translate(site: Site, *args: Any, **kwargs: Any) -> Any:
        if kind == "GetItem":
            return _cut(site, *args)
        config = {key: value for key, value in site.config.items() if key not in ("name", "dtype")}
        output = OPERATIONS[kind](**config)(*args, **kwargs)
        if kind == "Sigmoid" or (kind == "Softmax" and config.get("axis", -1) in (-1, _last(args[0]))):
            site.end(kind.lower(), output, args[0])
        return output

    return translate


def _either(layer: Translation, operation: Translation) -> Translation:
    """Keras 3 gives a layer and an operation one name: a layer's configuration says that it is trainable."""

    def translate(site: Site, *args: Any, **kwargs: Any) -> Any:
        return (layer if "trainable" in site.config else operation)(site, *args, **kwargs)

    return translate


_LAYERS: dict[str, Translation] = {
    **{kind: _as_it_is(kind) for kind in _AS_THEY_ARE},
    **dict.fromkeys(_TRAINING_ONLY, _same),
    **{tf_keras.utils.get_registered_name(layer): _ours(layer) for layer in _OURS},
    "Attention": _keras_attention,
    "Bidirectional": recurrent.bidirectional,
    "Dense": _dense,
    "GlobalAveragePooling1D": _mean_over_time,
    "LSTM": recurrent.lstm,
    "Masking": _masking,
    "RNN": recurrent.rnn,
    "SlicingOpLambda": _function,
    "TFOpLambda": _function,
    "TimeDistributed": _time_distributed,
}  # fmt: skip
_REGISTRY: dict[str, Translation] = {
    **{kind: _operation(kind) for kind in OPERATIONS},
    **_LAYERS,
    **{kind: _either(_LAYERS[kind], _operation(kind)) for kind in OPERATIONS if kind in _LAYERS},
}

KNOWN = frozenset({*_REGISTRY, *REFUSED, "InputLayer", "LSTMCell"})
"""Classes that a model file may name."""
