"""Which output answers, and of what task."""

from pathlib import Path
from typing import Any

import pytest
import tf_keras
from foreign_models import MODELS, STEPS

from models.errors import InputError
from models.foreign.files import original_of
from models.foreign.rebuild import rebuild
from pipeline.brought.original import Wanted, answer_of, open_original, require_file


def rebuilt(model: Any) -> Any:
    original = original_of(model)
    return rebuild(original.graph, original.weights_of)


def wanted(**options: Any) -> Wanted:
    return Wanted(Path("m.keras"), **options)


def over_time(activation: str) -> Any:
    x = tf_keras.Input((STEPS, 3))
    hidden = tf_keras.layers.LSTM(4, return_sequences=True)(x)
    return tf_keras.Model(x, tf_keras.layers.Dense(3, activation=activation, name="each")(hidden))


@pytest.mark.parametrize(
    ("model", "end", "task", "size"),
    [
        (lambda: MODELS["last state"](tf_keras), "softmax", "classification", 2),
        (lambda: MODELS["one probability"](tf_keras), "sigmoid", "multi-label", 1),
        (lambda: MODELS["operators"](tf_keras), None, None, 2),
        (lambda: over_time("softmax"), "softmax", "per-step", 3),
        (lambda: over_time("linear"), None, "per-step", 3),
    ],
)
def test_the_task_follows_from_the_end(model: Any, end: str | None, task: str | None, size: int) -> None:
    answer = answer_of(rebuilt(model()), wanted())
    assert (answer.end, answer.task, answer.size) == (end, task, size)


@pytest.mark.parametrize("task", ["classification", "regression", "multi-label"])
def test_of_a_linear_answer_the_task_may_be_said(task: str) -> None:
    assert answer_of(rebuilt(MODELS["operators"](tf_keras)), wanted(task=task)).task == task


def test_a_task_that_the_answer_is_not_for_is_refused() -> None:
    with pytest.raises(InputError, match=r"'regression'; the output 'decision' .* ends with a softmax"):
        answer_of(rebuilt(MODELS["last state"](tf_keras)), wanted(task="regression"))


def test_a_sigmoid_for_every_step_is_refused() -> None:
    with pytest.raises(InputError, match="a sigmoid for every step"):
        answer_of(rebuilt(over_time("sigmoid")), wanted())


def test_the_answer_may_be_named() -> None:
    made = rebuilt(MODELS["Keras attention"](tf_keras))
    assert list(made.outputs) == ["decision", "attend"]
    assert answer_of(made, wanted()).name == "decision"
    with pytest.raises(InputError, match="no output 'nothing', only decision, attend"):
        answer_of(made, wanted(answer="nothing"))


def test_an_output_that_no_task_has_is_refused() -> None:
    x = tf_keras.Input((STEPS, 3))
    hidden = tf_keras.layers.LSTM(4, return_sequences=True)(x)
    pooled = tf_keras.layers.MaxPooling1D(name="pooled")(hidden)
    with pytest.raises(InputError, match=r"an answer is .batch, classes. or .batch, 6, classes."):
        answer_of(rebuilt(tf_keras.Model(x, pooled)), wanted())


def test_open_steps_are_no_hindrance_while_only_the_answer_is_asked(tmp_path: Path) -> None:
    x = tf_keras.Input((None, 3))
    model = tf_keras.Model(x, tf_keras.layers.Dense(2, name="decision")(tf_keras.layers.LSTM(4)(x)))
    path = tmp_path / "open.keras"
    model.save(path)
    original, made = open_original(Wanted(path))
    assert original.steps is None
    assert answer_of(made, Wanted(path)).size == 2
    assert open_original(Wanted(path), 9)[1].input.shape[1] == 9


def test_the_identity_is_the_content_and_what_is_asked(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "m.keras").write_bytes(b"same")
    one, two = (Wanted(tmp_path / folder / "m.keras").identity() for folder in ("one", "two"))
    assert one == two
    assert Wanted(tmp_path / "one" / "m.keras", check=("a",)).identity() != one
    assert Wanted(tmp_path / "one").identity()["sha256"] != one["sha256"]  # a folder: all its files
    (tmp_path / "one" / "m.keras").write_bytes(b"other")
    assert Wanted(tmp_path / "one" / "m.keras").identity() != one


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no model"):
        require_file(tmp_path / "no.keras")
