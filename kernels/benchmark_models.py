"""Makes the models of benchmark.py with TensorFlow's stock converter: `python benchmark_models.py FOLDER`.

For each shape `NAME.lstm.float.tflite`, `NAME.lstm.int8.tflite` (the op alone, int8 in and out) and
`NAME.model.float.tflite`, `NAME.model.int8.tflite` (LSTM, dot-product attention, logits). Untrained: what an
LSTM computes does not change how long it takes. A script of its own, so that what is timed does not share a
process with TensorFlow.
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
from benchmark_shapes import SHAPES


def lstm_model(steps: int, features: int, units: int) -> tf_keras.Model:
    x = tf_keras.Input((steps, features), batch_size=1)
    return tf_keras.Model(x, {"hidden": tf_keras.layers.LSTM(units, return_sequences=True)(x)})


def attention_model(steps: int, features: int, units: int) -> tf_keras.Model:
    x = tf_keras.Input((steps, features), batch_size=1)
    hidden = tf_keras.layers.LSTM(units, return_sequences=True)(x)  # [1, time, units]
    query = tf_keras.layers.Dense(units)(hidden[:, -1, :])[:, tf.newaxis, :]
    weights = tf.nn.softmax(tf.matmul(query, hidden, transpose_b=True) * units**-0.5)  # [1, 1, time]
    context = tf.matmul(weights, hidden)[:, 0, :]
    logits = tf_keras.layers.Dense(10)(tf.concat([context, hidden[:, -1, :]], -1))
    return tf_keras.Model(x, {"logits": logits, "attention_weights": weights[:, 0, :]})


def convert(model: tf_keras.Model, int8: bool, int8_io: bool) -> bytes:
    shape = tuple(model.inputs[0].shape)
    serve = tf.function(
        lambda features: model(features), input_signature=[tf.TensorSpec(shape, tf.float32, "features")]
    )
    with tempfile.TemporaryDirectory() as folder:
        holder = tf.Module()
        holder.variables_of_model = model.variables
        tf.saved_model.save(holder, folder, signatures=serve.get_concrete_function())
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if int8:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.representative_dataset = lambda: samples(shape)
        if int8_io:
            converter.inference_input_type = converter.inference_output_type = tf.int8
        return bytes(converter.convert())


def samples(shape: tuple[int, ...]) -> Iterator[list[np.ndarray]]:
    random = np.random.default_rng(0)
    for _ in range(8):
        yield [random.normal(size=shape).astype(np.float32)]


def main(folder: Path) -> None:
    for name, shape in SHAPES.items():
        for kind, make in {"lstm": lstm_model, "model": attention_model}.items():
            tf_keras.utils.set_random_seed(1)
            model = make(*shape)
            # Larger weights: for |c| below 1/2 the converter picks a scale that the op has no tanh for.
            model.set_weights([2 * weights for weights in model.get_weights()])
            for number in ("float", "int8"):
                content = convert(model, number == "int8", number == "int8" and kind == "lstm")
                (folder / f"{name}.{kind}.{number}.tflite").write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
