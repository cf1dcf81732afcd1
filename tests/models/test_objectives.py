"""Losses and metrics of the tasks, by hand, and that each task is learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tf_keras

from models.config import NO_LABEL, TASKS, output_name
from models.errors import InputError
from models.objectives import objective
from models.training import TrainingPlan, set_seed, train_for, train_with_early_stopping

LN3 = float(np.log(3.0))


@pytest.mark.parametrize(
    ("task", "targets", "answers", "loss", "metric"),
    [
        # -ln(3/4) for logits of ln 3 and 0; the second window is wrong: -ln(1/4).
        ("classification", [0, 1], [[LN3, 0.0]] * 2, -np.log(3 / 16) / 2, 0.5),
        ("per-step", [[0, 0], [0, 1]], [[[LN3, 0.0]] * 2] * 2, -(3 * np.log(0.75) + np.log(0.25)) / 4, 0.75),
        # sigmoid(ln 3) = 3/4: of labels 1 and 0 the first is right.
        ("multi-label", [[1.0, 0.0]], [[LN3, LN3]], -np.log(3 / 16) / 2, 0.5),
        # Off by 0.5: 0.125; off by 3: beyond the corner, 3 - 0.5.
        ("regression", [[0.0, 0.0]], [[0.5, -3.0]], (0.125 + 2.5) / 2, 1.75),
    ],
)
def test_by_hand(task: str, targets: Any, answers: Any, loss: float, metric: float) -> None:
    one = objective(task)
    targets, answers = np.array(targets), np.array(answers, np.float32)
    assert float(one.loss(targets, answers)) == pytest.approx(loss, rel=1e-5)
    one.metric.update_state(targets, answers)
    assert float(one.metric.result()) == pytest.approx(metric)


def test_steps_that_are_padding_count_for_nothing() -> None:
    """Three steps with a label, of which one is wrong; the fourth is padding, whatever is answered there."""
    one = objective("per-step")
    targets = np.array([[0, 0], [1, NO_LABEL]])
    answers = np.array([[[LN3, 0.0]] * 2] * 2, np.float32)
    loss = -(2 * np.log(0.75) + np.log(0.25)) / 3
    for nonsense in (0.0, 50.0):
        answers[1, 1] = [nonsense, -nonsense]
        assert float(one.loss(targets, answers)) == pytest.approx(loss, rel=1e-5)
        one.metric.reset_state()
        one.metric.update_state(targets, answers)
        assert float(one.metric.result()) == pytest.approx(2 / 3)


def test_every_task_has_one_and_others_are_refused() -> None:
    for task in TASKS:
        assert objective(task).metric.name == ("error" if task == "regression" else "accuracy")
    with pytest.raises(InputError, match=r"Unknown task 'ranking'\. Known: classification, multi-label"):
        objective("ranking")


def model(task: str, outputs: int) -> Any:
    """A small model with the outputs of ours."""
    features = tf_keras.Input((5, 2), name="features")
    hidden = tf_keras.layers.LSTM(6, return_sequences=True)(features)
    weights = tf_keras.layers.Softmax(name="weights")(hidden[:, :, 0])
    head = hidden if task == "per-step" else hidden[:, -1, :]
    name = output_name(task)
    return tf_keras.Model(
        features, {name: tf_keras.layers.Dense(outputs, name=name)(head), "attention_weights": weights}
    )


def learnable(task: str, count: int, seed: int) -> tuple[Any, Any]:
    """Windows [count, 5, 2] whose channels' means, or signs at each step, are what is asked for."""
    x = np.random.default_rng(seed).normal(size=(count, 5, 2)).astype(np.float32)
    means = x.mean(axis=1)
    return x, {
        "multi-label": (means > 0).astype(np.int64),
        "regression": (means * np.sqrt(5)).astype(np.float32),
        "per-step": (x[..., 0] > 0).astype(np.int64),
    }[task]


@pytest.mark.slow
@pytest.mark.parametrize("task", ["multi-label", "regression", "per-step"])
def test_each_task_is_learned(task: str) -> None:
    set_seed(0)
    one = model(task, 2)
    plan = TrainingPlan(epochs=60, minimum_epochs=5, patience=10, batch_size=16, learning_rate=2e-2)
    seen: list[dict[str, float]] = []
    train, validation = learnable(task, 128, 1), learnable(task, 64, 2)
    best = train_with_early_stopping(one, train, validation, plan, seen.append, task)
    metric = objective(task).metric.name
    assert set(seen[0]) == {"epoch", "loss", metric, "val_loss", f"val_{metric}"}
    figure = seen[best - 1][f"val_{metric}"]
    assert figure < 0.35 if metric == "error" else figure > 0.85  # by chance: 0.8 and 0.5
    train_for(one, train, 1, plan, seen.append, task)
    assert set(seen[-1]) == {"epoch", "loss", metric}
