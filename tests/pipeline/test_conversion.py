"""Files from models in memory: what is refused at once, metadata, and the windows that are observed."""

from typing import Any

import numpy as np
import pytest

from models.errors import InputError
from models.quiet_tensorflow import load_tensorflow
from pipeline.conversion import _metadata, convert, evenly
from pipeline.data.preprocessing import Preprocessing


def model(steps: int | None = 6, **outputs: Any) -> Any:
    load_tensorflow()
    import tf_keras

    x = tf_keras.Input((steps, 3))
    hidden = tf_keras.layers.LSTM(4)(x)
    return tf_keras.Model(x, dict.fromkeys(outputs, hidden) or [hidden, hidden])


def test_windows_are_taken_evenly_from_first_to_last() -> None:
    windows = np.arange(1000, dtype=np.float32).reshape(1000, 1, 1)
    chosen = evenly(windows, 4)[:, 0, 0]
    assert chosen.tolist() == [0, 333, 666, 999]
    assert len(evenly(windows[:3], 4)) == 3


def test_a_twin_needs_windows() -> None:
    with pytest.raises(InputError, match="needs windows"):
        convert(model(logits=1), "x.tflite", twin=model(logits=1))


def test_open_steps_are_refused() -> None:
    with pytest.raises(InputError, match=r"input is \(None, None, 3\)"):
        convert(model(steps=None, logits=1), "x.tflite")


def test_outputs_need_the_name_of_the_task() -> None:
    with pytest.raises(InputError, match="outputs are logits; the answer of regression is called 'values'"):
        convert(model(logits=1), "x.tflite", task="regression")
    with pytest.raises(InputError, match="2 outputs without names"):
        convert(model(), "x.tflite")


def test_names_that_are_not_given_are_numbered() -> None:
    rule = Preprocessing.identity(6, 2, "none")
    about = _metadata("classification", 2, (), (), rule)
    assert about["class_names"] == ["class 0", "class 1"]
    assert about["channel_names"] == ["channel 0", "channel 1"]
    assert _metadata("multi-label", 1, (), ("a", "b"), rule)["class_names"] == ["label 0"]


def test_a_regression_without_constants_answers_in_its_own_units() -> None:
    about = _metadata("regression", 2, (), (), Preprocessing.identity(6, 2, "none"))
    assert about["preprocessing"]["target_mean"] == [0.0, 0.0]
    assert about["preprocessing"]["target_std"] == [1.0, 1.0]
    assert about["target_units"] == ["", ""]
