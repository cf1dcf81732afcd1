"""LSTM layers configured so that the TFLite converter fuses them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

from models.config import RecurrentConfig


def fusable_lstm(config: RecurrentConfig, name: str) -> tf_keras.layers.LSTM:
    """An LSTM that becomes one UNIDIRECTIONAL_SEQUENCE_LSTM.

    tanh and sigmoid gates, a bias, no recurrent dropout, no mask, no kept state, not unrolled:
    what the converter's rule asks for
    (tensorflow/compiler/mlir/lite/transforms/prepare_composite_functions_tf.cc).
    """
    return tf_keras.layers.LSTM(config.units, return_sequences=True, name=name)


@tf_keras.utils.register_keras_serializable(package="fuselage")
class LastState(tf_keras.layers.Layer):
    """The hidden state after the last step: ``[batch, time, units] -> [batch, units]``."""

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return hidden[:, -1, :]

    def compute_output_shape(self, input_shape: Any) -> tuple[int, int]:
        return input_shape[0], input_shape[2]
