from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.errors import InputError
from pipeline.config import BuildConfig, ModelSection
from pipeline.data.prepared import PreparedData
from pipeline.progress import Silence
from pipeline.stages import StageContext, load


def config(source: Path, seed: int = 0) -> BuildConfig:
    return BuildConfig.model_validate({"data": {"source": str(source)}, "train": {"seed": seed}})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    path = tmp_path / "mine.npz"
    x, y = random.normal(size=(20, 4, 2)), np.arange(20) % 2
    np.savez(path, x_train=x, y_train=y, x_test=x[:6], y_test=y[:6])
    return path


class Listener(Silence):
    """Keeps the messages."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)


def test_stage_saves_what_prepare_makes(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    folder.mkdir()

    def artifact(name: str) -> Path:
        raise AssertionError(name)

    load("data").run(StageContext(config(source), folder, artifact, Silence()))
    data = PreparedData.load(folder)
    assert (len(data.x_train), len(data.x_validation), len(data.x_test)) == (16, 4, 6)
    assert data.name == "mine"


@pytest.mark.parametrize(
    ("per_step", "model", "words"),
    [
        (True, {"query": "last"}, "A label for every step needs a query from every step"),
        (False, {"query": "all", "variable_length": True}, "unless every step has a label"),
        (True, {"query": "all", "variable_length": True}, None),
        (False, {"query": "last", "variable_length": True}, None),
    ],
)
def test_a_model_that_does_not_go_with_the_task_of_the_data_is_refused_before_training(
    source: Path, tmp_path: Path, per_step: bool, model: dict[str, object], words: str | None
) -> None:
    if per_step:
        with np.load(source) as arrays:
            labels = {key: np.tile(np.arange(4) % 2, (len(arrays[key]), 1)) for key in ("y_train", "y_test")}
            np.savez(source, **{**arrays, **labels})
    given = BuildConfig.model_validate({"data": {"source": str(source)}, "model": model})
    folder = tmp_path / "stage"
    folder.mkdir()
    context = StageContext(given, folder, lambda name: folder, Silence())
    if words is None:
        load("data").run(context)
        assert PreparedData.load(folder).task == ("per-step" if per_step else "classification")
        return
    with pytest.raises(InputError, match=words):
        load("data").run(context)
    assert not list(folder.iterdir())


def test_keys_that_are_not_read_are_told(source: Path, tmp_path: Path) -> None:
    with np.load(source) as arrays:
        np.savez(source, subject=np.arange(20), **arrays)
    folder = tmp_path / "stage"
    folder.mkdir()
    listener = Listener()
    load("data").run(StageContext(config(source), folder, lambda name: folder, listener))
    assert listener.messages[0] == f"Not read in '{source}': subject."


@pytest.mark.parametrize("equal", [True, False])
def test_variable_length_of_equally_long_recordings_is_told(
    source: Path, tmp_path: Path, equal: bool
) -> None:
    with np.load(source) as arrays:
        lengths = np.full(20, 4)
        lengths[0] -= not equal
        np.savez(source, lengths_train=lengths, lengths_test=np.full(6, 4), **arrays)
    (tmp_path / "stage").mkdir()
    asked = config(source).model_copy(update={"model": ModelSection(variable_length=True)})
    listener = Listener()
    load("data").run(StageContext(asked, tmp_path / "stage", lambda name: tmp_path, listener))
    told = "Every recording has 4 steps: variable_length adds an input and changes no answer."
    assert (told in listener.messages) == equal


def test_a_task_that_is_asked_for_reads_the_labels_or_is_refused(source: Path, tmp_path: Path) -> None:
    def ran(task: str, folder: Path) -> PreparedData:
        folder.mkdir()
        asked = config(source).model_copy(update={"model": ModelSection.model_validate({"task": task})})
        load("data").run(StageContext(asked, folder, lambda name: folder, Silence()))
        return PreparedData.load(folder)

    assert ran("classification", tmp_path / "a").task == "classification"
    assert ran("regression", tmp_path / "b").task == "regression"  # whole numbers may be values
    with np.load(source) as arrays:
        np.savez(source, task=np.array("classification"), **arrays)
    with pytest.raises(InputError, match=r"asked for is 'regression'; the data .* is for 'classification'"):
        ran("regression", tmp_path / "c")


def test_options_follow_content_seed_fraction_and_task_and_nothing_else(
    source: Path, tmp_path: Path
) -> None:
    stage = load("data")
    before = stage.options(config(source))
    other = ModelSection.model_validate({"units": 3, "attention": "dot"})
    assert before == stage.options(config(source).model_copy(update={"model": other}))
    asked = ModelSection.model_validate({"task": "regression"})
    assert before != stage.options(config(source).model_copy(update={"model": asked}))
    assert before != stage.options(config(source, seed=1))
    np.savez(source, x_train=np.zeros(1))
    assert before != stage.options(config(source))


def test_options_refuse_an_unknown_source() -> None:
    with pytest.raises(InputError, match="Unknown data set"):
        load("data").options(config(Path("nothing")))
