"""Build a tiny untrained LSTM with attention as .tflite files, for tests that need a real fused LSTM.

Nothing of ours takes part: stock Keras 2, stock converter, stock int8 quantizer, metadata attached
through the generated schema. So the runtime's tests do not depend on the converters they check.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

STEPS, FEATURES, CLASSES, UNITS = 5, 3, 2, 8

ZEROS = b"0" * 64  # where the checksum goes

METADATA: dict[str, Any] = {
    "format": "fuselage-metadata",
    "version": 1,
    "name": "tiny",
    "class_names": ["left", "right"],
    "channel_names": ["x", "y", "z"],
    "channel_units": ["g", "g", "g"],
    "sample_rate_hz": 10.0,
    "preprocessing": {
        "mean": [0.5, -0.25, 0.0],
        "std": [2.0, 1.0, 0.5],
        "steps": STEPS,
        "features": FEATURES,
        "padding": "front",
    },
    "signature": {"input": "features", "outputs": ["logits", "attention_weights"]},
    "state_rule": "Call reset_all_variables() before every window.",
    "provenance": {},
    "sha256": ZEROS.decode(),
}


def build() -> dict[str, bytes]:
    """Return the same model as `float32`, `int8` (float input and output) and `int8_io`, without metadata."""
    import tensorflow as tf
    import tf_keras as keras

    keras.utils.set_random_seed(7)
    inputs = keras.Input((STEPS, FEATURES), name="features")
    hidden = keras.layers.LSTM(UNITS, return_sequences=True)(inputs)  # [batch, time, units]
    last = hidden[:, -1, :]
    query = keras.layers.Dense(UNITS)(last)
    weights = keras.layers.Softmax(name="attention")(4.0 * keras.layers.Dot((2, 1))([hidden, query]))
    context = keras.layers.Dot((1, 1))([hidden, weights])
    logits = keras.layers.Dense(CLASSES)(keras.layers.Concatenate()([context, last]))
    model = keras.Model(inputs, {"logits": logits, "attention_weights": weights})

    @tf.function(input_signature=[tf.TensorSpec([1, STEPS, FEATURES], tf.float32, name="features")])
    def serve(features: Any) -> Any:
        return model(features)

    random = np.random.default_rng(0)
    samples = random.normal(size=(20, 1, STEPS, FEATURES)).astype(np.float32)

    def convert(saved: str, io: Any = None) -> bytes:
        converter = tf.lite.TFLiteConverter.from_saved_model(saved)
        if io is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([sample] for sample in samples)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = io
        return bytes(converter.convert())

    with tempfile.TemporaryDirectory() as saved:
        tf.saved_model.save(model, saved, signatures={"serving_default": serve})
        kinds = {"float32": None, "int8": tf.float32, "int8_io": tf.int8}
        return {kind: convert(saved, io) for kind, io in kinds.items()}


def with_metadata(model: bytes, content: dict[str, Any] | bytes) -> bytes:
    """Return the model with `content` (a dictionary is written as JSON) as its FUSELAGE_METADATA buffer."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(text, np.uint8)
    entry = schema.MetadataT()
    entry.name, entry.buffer = "FUSELAGE_METADATA", len(tree.buffers)
    tree.buffers.append(buffer)
    tree.metadata = [*(tree.metadata or []), entry]
    builder = flatbuffers.Builder(len(model) + 4096)
    builder.Finish(tree.Pack(builder), b"TFL3")
    blank = bytes(builder.Output())
    return blank.replace(ZEROS, hashlib.sha256(blank).hexdigest().encode())


if __name__ == "__main__":  # writes the three files, with metadata, into the folder given
    import sys

    for name, content in build().items():
        Path(sys.argv[1], f"{name}.tflite").write_bytes(with_metadata(content, METADATA))
