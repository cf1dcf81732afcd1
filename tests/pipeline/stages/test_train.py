"""The stage `train` on tiny data, as a build runs it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.config import ModelConfig
from models.errors import InputError
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.parity.outputs import Outputs
from pipeline.stages import load

pytestmark = pytest.mark.slow

Folder = Callable[[str], Path]


def weights(path: Path) -> Any:
    """All numbers of a Keras .h5, in one row."""
    import h5py

    found: list[Any] = []
    with h5py.File(path) as file:
        file.visititems(
            lambda _, item: found.append(np.ravel(item)) if isinstance(item, h5py.Dataset) else None
        )
    return np.concatenate(found)


def test_it_writes_the_model_its_answers_and_how_training_went(stage_folder: Folder) -> None:
    folder = stage_folder("train")
    assert sorted(path.name for path in folder.iterdir()) == [
        "float.weights.h5", "history.json", "model.json", "outputs_float.npz", "saved_model",
    ]  # fmt: skip
    phases = json.loads((folder / "history.json").read_text())["phases"]
    assert [phase["name"] for phase in phases] == ["float", "refit"]
    assert len(phases[0]["epochs"]) == 3
    assert set(phases[0]["epochs"][0]) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}


def test_the_weights_give_the_answers(stage_folder: Folder) -> None:
    """Without dropout and noise: the answers are those of the model as it would be deployed."""
    from models.classifier import build_model, inference_config

    folder = stage_folder("train")
    config = ModelConfig.from_dict(json.loads((folder / "model.json").read_text()))
    assert (config.steps, config.features, config.outputs, config.recurrent.units) == (5, 2, 2, (4,))
    assert (config.dropout, config.input_noise) == (0.2, 0.2)
    model = build_model(inference_config(config))
    model.load_weights(folder / "float.weights.h5")
    data, outputs = PreparedData.load(stage_folder("data")), Outputs.load(folder / "outputs_float.npz")
    expected = model(data.x_test)
    np.testing.assert_allclose(outputs.logits, expected["logits"], atol=1e-6)
    np.testing.assert_allclose(outputs.attention_weights, expected["attention_weights"], atol=1e-6)
    assert outputs.context is not None
    assert outputs.context.shape == (12, 4)


def test_the_same_seed_gives_identical_weights(tiny_build: Any, stage_folder: Folder) -> None:
    first = weights(stage_folder("train") / "float.weights.h5")
    again = tiny_build.run("train", into="train again")
    np.testing.assert_array_equal(weights(again / "float.weights.h5"), first)


def test_without_a_refit_the_best_epoch_is_the_model(tiny_build: Any, stage_folder: Folder) -> None:
    folder = tiny_build.run("train", into="no refit", train={"refit": "never", "epochs": 1, "seed": 1})
    phases = json.loads((folder / "history.json").read_text())["phases"]
    assert [phase["name"] for phase in phases] == ["float"]
    assert tiny_build.listener.messages[-1] == "Float model: best of 1 epochs was 1"
    other = weights(stage_folder("train") / "float.weights.h5")
    assert not np.array_equal(weights(folder / "float.weights.h5"), other)


def test_only_model_and_training_are_options() -> None:
    stage = load("train")
    before = stage.options(BuildConfig())
    for section, change, same in (
        ("model", {"units": 7}, False),
        ("train", {"seed": 1}, False),
        ("quantize", {"qat": False}, True),
        ("convert", {"io": "int8"}, True),
    ):
        config = BuildConfig.model_validate({section: change})
        assert (stage.options(config) == before) is same, section
    json.dumps(before)


def test_a_limit_of_another_task_is_refused_before_training(tiny_build: Any) -> None:
    with pytest.raises(InputError, match=r"\[tolerances\] r2_drop: got 0.05; it is not measured"):
        tiny_build.run("train", into="refused", tolerances={"r2_drop": 0.05})
    assert list((tiny_build.root / "refused").iterdir()) == []
