"""From a Keras model to a SavedModel that the converter fuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SIGNATURE = "serving_default"
INPUT = "features"


def export_saved_model(model: Any, folder: Path, steps: int, features: int) -> None:
    """Write a SavedModel with one signature for one window.

    The batch size is fixed to 1: an open one ends in a conversion error about
    TensorListReserve, and the fused op wants a static shape.

    Args:
        model: a Keras 2 model, called with ``training=False``; its outputs are a dict.
        folder: where to write; must not hold another model.
        steps: T of the input ``features`` [1, T, F], float32.
        features: F.
    """
    import tensorflow as tf

    specification = tf.TensorSpec([1, steps, features], tf.float32, name=INPUT)
    serve = tf.function(lambda features: model(features, training=False), input_signature=[specification])
    module = tf.Module()
    # Of the model only its variables: saved as a whole, Keras would trace every layer anew and take
    # ten times as long.
    module.variables_of_model, module.serve = model.variables, serve
    tf.saved_model.save(module, str(folder), signatures={SIGNATURE: serve})
