"""An LSTM and every kind of attention the quantizer has to bear, as plain functions.

Weights are multiples of 1/128 with the largest 127/128 in each column, so that int8 holds them exactly and
errors come from activations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from float_graphs import FEATURES, STEPS, float_graph

UNITS, HEADS, CLASSES = 8, 2, 3


@cache
def matrix(name: str, rows: int = UNITS, columns: int = UNITS) -> np.ndarray:
    """[rows, columns] float32."""
    random = np.random.default_rng(sum(map(ord, name)))
    steps = random.integers(-126, 127, (rows, columns))
    steps[random.integers(rows, size=columns), range(columns)] = 127
    return (steps / 128).astype(np.float32)


def tf() -> Any:
    import tensorflow

    return tensorflow


def dot(query: Any, keys: Any) -> tuple[Any, Any]:
    weights = tf().nn.softmax(tf().matmul(query, keys, transpose_b=True))
    return tf().matmul(weights, keys), weights


def scaled_dot(query: Any, keys: Any) -> tuple[Any, Any]:
    scores = tf().matmul(tf().matmul(query, matrix("query")), keys, transpose_b=True)
    weights = tf().nn.softmax(scores / math.sqrt(UNITS))
    return tf().matmul(weights, keys), weights


def cosine(query: Any, keys: Any) -> tuple[Any, Any]:
    directions = [tf().nn.l2_normalize(x, -1) for x in (query, keys)]
    weights = tf().nn.softmax(8.0 * tf().matmul(*directions, transpose_b=True))
    return tf().matmul(weights, keys), weights


def additive(query: Any, keys: Any) -> tuple[Any, Any]:
    bias = np.linspace(-0.5, 0.5, UNITS, dtype=np.float32)
    left = tf().matmul(query, matrix("query")) + bias
    right = tf().matmul(keys, matrix("key"))
    energy = tf().tanh(left[:, :, None] + right[:, None])
    weights = tf().nn.softmax(tf().matmul(energy, matrix("score", columns=1))[..., 0])
    return tf().matmul(weights, keys), weights


def multi_head(query: Any, keys: Any) -> tuple[Any, Any]:
    def heads(x: Any, name: str) -> Any:
        projected = tf().matmul(x, matrix(name)) + matrix(f"{name} bias", rows=1)[0] / 4
        parts = tf().reshape(projected, [1, x.shape[1], HEADS, UNITS // HEADS])
        return tf().transpose(parts, [0, 2, 1, 3])

    scores = tf().matmul(heads(query, "query"), heads(keys, "key"), transpose_b=True)
    weights = tf().nn.softmax(scores / math.sqrt(UNITS // HEADS))
    joined = tf().transpose(tf().matmul(weights, heads(keys, "value")), [0, 2, 1, 3])
    context = tf().reshape(joined, [1, query.shape[1], UNITS])
    return tf().matmul(context, matrix("output")), weights


KINDS: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "dot": dot,
    "scaled-dot": scaled_dot,
    "cosine": cosine,
    "additive": additive,
    "multi-head": multi_head,
}


def attend(kind: str, query: str, hidden: Any) -> tuple[Any, Any]:
    """Context [1, units] and weights; ``query`` is "last" or "all" (the mean of all contexts)."""
    if query == "last":
        context, weights = KINDS[kind](hidden[:, -1:], hidden)
        return context[:, 0], weights
    context, weights = KINDS[kind](hidden, hidden)
    return tf().reduce_mean(context, 1), weights


@cache
def variable_length_file() -> bytes:
    """Dot-product attention over the first ``lengths`` steps, asked by the last of them."""

    def serve(features: Any, lengths: Any) -> dict[str, Any]:
        hidden = lstm()(features)
        last = tf().gather(hidden, lengths - 1, axis=1, batch_dims=1)  # [1, units]
        scores = tf().matmul(last[:, None], hidden, transpose_b=True)  # [1, 1, steps]
        real = tf().range(STEPS) < lengths[:, None, None]
        weights = tf().nn.softmax(tf().where(real, scores, tf().fill(scores.shape, -12.0)))
        return {"context": tf().matmul(weights, hidden), "attention_weights": weights}

    return float_graph(serve, lstm().variables, lengths=True)


@cache
def lstm(name: str = "lstm") -> Any:
    """A layer whose cell state stays within 4 and whose hidden state fills its range."""
    import tf_keras

    tf_keras.utils.set_random_seed(len(name))
    layer = tf_keras.layers.LSTM(UNITS, return_sequences=True, name=name)
    layer.build((1, STEPS, FEATURES))
    layer.set_weights([2 * weight for weight in layer.get_weights()])
    return layer


@cache
def attention_file(kind: str, query: str = "last", combine: str = "concat", steps: int = STEPS) -> bytes:
    """A float .tflite with outputs ``logits``, ``attention_weights``."""

    def serve(features: Any) -> dict[str, Any]:
        hidden = lstm()(features)
        context, weights = attend(kind, query, hidden)
        taken = tf().concat([context, hidden[:, -1]], -1) if combine == "concat" else context
        rows = 2 * UNITS if combine == "concat" else UNITS
        return {"logits": tf().matmul(taken, matrix("logits", rows, CLASSES)), "attention_weights": weights}

    return float_graph(serve, lstm().variables, steps)
