"""Small Keras models as people write them, for either Keras: `make(keras)` with `tf_keras` or `keras`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

STEPS, CHANNELS, CLASSES = 6, 3, 2
Make = Callable[[Any], Any]


def windows(count: int = 8, seed: int = 0) -> np.ndarray:
    """[count, STEPS, CHANNELS] float32."""
    return np.random.default_rng(seed).normal(size=(count, STEPS, CHANNELS)).astype(np.float32)


def attention(k: Any) -> Any:
    """LSTM, a score for each step, softmax over steps, weighted sum, Dense with softmax."""
    x = k.Input((STEPS, CHANNELS), name="signal")
    hidden = k.layers.LSTM(5, return_sequences=True, name="encoder")(x)
    weights = k.layers.Softmax(axis=1, name="attention")(k.layers.Dense(1, name="score")(hidden))
    context = k.layers.Flatten()(k.layers.Dot(axes=1, name="context")([weights, hidden]))
    return k.Model(x, k.layers.Dense(CLASSES, activation="softmax", name="decision")(context))


def row(*layers: Callable[[Any], Any], outputs: int = CLASSES, activation: str = "softmax") -> Make:
    """A Sequential model: these layers, then Dense."""

    def make(k: Any) -> Any:
        last = k.layers.Dense(outputs, activation=activation, name="decision")
        return k.Sequential([k.Input((STEPS, CHANNELS)), *(layer(k) for layer in layers), last])

    return make


def lstm(units: int = 5, **options: Any) -> Callable[[Any], Any]:
    """An LSTM layer."""
    return lambda k: k.layers.LSTM(units, **{"name": "encoder", **options})


def layer(kind: str, *args: Any, **options: Any) -> Callable[[Any], Any]:
    """A layer by name."""
    return lambda k: getattr(k.layers, kind)(*args, **options)


def states(k: Any) -> Any:
    """The last hidden state of return_state, beside the sequence."""
    x = k.Input((STEPS, CHANNELS))
    hidden, last, _ = k.layers.LSTM(4, return_sequences=True, return_state=True, name="encoder")(x)
    joined = k.layers.Concatenate()([k.layers.GlobalAveragePooling1D()(hidden), last])
    return k.Model(x, k.layers.Dense(CLASSES, name="decision")(joined))


def states_of_both_directions(k: Any) -> Any:
    """Hidden states of a bidirectional layer with return_state."""
    x = k.Input((STEPS, CHANNELS))
    wrapped = k.layers.Bidirectional(k.layers.LSTM(4, return_state=True), name="both")
    joined, ahead, _, behind, _ = wrapped(x)
    return k.Model(x, k.layers.Dense(CLASSES)(k.layers.Concatenate()([joined, behind, ahead])))


def operators(k: Any) -> Any:
    """Slices and arithmetic on tensors, without layers."""
    x = k.Input((STEPS, CHANNELS))
    hidden = k.layers.LSTM(4, return_sequences=True)(x)
    mixed = hidden[:, -1, :] * 0.5 + hidden[:, 0] - hidden[:, 1:3, :][:, 0]
    return k.Model(x, k.layers.Dense(CLASSES)(mixed))


def shared(k: Any) -> Any:
    """One LSTM over the window and over its first half."""
    x = k.Input((STEPS, CHANNELS))
    encoder = k.layers.LSTM(4, name="encoder")
    joined = k.layers.Concatenate()([encoder(x), encoder(k.layers.Cropping1D((0, 3))(x))])
    return k.Model(x, k.layers.Dense(CLASSES)(joined))


def nested(k: Any) -> Any:
    """A model among the layers."""
    inner = k.Sequential([k.Input((STEPS, CHANNELS)), k.layers.LSTM(4, name="encoder")], name="body")
    x = k.Input((STEPS, CHANNELS))
    return k.Model(x, k.layers.Dense(CLASSES)(inner(x)))


def keras_attention(k: Any) -> Any:
    """Keras's own dot-product attention, with its scores as a second output."""
    x = k.Input((STEPS, CHANNELS))
    hidden = k.layers.LSTM(4, return_sequences=True)(x)
    attend = k.layers.Attention(name="attend")
    context, scores = attend([hidden, hidden], return_attention_scores=True)
    pooled = k.layers.GlobalAveragePooling1D()(context)
    return k.Model(x, [k.layers.Dense(CLASSES, name="decision")(pooled), scores])


MODELS: dict[str, Make] = {
    "attention": attention,
    "last state": row(lstm()),
    "stacked": row(lstm(return_sequences=True, name="lower"), layer("Dropout", 0.3), lstm()),
    "no bias": row(lstm(use_bias=False), layer("Dense", 3, activation="relu", use_bias=False)),
    "dropout": row(lstm(dropout=0.2, recurrent_dropout=0.2)),
    "unroll": row(lstm(unroll=True)),
    "backwards": row(lstm(go_backwards=True, return_sequences=True), layer("Flatten")),
    "bidirectional": row(lambda k: k.layers.Bidirectional(k.layers.LSTM(4), name="both")),
    "bidirectional sum": row(
        lambda k: k.layers.Bidirectional(
            k.layers.LSTM(4, return_sequences=True, use_bias=False), merge_mode="sum", name="both"
        ),
        layer("GlobalMaxPooling1D"),
    ),
    "states": states,
    "states of both directions": states_of_both_directions,
    "cell in an RNN": row(lambda k: k.layers.RNN(k.layers.LSTMCell(4), name="encoder")),
    "convolution": row(
        layer("Conv1D", 4, 3, padding="same", activation="relu"),
        layer("BatchNormalization"),
        layer("MaxPooling1D"),
        lstm(),
    ),
    "separable": row(layer("SeparableConv1D", 4, 3, padding="same"), layer("LayerNormalization"), lstm()),
    "in time": row(
        lstm(return_sequences=True),
        lambda k: k.layers.TimeDistributed(k.layers.Dense(3, activation="tanh")),
        layer("Permute", (2, 1)),
        layer("Flatten"),
    ),
    "leaky": row(lstm(), layer("Dense", 4), layer("LeakyReLU", 0.2)),
    "operators": operators,
    "shared": shared,
    "nested": nested,
    "Keras attention": keras_attention,
    "one probability": row(lstm(), outputs=1, activation="sigmoid"),
}
"""What can be rebuilt, by what it shows."""
