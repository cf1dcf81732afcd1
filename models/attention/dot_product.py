"""Scaled dot-product attention with a projected query (Vaswani et al. 2017, equation 1)."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf
import tf_keras


def attention_scores(query: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
    """The similarity of a query with every key: ``scores[t] = query . keys[t]``.

    Args:
        query: [batch, units], already divided by sqrt(units).
        keys: [batch, time, units].

    Returns:
        [batch, 1, time].
    """
    return tf.matmul(tf.expand_dims(query, 1), keys, transpose_b=True)


def attention_context(weights: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """The mean of the values under the weights: ``context = sum_t weights[t] * values[t]``.

    Args:
        weights: [batch, 1, time], rows that sum to 1.
        values: [batch, time, units].

    Returns:
        [batch, 1, units].
    """
    return tf.matmul(weights, values)


@tf_keras.utils.register_keras_serializable(package="fuselage")
class ScaledDotProductAttention(tf_keras.layers.Layer):
    """Attention over hidden states, queried by one of them.

    ::

        q       = (state W + b) / sqrt(units)
        weights = softmax(q . h_t over t)
        context = sum_t weights_t h_t

    The division stands on the query and not on the scores: the converter then
    folds it into the projection's weights, and the int8 file rounds the scores
    once instead of twice.

    Call with ``[state, hidden]``: ``state`` [batch, units], ``hidden`` [batch, time, units].
    Returns ``(context [batch, units], attention_weights [batch, time])``.
    """

    def build(self, input_shape: list[tf.TensorShape]) -> None:
        units = int(input_shape[1][-1])
        state_units = int(input_shape[0][-1])
        self.kernel = self.add_weight(name="kernel", shape=(state_units, units), initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(units,), initializer="zeros")
        self.query_scale = 1.0 / math.sqrt(units)
        super().build(input_shape)

    def call(self, inputs: list[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        state, hidden = inputs
        query = (tf.matmul(state, self.kernel) + self.bias) * self.query_scale  # [batch, units]
        weights = tf.nn.softmax(attention_scores(query, hidden))  # [batch, 1, time]
        context = attention_context(weights, hidden)  # [batch, 1, units]
        return tf.squeeze(context, axis=1), tf.squeeze(weights, axis=1)

    def compute_output_shape(self, input_shape: list[Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        batch, steps, units = tuple(input_shape[1])
        return (batch, units), (batch, steps)
