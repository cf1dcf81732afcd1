"""The way from a trained Keras model to a verified int8 file in a few lines of Python.

python examples/own_model.py mine
python examples/from_python.py mine

Takes mine/model.keras and mine/recordings.npz, writes mine/float32.tflite and mine/int8.tflite.
"""

import sys
from pathlib import Path

import numpy as np

from pipeline.api import (
    SequenceClassifier,
    calibrate,
    convert,
    distill,
    fusable_model,
    quantize_model,
    verify,
)


def main(folder: Path, epochs: int | None = None) -> None:
    """Rebuild, quantize all layers but one, train further, convert, verify, classify."""
    with np.load(folder / "recordings.npz", allow_pickle=False) as data:
        x_train, x_test, y_test = data["x_train"], data["x_test"], data["y_test"]
        names = data["class_names"].tolist()

    brought = fusable_model(folder / "model.keras", x_train, check_outputs=["attention"])
    for sentence in brought.mended:
        print(f"Mended: {sentence}")
    model = brought.model

    twin = quantize_model(model, skip=["score"])  # `score` stays float in training; in the file it is int8
    calibrate(twin, x_train)
    kept = distill(twin, model, x_train, epochs=epochs)
    print(f"Distilled: epoch {kept} was kept")

    convert(model, folder / "float32.tflite", class_names=names)
    made = convert(model, folder / "int8.tflite", twin=twin, windows=x_train, class_names=names)
    print(f"Left in float: {', '.join(made.left_in_float) or 'nothing'}")

    report = verify(folder / "float32.tflite", folder / "int8.tflite", x_test, y_test)
    print(f"{report.verdict}: {report.headline}")

    answer = SequenceClassifier(folder / "int8.tflite").predict(x_test[0])
    print(f"The first window: {answer.label}, true is {names[y_test[0]]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
