"""Divergences by hand: nothing for equal answers, the textbook's figure for others."""

from __future__ import annotations

import numpy as np
import pytest

from models.config import TASKS
from models.errors import InputError
from models.quantization.divergence import task_divergence

LN3 = float(np.log(3.0))
KL = 0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.5)  # of (3/4, 1/4) and (1/2, 1/2)


@pytest.mark.parametrize(
    ("task", "teacher", "student", "expected"),
    [
        ("classification", [[LN3, 0.0]], [[1.0, 1.0]], KL),
        ("per-step", [[[LN3, 0.0], [2.0, 2.0]]], [[[0.0, 0.0], [2.0, 2.0]]], KL / 2),
        ("multi-label", [[LN3, 1.0, -LN3]], [[0.0, 1.0, 0.0]], 2 * KL),
        ("regression", [[1.0, 0.0]], [[-1.0, 1.0]], (4 + 1) / 2),
    ],
)
def test_by_hand(task: str, teacher: list[float], student: list[float], expected: float) -> None:
    divergence = task_divergence(task)
    a, b = np.array(teacher, np.float32), np.array(student, np.float32)
    np.testing.assert_allclose(divergence(a, b), [expected], rtol=1e-5)
    np.testing.assert_allclose(divergence(a, a), [0.0], atol=1e-6)


def test_what_is_added_to_all_logits_changes_nothing() -> None:
    a = np.array([[1.0, 2.0]], np.float32)
    np.testing.assert_allclose(task_divergence("classification")(a, a + 10), [0.0], atol=1e-6)


def test_labels_that_are_certain_stay_finite() -> None:
    a, b = np.array([[200.0, -200.0]], np.float32), np.array([[-200.0, -200.0]], np.float32)
    np.testing.assert_allclose(task_divergence("multi-label")(a, b), [200.0])  # -log sigmoid(-200)


def test_every_task_has_one_and_others_are_refused() -> None:
    for task in TASKS:
        assert callable(task_divergence(task))
    with pytest.raises(InputError, match="Unknown task 'ranking'"):
        task_divergence("ranking")
