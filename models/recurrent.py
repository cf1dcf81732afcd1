"""LSTM layers configured so that the TFLite converter fuses them, and what moves their outputs."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

from models.config import RecurrentConfig, lstm_layer_names


def fusable_lstm(units: int, name: str) -> tf_keras.layers.LSTM:
    """An LSTM that becomes one UNIDIRECTIONAL_SEQUENCE_LSTM.

    tanh and sigmoid gates, a bias, no recurrent dropout, no mask, no kept state, not unrolled:
    what the converter's rule asks for
    (tensorflow/compiler/mlir/lite/transforms/prepare_composite_functions_tf.cc).
    """
    return tf_keras.layers.LSTM(units, return_sequences=True, name=name)


def recurrent_stack(config: RecurrentConfig, x: tf.Tensor) -> tf.Tensor:
    """The LSTM layers, one above the other; [batch, time, features] -> [batch, time, config.outputs].

    A layer in two directions is two LSTMs, of which one sees the steps in
    reverse, and their outputs side by side: two fused ops.
    """
    layers = tf_keras.layers
    names = lstm_layer_names(config)
    for place, units in enumerate(config.units):
        if place and config.dropout:
            x = layers.Dropout(config.dropout, name=f"dropout_{place + 1}")(x)
        if not config.bidirectional:
            x = fusable_lstm(units, names[place])(x)
            continue
        forward, backward = names[2 * place : 2 * place + 2]
        reverse_in, reverse_out = (f"{backward}_{end}" for end in ("input", "output"))
        ahead = fusable_lstm(units, forward)(x)
        behind = fusable_lstm(units, backward)(ReverseTime(name=reverse_in)(x))
        behind = ReverseTime(name=reverse_out)(behind)
        x = layers.Concatenate(name=f"{backward.removesuffix('_backward')}_both")([ahead, behind])
    return x


@tf_keras.utils.register_keras_serializable(package="fuselage")
class ReverseTime(tf_keras.layers.Layer):
    """The steps in reverse: [batch, time, size] -> the same shape."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.reverse(x, axis=[1])

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


@tf_keras.utils.register_keras_serializable(package="fuselage")
class LastState(tf_keras.layers.Layer):
    """The hidden state that has seen all steps: ``[batch, time, size] -> [batch, size]``.

    Args:
        bidirectional: the second half of the hidden state runs backward, and has seen all at step 0.
    """

    def __init__(self, bidirectional: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bidirectional = bidirectional

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        if not self.bidirectional:
            return hidden[:, -1, :]
        units = hidden.shape[-1] // 2
        return tf.concat([hidden[:, -1, :units], hidden[:, 0, units:]], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int, int]:
        return input_shape[0], input_shape[2]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bidirectional": self.bidirectional}


@tf_keras.utils.register_keras_serializable(package="fuselage")
class LastRealState(tf_keras.layers.Layer):
    """The hidden state after the last step that counts: ``[batch, time, size], [batch] -> [batch, size]``."""

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        hidden, lengths = inputs
        return tf.gather(hidden, lengths - 1, axis=1, batch_dims=1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int, int]:
        return input_shape[0][0], input_shape[0][2]


@tf_keras.utils.register_keras_serializable(package="fuselage")
class RealSteps(tf_keras.layers.Layer):
    """Which steps count: ``[batch] -> [batch, steps]`` bool.

    Args:
        steps: of a whole window.
    """

    def __init__(self, steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.steps = steps

    def call(self, lengths: tf.Tensor) -> tf.Tensor:
        return tf.range(self.steps)[tf.newaxis] < lengths[:, tf.newaxis]

    def compute_output_shape(self, input_shape: Any) -> tuple[int, int]:
        return input_shape[0], self.steps

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "steps": self.steps}


@tf_keras.utils.register_keras_serializable(package="fuselage")
class MeanOverTime(tf_keras.layers.Layer):
    """The mean over the steps: ``[batch, time, size] -> [batch, size]``."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(x, axis=1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int, int]:
        return input_shape[0], input_shape[2]
