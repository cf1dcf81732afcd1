"""What two models are compared by, task by task, by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.config import TASKS
from models.errors import InputError
from pipeline.parity import comparison
from pipeline.parity.definitions import DEFINITIONS, PROMISE
from pipeline.parity.outputs import Outputs
from pipeline.parity.tasks import task_named
from pipeline.parity.tolerances import promise_limits
from pipeline.parity.verdict import verdict

WEIGHTS = np.full((4, 5), 0.2)


def outputs(answers: Any) -> Outputs:
    answers = np.array(answers, float)
    return Outputs(answers, WEIGHTS[: len(answers)])


def test_every_task_of_the_models_has_one_and_names_checks_that_exist() -> None:
    for task in TASKS:
        kind = task_named(task)
        assert {*kind.close, *kind.judged, *kind.meanings} <= set(DEFINITIONS)
        assert set(kind.promise) <= set(PROMISE)
    assert {name for task in TASKS for name in task_named(task).promise} == set(PROMISE)
    with pytest.raises(InputError, match="Unknown task 'ranking'"):
        task_named("ranking")


def test_what_a_task_promises_is_measured_and_nothing_else_has_a_limit() -> None:
    targets = {"classification": [0, 1, 0, 1], "multi-label": [[1, 0], [0, 1], [1, 1], [0, 1]],
               "regression": [[1.0, 0.0], [0.0, 1.0], [2.0, 2.0], [0.0, 3.0]],
               "per-step": [[0, 1, 1], [1, 1, 0], [0, 0, 0], [1, 0, 1]]}  # fmt: skip
    random = np.random.default_rng(0)
    for task in TASKS:
        model = outputs(random.normal(size=(4, 3, 2) if task == "per-step" else (4, 2)))
        checks = comparison.promise(model, model, np.array(targets[task]), task=task)
        assert tuple(check.name for check in checks) == task_named(task).promise
        assert verdict(checks) == "pass"
        unmeasured = {check.name for check in checks if check.value is None}
        assert unmeasured == {"context_max_error", "context_relative_rms_error"}
        without = comparison.promise(model, model, None, task=task)
        missing = {check.name for check in without if check.value is None}
        assert missing - unmeasured == set(task_named(task).judged)
        moved = comparison.moved(model, model, task)
        assert set(task_named(task).close) <= set(moved)


class TestPerStep:
    """Two windows of two steps: one step of four is decided differently."""

    kind = task_named("per-step")
    before = outputs([[[2, 0], [0, 2]], [[2, 0], [2, 0]]])
    after = outputs([[[2, 0], [2, 0]], [[2, 0], [2, 0]]])
    targets = np.array([[0, 1], [0, 1]])

    def test_steps_are_decisions(self) -> None:
        assert self.kind.closeness(self.before, self.after)["decision_agreement"] == 0.75
        drops = self.kind.drops(self.before, self.after, self.targets)
        assert drops == {"accuracy_drop": 0.25, "worst_class_recall_drop": 0.5}

    def test_the_interval_is_that_of_as_many_trials_as_windows(self) -> None:
        accuracy = self.kind.accuracy("a", self.before, self.targets)
        assert accuracy is not None
        assert (accuracy.correct, accuracy.n, accuracy.value) == (3, 4, 0.75)
        assert accuracy.low < 0.5  # of 2 trials, not of 4
        nothing = self.kind.accuracy("a", self.before.select(np.zeros(0, int)), self.targets[:0])
        assert nothing is not None
        assert math.isnan(nothing.value)

    def test_windows_with_more_changed_steps_differ_more(self) -> None:
        changed, apart = self.kind.changes(self.before, self.after)
        assert changed.tolist() == [True, False]
        assert apart[0] > apart[1] == 0
        assert self.kind.strata(self.targets).tolist() == [0, 0]
        assert self.kind.decided_strata(self.after).tolist() == [0, 0]


class TestMultiLabel:
    """Four windows, two labels: the second label of the second window is lost."""

    kind = task_named("multi-label")
    before = outputs([[1, -1], [1, 1], [-1, -1], [-1, 1]])
    after = outputs([[1, -1], [1, -1], [-1, -1], [-1, 1]])
    targets = np.array([[1, 0], [1, 1], [0, 0], [1, 1]])

    def test_closeness(self) -> None:
        sigmoid = 1 / (1 + math.exp(-1))
        assert self.kind.closeness(self.before, self.after) == {
            "decision_agreement": 0.75,
            "label_agreement": 0.875,
            "max_probability_difference": pytest.approx(2 * sigmoid - 1),
        }

    def test_drops(self) -> None:
        # Right: windows 0, 1, 2 before, 0 and 2 after. Recall of the second label: 2 of 2, then 1 of 2.
        # F1: (2*2/(2*2+0+1) + 2*2/(2*2)) / 2 = 0.9 before, (0.8 + 2/3) / 2 after.
        assert self.kind.drops(self.before, self.after, self.targets) == {
            "accuracy_drop": 0.25,
            "worst_class_recall_drop": 0.5,
            "macro_f1_drop": pytest.approx(0.9 - (0.8 + 2 / 3) / 2),
        }

    def test_a_single_label_is_one_column_like_others(self) -> None:
        # True of windows 0, 1, 3; given to 0 and 1 before, to 0 after: recall 2/3 and 1/3, F1 0.8 and 0.5.
        before, after = outputs([[1], [1], [-1], [-1]]), outputs([[1], [-1], [-1], [-1]])
        drops = self.kind.drops(before, after, np.array([[1], [1], [0], [1]]))
        assert drops["worst_class_recall_drop"] == pytest.approx(1 / 3)
        assert drops["macro_f1_drop"] == pytest.approx(0.3)

    def test_accuracy_and_scores(self) -> None:
        accuracy = self.kind.accuracy("a", self.before, self.targets)
        assert accuracy is not None
        assert (accuracy.correct, accuracy.n) == (3, 4)
        scores = self.kind.scores(self.before, self.targets)
        assert scores == {"labels that are right": 0.875, "macro F1": pytest.approx(0.9)}
        assert self.kind.changes(self.before, self.after)[0].tolist() == [False, True, False, False]

    def test_nan_is_not_measured(self) -> None:
        nan = outputs(np.full((4, 2), np.nan))
        values = {**self.kind.closeness(self.before, nan), **self.kind.drops(self.before, nan, self.targets)}
        assert len(values) == 6
        assert all(value is not None and math.isnan(value) for value in values.values())
        accuracy = self.kind.accuracy("a", nan, self.targets)
        assert accuracy is not None
        assert accuracy.correct == 0

    def test_limits_of_all_labels_at_once(self) -> None:
        limits = promise_limits(5, 1000, None, task="multi-label", outputs=10)
        assert limits["decision_agreement"] == pytest.approx(0.985**10)
        assert limits["label_agreement"] == 0.985


class TestRegression:
    """Targets 0 and 2 (variance 1): the reference is right, the tested off by 0.3 and -0.4."""

    kind = task_named("regression")
    before, after = outputs([[0.0], [2.0]]), outputs([[0.3], [1.6]])
    targets = np.array([[0.0], [2.0]])

    def test_by_hand(self) -> None:
        closeness = self.kind.closeness(self.before, self.after)
        assert closeness["value_max_error"] == pytest.approx(0.4)
        assert closeness["value_rms_error"] == pytest.approx(math.sqrt(0.125))
        assert self.kind.drops(self.before, self.after, self.targets)["r2_drop"] == pytest.approx(0.125)
        assert self.kind.scores(self.after, self.targets) == {
            "R2": pytest.approx(0.875),
            "RMSE": pytest.approx(math.sqrt(0.125)),
        }
        assert self.kind.changes(self.before, self.after)[1] == pytest.approx([0.3, 0.4])
        assert self.kind.accuracy("a", self.after, self.targets) is None

    def test_nan_and_a_single_window_are_not_measured(self) -> None:
        nan = replace(self.after, logits=self.after.logits * np.nan)
        values = {**self.kind.closeness(self.before, nan), **self.kind.drops(self.before, nan, self.targets)}
        assert all(value is not None and math.isnan(value) for value in values.values())
        assert math.isnan(self.kind.scores(self.after.select(np.array([0])), self.targets[:1])["R2"])

    def test_an_independent_change_of_a_tenth_costs_a_point(self) -> None:
        random = np.random.default_rng(0)
        targets = random.normal(size=(5000, 1))
        weights = np.full((5000, 2), 0.5)
        model = Outputs(targets + 0.3 * random.normal(size=targets.shape), weights)
        moved = Outputs(model.logits + 0.1 * random.normal(size=targets.shape), weights)
        checks = {one.name: one for one in comparison.promise(model, moved, targets, task="regression")}
        assert checks["r2_drop"].value == pytest.approx(0.01, abs=0.003)
        assert checks["value_max_error"].passed
        too_far = replace(moved, logits=model.logits + 0.2 * random.normal(size=targets.shape))
        failed = comparison.promise(model, too_far, targets, task="regression")
        assert {one.name for one in failed if one.passed is False} == {
            "value_max_error", "value_rms_error", "r2_drop",
        }  # fmt: skip

    def test_chance_in_few_windows_is_forgiven(self) -> None:
        assert promise_limits(5, 100, None, task="regression")["r2_drop"] == pytest.approx(0.02)
        assert promise_limits(5, 10_000, None, task="regression")["r2_drop"] == 0.01


def test_steps_that_are_padding_are_not_decisions() -> None:
    one = TestPerStep()
    real = np.array([[True, False], [True, True]])  # the step that is decided differently is padding
    sides = (one.before, one.after)
    before, after = (replace(side, attention_weights=np.ones((2, 2)) / 2, real=real) for side in sides)
    targets = np.where(real, one.targets, -1)
    assert one.kind.closeness(before, after)["decision_agreement"] == 1
    assert one.kind.drops(before, after, targets)["accuracy_drop"] == 0
    accuracy = one.kind.accuracy("a", after, targets)
    assert accuracy is not None
    assert (accuracy.correct, accuracy.n) == (2, 3)
    assert one.kind.changes(before, after)[0].tolist() == [False, False]
