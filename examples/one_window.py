"""Is it the int8 file, or the window? How far the float file itself goes when its input moves by a rounding.

python examples/one_window.py build/japanese-vowels

For the windows in which the two files differ most: every value of the window is moved at random by less than
half a step of the int8 input, 200 times, and the float file answers each time.
"""

import sys
from pathlib import Path

import numpy as np

from converters.integer_lstm import IntegerLstm
from pipeline.runtime import SequenceClassifier, softmax

DRAWS, SHOWN = 200, 5


def probabilities(model: SequenceClassifier, windows: np.ndarray) -> np.ndarray:
    """[n, classes] of standardized windows [n, T, F]."""
    return np.stack([softmax(model.run(window)["logits"]) for window in windows])


def main(build: Path) -> None:
    """One line for each of the windows that differ most."""
    int8_file = build / "model_int8.tflite"
    float32, int8 = SequenceClassifier(build / "model_float32.tflite"), SequenceClassifier(int8_file)
    step = IntegerLstm.from_model(int8_file).input_format.scale
    with np.load(build / "golden.npz", allow_pickle=False) as golden:
        features = golden["features"]
    right, given = probabilities(float32, features), probabilities(int8, features)
    difference = np.abs(right - given).max(axis=1)
    random = np.random.default_rng(0)
    print(f"{len(features)} windows; the int8 input has steps of {step:.3g} standard deviations.")
    print("Largest change of a probability:")
    print("window  int8 file  float file, moved: most  median  other class")
    for index in np.argsort(-difference)[:SHOWN]:
        noise = random.uniform(-0.5, 0.5, (DRAWS, *features[index].shape)) * step
        moved = probabilities(float32, (features[index] + noise).astype(np.float32))
        change = np.abs(moved - right[index]).max(axis=1)
        flips = np.mean(moved.argmax(axis=1) != right[index].argmax())
        ours, most, median = difference[index], change.max(), np.median(change)
        print(f"{index:>6} {ours:>10.3f} {most:>24.3f} {median:>7.3f} {flips:>12.0%}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
