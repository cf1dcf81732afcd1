"""TFLite's stock int8 conversion of a build's float model, and the float file without a reset of its state.

python examples/stock_converter.py build/japanese-vowels
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from converters.metadata import attach_metadata
from models.quiet_tensorflow import load_tensorflow
from pipeline.data.prepared import PreparedData
from pipeline.parity.comparison import promise
from pipeline.parity.outputs import Outputs
from pipeline.parity.running import run_file
from pipeline.progress import Silence
from pipeline.runtime import SequenceClassifier

CALIBRATION_WINDOWS = 200


class NeverReset:
    """An interpreter whose variables are left as they are."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._interpreter, name)

    def reset_all_variables(self) -> None:
        """Do nothing."""


def stock_int8(saved_model: Path, windows: np.ndarray) -> bytes:
    """Full-integer conversion as TFLite's documentation has it; windows [n, T, F] float32, standardized."""
    load_tensorflow()
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([window[np.newaxis]] for window in windows)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    content: bytes = converter.convert()
    return content


def main(build: Path) -> None:
    """Print the checks of the promise for each, all against the original float model."""
    stages = build / "stages"
    windows = PreparedData.load(stages / "data").x_train[:CALIBRATION_WINDOWS]
    ours = SequenceClassifier(build / "model_int8.tflite")
    stock = stock_int8(stages / "train" / "saved_model", windows)
    forgetful = SequenceClassifier(build / "model_float32.tflite")
    forgetful._interpreter = NeverReset(forgetful._interpreter)
    columns = {
        "int8": ours,
        "stock int8": SequenceClassifier(attach_metadata(stock, ours.metadata)),
        "float, no reset": forgetful,
    }
    with np.load(build / "golden.npz", allow_pickle=False) as golden:
        features, labels = golden["features"], golden["labels"]
        float_model = Outputs(golden["float_logits"], golden["float_attention_weights"])
    rows = [promise(float_model, run_file(one, features, Silence()), labels) for one in columns.values()]
    print(f"{'':<26}", *(f"{name:>16}" for name in columns))
    for checks in zip(*rows, strict=True):
        if checks[0].value is not None:
            print(f"{checks[0].name:<26}", *(f"{check.value:>16.4g}" for check in checks))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
