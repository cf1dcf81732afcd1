"""Answers as texts, and what is counted of them, task by task."""

from __future__ import annotations

import numpy as np
import pytest

from models.config import TASKS
from pipeline.data.preprocessing import Preprocessing
from pipeline.parity.outputs import Outputs
from pipeline.report.answers import VIEWS

NAMES = ("idle", "walk")


def outputs(logits: object) -> Outputs:
    logits = np.array(logits, float)
    return Outputs(logits, np.ones((len(logits), 1)))


def test_every_task_has_a_view() -> None:
    assert set(VIEWS) == set(TASKS)


def test_a_class_comes_with_its_probability() -> None:
    view = VIEWS["classification"](NAMES)
    assert view.truth(1) == "walk"
    assert view.answer(np.log([1.0, 3.0])) == ("walk", pytest.approx(0.75))
    assert view.scores(outputs([[0, 1]]), np.array([1])) == {}


def test_steps_are_shown_as_runs() -> None:
    view = VIEWS["per-step"](NAMES)
    assert view.truth(np.array([0, 0, 1, 1, 0])) == "idle → walk → idle"
    assert view.truth(np.arange(8) % 2) == "idle → walk → idle → walk → …"
    assert view.answer(np.array([[1, 0], [0, 1]])) == ("idle → walk", None)
    both = outputs([[[1, 0], [0, 1]], [[1, 0], [1, 0]]])
    counts = view.confusion(both, np.array([[0, 1], [0, 1]]))
    assert counts is not None
    assert counts.tolist() == [[2, 0], [1, 1]]
    assert [part.tolist() for part in view.recalled(both, np.array([[0, 1], [0, 1]]))] == [[2, 2], [2, 1]]


def test_labels_are_listed() -> None:
    view = VIEWS["multi-label"](NAMES)
    assert view.truth([1, 1]) == "idle, walk"
    assert view.answer(np.array([-1.0, -2.0])) == ("none", None)
    one = outputs([[1, 1], [-1, 1]])
    assert view.confusion(one, np.eye(2, dtype=int)) is None
    assert [part.tolist() for part in view.recalled(one, np.eye(2, dtype=int))] == [[1, 1], [1, 1]]
    assert view.differences(one, one).tolist() == [[0, 0], [0, 0]]
    assert view.scores(one, np.eye(2, dtype=int))["labels that are right"] == 0.75


def test_values_are_shown_in_the_users_units() -> None:
    rule = Preprocessing((), (), 1, 1, "none", target_mean=(10.0, 0.0), target_std=(2.0, 1.0))
    view = VIEWS["regression"](("angle", "speed"), ("deg", ""), rule)
    assert view.truth(np.array([1.0, 0.5])) == "12 deg, 0.5"
    assert VIEWS["regression"](("a", "b")).answer(np.array([1.0, 0.5])) == ("1, 0.5", None)
    one, targets = outputs([[0.0, 0.0], [1.0, 1.0]]), np.array([[0.5, 0.0], [1.5, 1.0]])
    scores = view.scores(one, targets)
    assert list(scores) == ["R2", "RMSE", "RMSE of angle [deg]", "RMSE of speed"]
    assert (scores["RMSE of angle [deg]"], scores["RMSE of speed"]) == (pytest.approx(1.0), 0.0)
    assert view.confusion(one, targets) is None
    assert view.differences(one, outputs(targets))[0].tolist() == [0.5, 0.0]
