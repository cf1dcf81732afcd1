"""Every measurement against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.errors import VerificationError
from pipeline.parity import measurements as measure

# Two windows, two classes; the second window flips.
FLOAT_LOGITS = np.array([[0.0, 1.0], [2.0, 1.0]])
INT8_LOGITS = np.array([[0.0, 1.0], [0.5, 1.0]])
# Two windows, four steps.
FLOAT_WEIGHTS = np.array([[0.5, 0.25, 0.25, 0.0], [0.125, 0.125, 0.25, 0.5]])
INT8_WEIGHTS = np.array([[0.25, 0.5, 0.25, 0.0], [0.125, 0.125, 0.25, 0.4375]])


def test_probabilities_are_the_softmax() -> None:
    assert measure.probabilities(np.array([[0.0, math.log(3.0)]])) == pytest.approx(np.array([[0.25, 0.75]]))


def test_probabilities_of_large_logits_are_finite() -> None:
    assert measure.probabilities(np.array([[1000.0, 1000.0]])).tolist() == [[0.5, 0.5]]


def test_decision_agreement() -> None:
    assert measure.decision_agreement(FLOAT_LOGITS, INT8_LOGITS) == 0.5


def test_max_probability_difference() -> None:
    # Second window: e/(e + 1) = 0.7311 against 1/(1 + e^0.5) = 0.3775.
    expected = math.e / (math.e + 1) - 1 / (1 + math.exp(0.5))
    assert measure.max_probability_difference(FLOAT_LOGITS, INT8_LOGITS) == pytest.approx(expected)


def test_max_error() -> None:
    assert measure.max_error(FLOAT_WEIGHTS, INT8_WEIGHTS) == 0.25


def test_mean_total_variation() -> None:
    # Window 1: (0.25 + 0.25) / 2 = 0.25; window 2: 0.0625 / 2 = 0.03125; their mean.
    assert measure.total_variations(FLOAT_WEIGHTS, INT8_WEIGHTS).tolist() == [0.25, 0.03125]
    assert measure.mean_total_variation(FLOAT_WEIGHTS, INT8_WEIGHTS) == 0.140625


def test_row_sum_error() -> None:
    assert measure.row_sum_error(INT8_WEIGHTS) == 0.0625
    assert measure.row_sum_error(np.array([[0.5, 0.75]])) == 0.25


def test_relative_errors() -> None:
    reference, tested = np.array([[3.0, -4.0]]), np.array([[3.0, -3.0]])
    assert measure.relative_rms_error(reference, tested) == pytest.approx(1 / 5)
    assert measure.max_relative_error(reference, tested) == pytest.approx(1 / 4)


def test_relative_errors_of_nothing_are_nan() -> None:
    zeros = np.zeros((1, 2))
    assert math.isnan(measure.relative_rms_error(zeros, zeros))
    assert math.isnan(measure.max_relative_error(zeros, zeros))


class TestTop1:
    def test_another_step_is_no_agreement(self) -> None:
        top1 = measure.attention_top1(FLOAT_WEIGHTS, INT8_WEIGHTS, 1 / 256)
        assert top1 == measure.Top1(agreement=0.5, ties=0)

    def test_a_step_within_one_quantization_step_is_a_tie(self) -> None:
        reference = np.array([[0.5, 0.5 - 1 / 256, 1 / 256]])
        assert measure.attention_top1(reference, np.array([[0.4, 0.5, 0.1]]), 1 / 256) == measure.Top1(1.0, 1)

    def test_a_step_further_away_is_no_tie(self) -> None:
        reference = np.array([[0.5, 0.5 - 1.01 / 256, 1.01 / 256]])
        assert measure.attention_top1(reference, np.array([[0.4, 0.5, 0.1]]), 1 / 256) == measure.Top1(0.0, 0)

    def test_the_same_step_is_no_tie(self) -> None:
        assert measure.attention_top1(FLOAT_WEIGHTS, FLOAT_WEIGHTS, 1 / 256) == measure.Top1(1.0, 0)

    def test_nan_is_no_answer(self) -> None:
        top1 = measure.attention_top1(FLOAT_WEIGHTS, np.full((2, 4), np.nan), 1 / 256)
        assert math.isnan(top1.agreement)
        assert math.isnan(top1.ties)


def test_steps() -> None:
    reference, tested = np.array([[0, 10, 20, 30]]) / 256, np.array([[0, 11, 18, 30]]) / 256
    assert measure.share_within_steps(reference, tested, 1 / 256, 1) == 0.75
    assert measure.share_within_steps(reference, tested, 1 / 256, 0.5) == 0.5
    assert measure.max_steps(reference, tested, 1 / 256) == 2


def test_one_step_in_float32_is_one_step() -> None:
    scale = np.float32(0.0731)
    grid = np.arange(-128, 128, dtype=np.float32)[None] * scale
    assert measure.share_within_steps(grid[:, :-1], grid[:, 1:], float(scale), 1) == 1.0


def test_confusion() -> None:
    labels = np.array([1, 1])
    assert measure.confusion(FLOAT_LOGITS, labels, 3).tolist() == [[0, 0, 0], [1, 1, 0], [0, 0, 0]]


def test_accuracy_drop() -> None:
    labels = np.array([1, 0])
    assert measure.accuracy_drop(FLOAT_LOGITS, INT8_LOGITS, labels) == 0.5
    assert measure.accuracy_drop(INT8_LOGITS, FLOAT_LOGITS, labels) == -0.5


def test_worst_class_recall_drop() -> None:
    # Class 0: 2 of 2 against 1 of 2; class 1: 0 of 1 against 1 of 1; class 2 does not occur.
    reference = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0]])
    tested = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0]])
    labels = np.array([0, 0, 1])
    assert measure.worst_class_recall_drop(reference, tested, labels) == 0.5
    assert measure.accuracy_drop(reference, tested, labels) == 0.0  # which does not see it


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_not_measured(bad: float) -> None:
    spoiled = INT8_LOGITS.copy()
    spoiled[1, 1] = bad
    labels = np.array([1, 0])
    assert math.isnan(measure.decision_agreement(FLOAT_LOGITS, spoiled))
    assert math.isnan(measure.max_probability_difference(FLOAT_LOGITS, spoiled))
    assert math.isnan(measure.max_error(spoiled, FLOAT_LOGITS))
    assert math.isnan(measure.mean_total_variation(FLOAT_LOGITS, spoiled))
    assert math.isnan(measure.row_sum_error(spoiled))
    assert math.isnan(measure.accuracy_drop(FLOAT_LOGITS, spoiled, labels))
    assert math.isnan(measure.worst_class_recall_drop(FLOAT_LOGITS, spoiled, labels))


def test_nothing_is_not_measured() -> None:
    nothing = np.zeros((0, 2))
    assert math.isnan(measure.decision_agreement(nothing, nothing))
    assert math.isnan(measure.row_sum_error(nothing))
    assert math.isnan(measure.accuracy("int8", nothing, np.zeros(0, int)).value)


def test_different_shapes_are_refused() -> None:
    with pytest.raises(VerificationError, match=r"\(2, 2\).*\(1, 2\)"):
        measure.decision_agreement(FLOAT_LOGITS, INT8_LOGITS[:1])


def test_accuracy_and_its_wilson_interval() -> None:
    # 9 of 10, z = 1.959964: centre (0.9 + z^2/20) / (1 + z^2/10) = 0.788988,
    # half width z / (1 + z^2/10) sqrt(0.09/10 + z^2/400) = 0.193139.
    logits = np.eye(2)[[0] * 9 + [1]]
    one = measure.accuracy("int8", logits, np.zeros(10, int))
    assert (one.correct, one.n, one.value) == (9, 10, 0.9)
    assert one.low == pytest.approx(0.595850, abs=1e-6)
    assert one.high == pytest.approx(0.982124, abs=1e-6)


def test_outputs_that_are_not_finite_are_not_right() -> None:
    logits = np.array([[1.0, 0.0], [np.nan, 0.0]])
    assert measure.accuracy("int8", logits, np.array([0, 0])).correct == 1


def test_the_total_variation_of_a_window_is_the_mean_of_its_rows() -> None:
    two_rows = np.stack([FLOAT_WEIGHTS, FLOAT_WEIGHTS])  # two windows of two rows each
    tested = np.stack([INT8_WEIGHTS, FLOAT_WEIGHTS])
    assert measure.total_variations(two_rows, tested).tolist() == [0.140625, 0.0]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    reference, tested = random.dirichlet(np.ones(6), (2, 11))

    def all_of_them() -> list[float]:
        return [
            measure.max_error(reference, tested),
            measure.max_relative_error(reference, tested),
            measure.relative_rms_error(reference, tested),
            measure.mean_total_variation(reference, tested),
            measure.row_sum_error(tested * 0.9),
            measure.share_within_steps(reference, tested, 0.1, 1),
        ]

    whole = all_of_them()
    monkeypatch.setattr(measure, "BLOCK", 13)  # two rows
    assert all_of_them() == pytest.approx(whole, rel=1e-12)
