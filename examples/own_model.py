"""A Keras model as somebody might have trained it, and recordings for it, to be quantized afterwards.

python examples/own_model.py mine
pipeline quantize mine/model.keras --data mine/recordings.npz --check-output attention

The task: one of three channels carries a short pulse; which? The model is an LSTM without a bias and with
recurrent dropout, neither of which fuses as it stands, and an attention made of standard layers.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.quiet_tensorflow import load_tensorflow

STEPS, CHANNELS, UNITS, PULSE = 12, 3, 8, 3


def recordings(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Windows [count, STEPS, CHANNELS] of noise with a pulse, and which channel has it."""
    random = np.random.default_rng(seed)
    x = random.normal(0.0, 0.3, (count, STEPS, CHANNELS)).astype(np.float32)
    y = random.integers(0, CHANNELS, count)
    for window, channel, start in zip(x, y, random.integers(0, STEPS - PULSE, count), strict=True):
        window[start : start + PULSE, channel] += 1.5
    return x, y


def main(folder: Path) -> None:
    """Train for some seconds, and write model.keras and recordings.npz."""
    load_tensorflow()
    import tf_keras

    tf_keras.utils.set_random_seed(0)
    layers = tf_keras.layers
    signal = tf_keras.Input((STEPS, CHANNELS), name="signal")
    hidden = layers.LSTM(
        UNITS, return_sequences=True, use_bias=False, recurrent_dropout=0.1, name="encoder"
    )(signal)
    weights = layers.Softmax(axis=1, name="attention")(layers.Dense(1, name="score")(hidden))
    context = layers.Flatten()(layers.Dot(axes=1)([weights, hidden]))
    model = tf_keras.Model(signal, layers.Dense(CHANNELS, activation="softmax", name="decision")(context))
    (x_train, y_train), (x_test, y_test) = recordings(600, seed=0), recordings(200, seed=1)
    model.compile(tf_keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", ["accuracy"])
    model.fit(x_train, y_train, batch_size=64, epochs=12, verbose=0)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / "model.keras")
    np.savez(
        folder / "recordings.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test,
        class_names=np.array(["first", "second", "third"]),
    )  # fmt: skip
    print(f"{folder / 'model.keras'}: test accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
