"""The sequence classifier: LSTM, attention, head."""

from __future__ import annotations

import dataclasses

import tf_keras

from models.attention.dot_product import ScaledDotProductAttention
from models.config import ModelConfig
from models.recurrent import LastState, fusable_lstm


def build_model(config: ModelConfig) -> tf_keras.Model:
    """A functional Keras 2 model.

    Input ``features`` [batch, steps, features], standardized.
    Outputs ``logits`` [batch, classes] and ``attention_weights`` [batch, steps].
    """
    layers = tf_keras.layers
    features = tf_keras.Input((config.steps, config.features), name="features")
    x = (
        layers.GaussianNoise(config.input_noise, name="input_noise")(features)
        if config.input_noise
        else features
    )
    hidden = fusable_lstm(config.recurrent, name="lstm")(x)  # [batch, time, units]
    last = LastState(name="last_state")(hidden)  # [batch, units]
    context, weights = ScaledDotProductAttention(name="attention")([last, hidden])
    head = layers.Concatenate(name="context_and_state")([context, last])  # [batch, 2 * units]
    if config.dropout:
        head = layers.Dropout(config.dropout, name="head_dropout")(head)
    logits = layers.Dense(config.classes, name="logits")(head)
    return tf_keras.Model(features, {"logits": logits, "attention_weights": weights}, name="classifier")


def inference_config(config: ModelConfig) -> ModelConfig:
    """The same model without the layers that act in training only; its weights are interchangeable."""
    return dataclasses.replace(config, dropout=0.0, input_noise=0.0)


def inference_form(model: tf_keras.Model, config: ModelConfig) -> tf_keras.Model:
    """A trained model without dropout and noise, with the same weights."""
    plain = build_model(inference_config(config))
    plain.set_weights(model.get_weights())
    return plain
