"""Make int8 .tflite files with the stock converter: `python keras_lstms.py FOLDER` writes one for each model.

A script of its own, so that the tests' process never imports TensorFlow.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
import tf_keras

Lstm, Bidirectional = tf_keras.layers.LSTM, tf_keras.layers.Bidirectional
MODELS = {  # batch, steps, features, layers
    "stacked": (1, 12, 7, [Lstm(20, return_sequences=True), Lstm(33, return_sequences=True), Lstm(5)]),
    "bidirectional": (1, 32, 8, [Bidirectional(Lstm(16, return_sequences=True))]),
    "batch": (3, 9, 10, [Lstm(64, return_sequences=True)]),
    "bidirectional_stack": (
        2, 10, 3, [Bidirectional(Lstm(9, return_sequences=True)), Bidirectional(Lstm(40))],
    ),
}


def int8_file(batch: int, steps: int, features: int, layers: list[tf_keras.layers.Layer]) -> bytes:
    """Untrained, full integer, int8 in and out."""
    tf_keras.utils.set_random_seed(1)
    x = y = tf_keras.Input((steps, features), batch_size=batch)
    for layer in layers:
        y = layer(y)
    model = tf_keras.Model(x, y)
    # Larger weights: below |c| = 1/2 the converter gives the cell a scale that the op has no tanh for.
    model.set_weights([4 * weights for weights in model.get_weights()])
    shape = (batch, steps, features)
    serve = tf.function(lambda x: {"y": model(x)}, input_signature=[tf.TensorSpec(shape, tf.float32, "x")])
    with tempfile.TemporaryDirectory() as folder:
        holder = tf.Module()
        holder.variables_of_model = model.variables
        tf.saved_model.save(holder, folder, signatures=serve.get_concrete_function())
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: samples(shape)
        converter.inference_input_type = converter.inference_output_type = tf.int8
        return bytes(converter.convert())


def samples(shape: tuple[int, ...]) -> Iterator[list[np.ndarray]]:
    random = np.random.default_rng(0)
    for _ in range(8):
        yield [random.normal(size=shape).astype(np.float32)]


if __name__ == "__main__":
    for name, model in MODELS.items():
        (Path(sys.argv[1]) / f"{name}.tflite").write_bytes(int8_file(*model))
