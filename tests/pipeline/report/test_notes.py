"""Sentences about the test windows, by task."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.parity.outputs import Outputs
from pipeline.report import collect
from pipeline.report.notes import _notes_on_shares


def windows(task: str, logits: Any, labels: Any, real: Any = None) -> collect.Windows:
    answers = np.asarray(logits, float)
    outputs = Outputs(answers, np.full((len(answers), 4), 0.25), real=real)
    return collect.Windows(np.zeros((len(answers), 4, 1)), labels, outputs, outputs, ("a", "b"), task)


def test_of_windows_one_is_a_share() -> None:
    labels = np.zeros(8, int)
    for task in ("classification", "multi-label"):
        (note,) = _notes_on_shares(windows(task, np.zeros((8, 2)), labels))
        assert note == "With 8 test windows one window is 12.5 % of every share."
        assert not _notes_on_shares(windows(task, np.zeros((100, 2)), np.zeros(100, int)))


def test_of_values_nothing_is_a_share() -> None:
    assert _notes_on_shares(windows("regression", np.zeros((8, 2)), np.zeros((8, 2)))) == []


@pytest.mark.parametrize(
    ("lengths", "steps", "share"), [([4] * 8, 32, "3.1"), ([1, 2, 3, 4, 4, 4, 1, 1], 20, "5")]
)
def test_of_steps_those_that_are_no_padding_count(lengths: list[int], steps: int, share: str) -> None:
    real = np.arange(4) < np.array(lengths)[:, np.newaxis]
    about = windows("per-step", np.zeros((8, 4, 2)), np.zeros((8, 4), int), real)
    shares, intervals = _notes_on_shares(about)
    assert shares == (
        f"With {steps} steps of 8 test windows one step is {share} % of every share of steps, a window "
        "12.5 % on average."
    )
    assert intervals.startswith("Intervals of accuracies are those of 8 trials")


def test_many_windows_of_steps_still_have_intervals_of_windows() -> None:
    about = windows("per-step", np.zeros((100, 4, 2)), np.zeros((100, 4), int))
    (note,) = _notes_on_shares(about)
    assert "those of 100 trials" in note
    assert _notes_on_shares(windows("per-step", np.zeros((100, 4, 2)), None)) == []
