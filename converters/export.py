"""From a Keras model to a SavedModel that the converter fuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SIGNATURE = "serving_default"
INPUT = "features"
LENGTHS = "lengths"


def export_saved_model(
    model: Any, folder: Path, steps: int, features: int, variable_length: bool = False
) -> None:
    """Write a SavedModel with one signature for one window.

    The batch size is fixed to 1: an open one ends in a conversion error about
    TensorListReserve, and the fused op wants a static shape.

    Args:
        model: a Keras 2 model, called with ``training=False``; its outputs are a dict.
        folder: where to write; must not hold another model.
        steps: T of the input ``features`` [1, T, F], float32.
        features: F.
        variable_length: the model has a second input ``lengths`` [1], int32.
    """
    import tensorflow as tf

    specifications = [tf.TensorSpec([1, steps, features], tf.float32, name=INPUT)]
    if variable_length:
        specifications.append(tf.TensorSpec([1], tf.int32, name=LENGTHS))
    serve = tf.function(
        lambda *inputs: model(list(inputs) if variable_length else inputs[0], training=False),
        input_signature=specifications,
    )
    module = tf.Module()
    # Of the model only its variables: saved as a whole, Keras would trace every layer anew and take
    # ten times as long.
    module.variables_of_model, module.serve = model.variables, serve
    tf.saved_model.save(module, str(folder), signatures={SIGNATURE: serve})
