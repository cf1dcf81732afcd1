"""Make tiny .tflite files with the stock converter: `python tiny.py FOLDER NAME...` writes NAME.tflite there.

A script of its own, so that the tests' process never imports TensorFlow and a crash cannot end it.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
import tf_keras

STEPS, FEATURES, UNITS, CLASSES = 6, 3, 4, 3


def attention_model(features: int = FEATURES, units: int = UNITS, **lstm: Any) -> tf_keras.Model:
    """LSTM, dot-product attention with a projected query, context joined with the last state, logits."""
    tf_keras.utils.set_random_seed(1)
    x = tf_keras.Input((STEPS, features), batch_size=1)
    hidden = tf_keras.layers.LSTM(units, return_sequences=True, name="encoder", **lstm)(x)
    last = hidden[:, -1, :]
    query = tf_keras.layers.Dense(units)(last)[:, tf.newaxis, :]
    weights = tf.nn.softmax(tf.matmul(query, hidden, transpose_b=True) * units**-0.5)  # [1, 1, time]
    context = tf.matmul(weights, hidden)[:, 0, :]
    logits = tf_keras.layers.Dense(CLASSES)(tf.concat([context, last], -1))
    return tf_keras.Model(x, {"logits": logits, "attention_weights": weights[:, 0, :]})


def stack(*layers: Any) -> tf_keras.Model:
    """A plain row of layers; of a layer that returns states the last steps and the cell state are taken."""
    x = y = tf_keras.Input((STEPS, FEATURES), batch_size=1)
    for layer in layers:
        y = layer(y)
    if isinstance(y, list | tuple):
        y = tf.concat([y[0][:, -1], y[2]], -1)
    return tf_keras.Model(x, {"logits": y})


def lstm(name: str = "encoder", **options: Any) -> tf_keras.layers.Layer:
    return tf_keras.layers.LSTM(UNITS, return_sequences=True, name=name, **options)


def bidirectional() -> tf_keras.Model:
    """Bidirectional(LSTM(16)) over 32 steps of 8 features, nothing else."""
    tf_keras.utils.set_random_seed(0)
    x = tf_keras.Input((32, 8), batch_size=1)
    return tf_keras.Model(x, {"hidden": Layers.Bidirectional(Layers.LSTM(16))(x)})


def keras_3() -> Any:
    import keras

    x = keras.Input((STEPS, FEATURES), batch_size=1)
    return keras.Model(x, {"logits": keras.layers.LSTM(UNITS, return_sequences=True, name="encoder")(x)})


class Inverse(tf_keras.layers.Layer):
    """TFLite has no such op."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.linalg.inv(x[:, :UNITS, :UNITS])


def convert(model: Any, mode: str = "float", whole: bool = False) -> bytes:
    """Convert from a SavedModel; mode: float, flex, dynamic, int8 or int8_io.

    Saving the whole Keras model would trace each layer again (5 s); its variables are enough for most.
    """
    shape = tuple(model.inputs[0].shape)
    serve = tf.function(
        lambda features: model(features), input_signature=[tf.TensorSpec(shape, tf.float32, "features")]
    )
    with tempfile.TemporaryDirectory() as folder:
        holder = tf.Module()
        holder.variables_of_model = model.variables
        tf.saved_model.save(model if whole else holder, folder, signatures=serve.get_concrete_function())
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if mode == "flex":
            converter.target_spec.supported_ops = [
                tf.lite.OpsSet.TFLITE_BUILTINS,
                tf.lite.OpsSet.SELECT_TF_OPS,
            ]
        elif mode != "float":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if mode.startswith("int8"):
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.representative_dataset = lambda: samples(shape)
        if mode == "int8_io":
            converter.inference_input_type = converter.inference_output_type = tf.int8
        return bytes(converter.convert())


def samples(shape: tuple[int, ...]) -> Iterator[list[np.ndarray]]:
    random = np.random.default_rng(0)
    for _ in range(8):
        yield [random.normal(size=shape).astype(np.float32)]


Layers = tf_keras.layers
MODELS: dict[str, Callable[[], bytes]] = {
    "float": lambda: convert(attention_model()),
    "int8": lambda: convert(attention_model(), "int8"),
    "int8_io": lambda: convert(attention_model(), "int8_io"),
    # 32 x 40 weights a gate: from 1024 elements on they are quantized
    "dynamic": lambda: convert(attention_model(features=32, units=40), "dynamic"),
    "use_bias": lambda: convert(attention_model(use_bias=False)),
    "unroll": lambda: convert(stack(lstm(unroll=True))),
    "mask": lambda: convert(stack(Layers.Masking(), lstm())),
    "recurrent_dropout": lambda: convert(stack(lstm(recurrent_dropout=0.1))),
    "recurrent_activation": lambda: convert(stack(lstm(recurrent_activation="hard_sigmoid"))),
    "activation": lambda: convert(stack(lstm(activation="relu"))),
    "return_state": lambda: convert(stack(lstm(return_state=True))),
    "stateful": lambda: convert(stack(lstm(stateful=True)), "flex", whole=True),
    "gru": lambda: convert(stack(Layers.GRU(UNITS, return_sequences=True, name="encoder"))),
    "keras_3": lambda: convert(keras_3(), "flex", whole=True),
    "second_of_two": lambda: convert(stack(lstm(name="lower"), lstm(use_bias=False))),
    "two": lambda: convert(stack(lstm(name="lower"), lstm())),
    "bidirectional": lambda: convert(stack(Layers.Bidirectional(lstm()))),
    "flex": lambda: convert(stack(lstm(), Inverse()), "flex"),
    "dynamic_dense_only": lambda: convert(stack(lstm(), Layers.Dense(256)), "dynamic"),
    "bidirectional_int8": lambda: convert(bidirectional(), "int8"),
}

if __name__ == "__main__":
    target = Path(sys.argv[1])
    for name in sys.argv[2:]:
        (target / f"{name}.tflite").write_bytes(MODELS[name]())
