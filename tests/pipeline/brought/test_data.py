"""The data as a brought model takes them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign_models import MODELS, windows

from models.errors import InputError
from pipeline.brought.data import BroughtDataStage, fitting_dataset
from pipeline.brought.original import Answer, Wanted
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.progress import Silence
from pipeline.stages import StageContext


class _Tensor:
    """Of an answer only the size matters here."""

    def __init__(self, size: int) -> None:
        self.shape = (None, size)


def answer(size: int, task: str | None, end: str | None = None) -> Answer:
    return Answer("decision", _Tensor(size), end, task)


def test_two_classes_are_one_label_of_one_probability(recordings: Path) -> None:
    dataset = fitting_dataset(str(recordings), answer(1, "multi-label", "sigmoid"), None)
    assert dataset.task == "multi-label"
    assert dataset.y_train.shape == (60, 1)
    assert dataset.class_names == ("class 1",)
    assert dataset.y_test[:3, 0].tolist() == [0, 1, 0]


def test_one_probability_needs_two_classes(tmp_path: Path) -> None:
    x = windows(9)
    np.savez(tmp_path / "three.npz", x_train=x, y_train=np.arange(9) % 3, x_test=x, y_test=np.arange(9) % 3)
    with pytest.raises(InputError, match="one probability; the data are for classification with 3 classes"):
        fitting_dataset(str(tmp_path / "three.npz"), answer(1, "multi-label", "sigmoid"), None)


def test_another_number_of_classes_is_refused(recordings: Path) -> None:
    with pytest.raises(InputError, match=r"has 3 numbers; .* has 2 classes: class 0, class 1"):
        fitting_dataset(str(recordings), answer(3, "classification", "softmax"), None)


def test_a_linear_answer_takes_the_task_of_the_data(recordings: Path) -> None:
    assert fitting_dataset(str(recordings), answer(2, None), None).task == "classification"


def test_windows_stay_as_they_are(tmp_path: Path, recordings: Path) -> None:
    import tf_keras

    MODELS["last state"](tf_keras).save(tmp_path / "m.keras")
    config: Any = BuildConfig.model_validate({"data": {"source": str(recordings)}})
    folder = tmp_path / "data"
    folder.mkdir()

    def nothing(name: str) -> Path:
        raise AssertionError(name)

    stage = BroughtDataStage(Wanted(tmp_path / "m.keras"))
    stage.run(StageContext(config, folder, nothing, Silence()))
    data = PreparedData.load(folder)
    with np.load(recordings) as given:
        np.testing.assert_array_equal(data.x_test, given["x_test"])
        np.testing.assert_array_equal(data.raw_test, given["x_test"])
    assert (data.preprocessing.mean, data.preprocessing.std) == ((0.0,) * 3, (1.0,) * 3)
    assert len(data.x_validation) == 12
    assert stage.options(config)["brought"]["model"] == "m.keras"
