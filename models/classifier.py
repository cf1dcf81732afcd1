"""The sequence model: LSTM layers, attention, head."""

from __future__ import annotations

import dataclasses

import tensorflow as tf
import tf_keras

from models.attention import attention_class
from models.attention.base import Attention
from models.config import AttentionConfig, ModelConfig, output_name
from models.recurrent import LastRealState, LastState, MeanOverTime, RealSteps, recurrent_stack


def build_model(config: ModelConfig) -> tf_keras.Model:
    """A functional Keras 2 model.

    Input ``features`` [batch, steps, features], standardized; of variable length also ``lengths``
    [batch] int32, how many steps count, from the first on. What stands in the others has no influence.
    Outputs: ``logits`` [batch, outputs], of the task "per-step" [batch, steps, outputs], or of
    "regression" ``values`` [batch, outputs]; and ``attention_weights`` [batch, (heads,) (queries,)
    steps], where a single query has no axis.
    """
    layers = tf_keras.layers
    features = tf_keras.Input((config.steps, config.features), name="features")
    x = (
        layers.GaussianNoise(config.input_noise, name="input_noise")(features)
        if config.input_noise
        else features
    )
    hidden = recurrent_stack(config.recurrent, x)  # [batch, time, size]
    inputs, masks = features, []
    if config.variable_length:
        lengths = tf_keras.Input((), name="lengths", dtype=tf.int32)
        inputs, masks = [features, lengths], [hidden, RealSteps(config.steps, name="real_steps")(lengths)]
    attention = build_attention(config.attention)

    def last_state() -> tf.Tensor:
        if config.variable_length:
            return LastRealState(name="last_state")([hidden, lengths])
        return LastState(config.recurrent.bidirectional, name="last_state")(hidden)

    if config.attention.query == "last":
        state = last_state()
        query = layers.Reshape((1, -1), name="one_query")(state)
        context, weights = attention([query, hidden, *masks])
        context = layers.Reshape((-1,), name="one_context")(context)  # [batch, size]
        weights = OneQuery(name="attention_weights")(weights)
    else:
        context, weights = attention([hidden, hidden, *masks])  # [batch, time, size]
        if config.task == "per-step":
            state = hidden
        else:
            context = MeanOverTime(name="pooled_context")(context)
            state = last_state() if config.attention.combine == "concat" else None
    head = context
    if config.attention.combine == "concat":
        head = layers.Concatenate(name="context_and_state")([context, state])  # [batch, ..., 2 * size]
    if config.dropout:
        head = layers.Dropout(config.dropout, name="head_dropout")(head)
    name = output_name(config.task)
    outputs = {name: layers.Dense(config.outputs, name=name)(head), "attention_weights": weights}
    return tf_keras.Model(inputs, outputs, name="classifier")


def build_attention(config: AttentionConfig) -> Attention:
    """The attention layer of a configuration; it returns context and weights."""
    own = {"heads": config.heads} if config.kind == "multi-head" else {}
    return attention_class(config.kind)(return_attention_scores=True, name="attention", **own)


@tf_keras.utils.register_keras_serializable(package="fuselage")
class OneQuery(tf_keras.layers.Layer):
    """Drops the axis of a single query: ``[batch, (heads,) 1, time] -> [batch, (heads,) time]``."""

    def call(self, weights: tf.Tensor) -> tf.Tensor:
        return tf.squeeze(weights, axis=-2)

    def compute_output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*input_shape[:-2], input_shape[-1])


def inference_config(config: ModelConfig) -> ModelConfig:
    """The same model without the layers that act in training only; its weights are interchangeable."""
    recurrent = dataclasses.replace(config.recurrent, dropout=0.0)
    return dataclasses.replace(config, recurrent=recurrent, dropout=0.0, input_noise=0.0)


def inference_form(model: tf_keras.Model, config: ModelConfig) -> tf_keras.Model:
    """A trained model without dropout and noise, with the same weights."""
    plain = build_model(inference_config(config))
    plain.set_weights(model.get_weights())
    return plain
