"""The groups of checks: what is in them, and that a wrong attention map fails."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.errors import VerificationError
from pipeline.parity import comparison
from pipeline.parity.definitions import DEFINITIONS
from pipeline.parity.outputs import Outputs
from pipeline.parity.tasks import task_named
from pipeline.parity.verdict import Check, verdict

WINDOWS, STEPS, CLASSES = 200, 29, 3


def outputs() -> tuple[Outputs, Any]:
    """A float model that attends to a few steps, and its labels."""
    rng = np.random.default_rng(1)
    labels = np.arange(WINDOWS) % CLASSES
    scores = 2 * rng.normal(size=(WINDOWS, STEPS))
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    logits = 5 * np.eye(CLASSES)[labels] + rng.normal(size=(WINDOWS, CLASSES))
    return Outputs(logits, weights, rng.normal(size=(WINDOWS, 4))), labels


def rounded(model: Outputs, attention: Callable[[Any], Any] = lambda weights: weights) -> Outputs:
    """What a faithful int8 file would give, with its attention map spoiled."""
    weights = np.round(attention(model.attention_weights) * 256) / 256
    return Outputs(np.round(model.logits * 16) / 16, weights, model.context, 1 / 16, attention_step=1 / 256)


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def failed(checks: list[Check]) -> set[str]:
    return {check.name for check in checks if check.passed is False}


def test_rounding_alone_passes() -> None:
    float_model, labels = outputs()
    checks = comparison.promise(float_model, rounded(float_model), labels)
    assert failed(checks) == set()
    assert verdict(checks) == "pass"


def test_the_promise_has_its_checks() -> None:
    float_model, labels = outputs()
    checks = comparison.promise(float_model, rounded(float_model), labels)
    assert [check.name for check in checks] == [
        "decision_agreement",
        "max_probability_difference",
        "attention_max_error",
        "attention_total_variation",
        "attention_row_sum_error",
        "attention_top1_agreement",
        "attention_top1_ties",
        "context_max_error",
        "context_relative_rms_error",
        "accuracy_drop",
        "worst_class_recall_drop",
    ]
    assert {check.reference for check in checks} == {"float_model"}
    assert {check.n for check in checks} == {WINDOWS}
    assert all(check.relation == DEFINITIONS[check.name].relation for check in checks)


@pytest.mark.parametrize(
    ("attention", "names"),
    [
        (lambda weights: weights[:, ::-1], {"attention_max_error", "attention_total_variation"}),
        (
            lambda weights: np.full_like(weights, 1 / weights.shape[1]),
            {"attention_max_error", "attention_total_variation"},
        ),
        (np.roll, {"attention_max_error", "attention_total_variation"}),
        (lambda weights: weights * 0.9, {"attention_row_sum_error", "attention_total_variation"}),
        (np.zeros_like, {"attention_row_sum_error", "attention_max_error", "attention_total_variation"}),
        (
            lambda weights: np.full_like(weights, np.nan),
            {"attention_row_sum_error", "attention_max_error", "attention_total_variation"},
        ),
    ],
    ids=["reversed", "uniform", "rolled", "sums to 0.9", "zero", "nan"],
)
def test_a_wrong_attention_map_fails(attention: Callable[..., Any], names: set[str]) -> None:
    spoil = (lambda weights: np.roll(weights, 1, axis=1)) if attention is np.roll else attention
    float_model, labels = outputs()
    checks = comparison.promise(float_model, rounded(float_model, spoil), labels)
    assert names <= failed(checks)
    assert verdict(checks) == "fail"


def test_a_small_error_in_every_row_sum_is_not_hidden_by_a_small_largest_error() -> None:
    """Diffuse attention over 400 steps: each weight is off by 0.002 only, and the map is worthless."""
    uniform = np.full((20, 400), 1 / 400)
    logits = np.eye(2)[np.arange(20) % 2]
    float_model = Outputs(logits, uniform)
    int8 = Outputs(logits, np.zeros_like(uniform), attention_step=1 / 256)
    checks = by_name(comparison.promise(float_model, int8, np.arange(20) % 2))
    assert checks["attention_max_error"].passed
    assert checks["attention_row_sum_error"].passed is False
    assert checks["attention_total_variation"].passed is False


def test_one_window_alone_never_fails_the_accuracy() -> None:
    labels = np.zeros(40, int)
    weights = np.full((40, 4), 0.25)
    right, one_wrong, two_wrong = (np.tile([1.0, 0.0], (40, 1)) for _ in range(3))
    one_wrong[0] = two_wrong[0] = two_wrong[1] = [0.0, 1.0]
    one = comparison.promise(Outputs(right, weights), Outputs(one_wrong, weights), labels)
    two = comparison.promise(Outputs(right, weights), Outputs(two_wrong, weights), labels)
    assert by_name(one)["accuracy_drop"].passed is True
    assert by_name(two)["accuracy_drop"].passed is False


def test_a_limit_without_a_measurement_fails() -> None:
    float_model, labels = outputs()
    int8 = rounded(float_model)
    without = replace(int8, context=None)  # none was taken
    checks = comparison.promise(float_model, without, labels, {"context_max_error": 0.5})
    assert by_name(checks)["context_max_error"].value is None
    assert failed(checks) == {"context_max_error"}


def test_without_labels_only_a_limit_that_was_asked_for_fails() -> None:
    float_model, _ = outputs()
    checks = comparison.promise(float_model, rounded(float_model), None)
    assert verdict(checks) == "pass"
    assert [check.name for check in checks] == list(task_named("classification").promise)
    assert (by_name(checks)["accuracy_drop"].value, by_name(checks)["accuracy_drop"].limit) == (None, None)
    asked = comparison.promise(float_model, rounded(float_model), None, {"worst_class_recall_drop": 1.0})
    assert failed(asked) == {"worst_class_recall_drop"}


def test_attention_that_neither_has_is_not_judged_and_one_that_only_one_has_is_an_error() -> None:
    float_model, labels = outputs()
    without = Outputs(float_model.logits, float_model.attention_weights[:, :0])
    checks = comparison.promise(without, without, labels)
    assert verdict(checks) == "pass"
    assert {check.value for check in checks if check.name.startswith("attention")} == {None}
    assert failed(comparison.promise(without, without, labels, {"attention_max_error": 1.0})) == {
        "attention_max_error"
    }
    with pytest.raises(VerificationError, match="shape"):
        comparison.promise(float_model, without, labels)


def test_nan_logits_fail() -> None:
    float_model, labels = outputs()
    nan = Outputs(np.full_like(float_model.logits, np.nan), float_model.attention_weights)
    assert failed(comparison.promise(float_model, nan, labels)) == {"decision_agreement", "accuracy_drop"}


def test_float_forward_is_reported_only() -> None:
    float_model, _ = outputs()
    checks = comparison.float_forward(float_model, rounded(float_model))
    assert {check.limit for check in checks} == {None}
    assert "attention_total_variation" in by_name(checks)


def test_training_forward_counts_steps() -> None:
    weights = np.array([[128, 64, 64, 0]]) / 256
    logits = np.array([[1.0, 2.0, 3.0, 4.0]])
    twin = Outputs(logits, weights)
    int8 = Outputs(
        logits + np.array([[0.5, 1.5, 0.0, -0.5]]),
        weights + np.array([[1, 0, -2, 0]]) / 256,
        logits_scale=0.5,
        attention_step=1 / 256,
    )
    checks = by_name(comparison.training_forward(twin, int8))
    values = {name: check.value for name, check in checks.items()}
    assert values == {
        "attention_within_one_step": 0.75,
        "attention_equal": 0.5,
        "attention_max_steps": 2,
        "logits_within_one_step": 0.75,
        "logits_equal": 0.25,
        "logits_max_steps": 3,
    }
    assert checks["attention_within_one_step"].passed is False


def test_logits_off_the_integer_grid_are_not_counted_in_steps() -> None:
    float_model, _ = outputs()
    checks = by_name(comparison.training_forward(float_model, float_model))
    assert not {name for name in checks if name.startswith("logits_")}
    with_scale = by_name(comparison.training_forward(float_model, rounded(float_model)))
    assert with_scale["logits_equal"].limit is None
    assert with_scale["logits_equal"].relation == ">="


def test_a_missing_training_forward_fails() -> None:
    float_model, _ = outputs()
    assert failed(comparison.training_forward(None, rounded(float_model))) == {"attention_within_one_step"}


def test_keras_is_tight() -> None:
    float_model, _ = outputs()
    nearly = Outputs(float_model.logits, float_model.attention_weights + 1e-5)
    assert failed(comparison.keras(float_model, nearly)) == set()
    assert failed(comparison.keras(float_model, rounded(float_model))) == {
        "attention_max_error",
        "logits_max_relative_error",
    }


def test_what_training_and_quantization_moved_adds_up_to_a_bound() -> None:
    float_model, _ = outputs()
    forward = Outputs(float_model.logits, np.roll(float_model.attention_weights, 1, axis=1))
    int8 = rounded(forward)
    parts = [comparison.moved(*pair)["attention_total_variation"] for pair in
             ((float_model, int8), (float_model, forward), (forward, int8))]  # fmt: skip
    total, training, quantization = (part if part is not None else math.nan for part in parts)
    assert total <= training + quantization + 1e-12


def of_rank(shape: tuple[int, ...], step: float | None = 1 / 256) -> tuple[Outputs, Outputs, Any]:
    """A model whose attention weights have axes beside the windows, and its rounded twin."""
    model, labels = outputs()
    scores = 2 * np.random.default_rng(2).normal(size=(WINDOWS, *shape))
    weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    tested = np.round(weights / step) * step if step else weights
    file = Outputs(model.logits, tested, attention_step=step)
    return replace(model, attention_weights=weights), file, labels


@pytest.mark.parametrize("shape", [(STEPS, STEPS), (4, STEPS), (2, 7, STEPS)])
@pytest.mark.parametrize("step", [1 / 256, 1 / 32768, None])
def test_attention_of_any_rank_and_format(shape: tuple[int, ...], step: float | None) -> None:
    float_model, tested, labels = of_rank(shape, step)
    checks = comparison.promise(float_model, tested, labels)
    assert failed(checks) == set()
    assert by_name(checks)["attention_top1_ties"].unit == "rows"
    moved = by_name(checks)["attention_total_variation"].value or 0.0
    rounding = (step or 0) / 8 * STEPS  # of evenly spread weights; those far below a step round by less
    assert 0.7 * rounding <= moved <= 1.05 * rounding
    spoiled = replace(tested, attention_weights=np.roll(tested.attention_weights, 1, axis=-1))
    assert {"attention_max_error", "attention_total_variation"} <= failed(
        comparison.promise(float_model, spoiled, labels)
    )
    one_row = tested.attention_weights.copy()
    one_row[(7, *(0 for _ in shape[:-1]))] *= 0.5 if step else 0.99  # in one row of one window
    short = comparison.promise(float_model, replace(tested, attention_weights=one_row), labels)
    assert "attention_row_sum_error" in failed(short)


def test_the_same_rows_of_other_axes_are_refused() -> None:
    float_model, tested, labels = of_rank((4, STEPS))
    other = replace(tested, attention_weights=tested.attention_weights.reshape(WINDOWS, 2, 2, STEPS))
    with pytest.raises(VerificationError, match=r"\(200, 4, 29\) in the reference, \(200, 2, 2, 29\)"):
        comparison.promise(float_model, other, labels)


@pytest.mark.parametrize(("step", "counted"), [(1 / 256, 1 / 256), (1 / 32768, 1 / 32768), (None, 1 / 32768)])
def test_the_training_forward_is_counted_in_the_files_own_steps(step: float | None, counted: float) -> None:
    _, file, _ = of_rank((4, STEPS), step)
    twin = replace(file, attention_weights=file.attention_weights + 3 * counted)
    checks = by_name(comparison.training_forward(twin, file))
    assert checks["attention_max_steps"].value == pytest.approx(3)
    assert (checks["attention_equal"].value, checks["attention_within_one_step"].value) == (0, 0)
    judged = {name: check.passed for name, check in checks.items() if check.limit is not None}
    if step == 1 / 256:
        assert judged == {"attention_within_one_step": False}
    else:  # three such steps are what a step of a score may do
        assert judged == {"attention_within_quarter": True}
        twin = replace(file, attention_weights=file.attention_weights + 1 / 1000)
        assert by_name(comparison.training_forward(twin, file))["attention_within_quarter"].passed is False


def test_contexts_of_other_shapes_are_not_compared() -> None:
    float_model, labels = outputs()
    heads = replace(rounded(float_model), context=np.zeros((WINDOWS, 2, 2)))
    checks = by_name(comparison.promise(float_model, heads, labels))
    assert (checks["context_max_error"].value, checks["context_max_error"].passed) == (None, None)


class TestPadding:
    """Self-attention over windows of which the last steps are padding, with nonsense there."""

    def pair(self) -> tuple[Outputs, Outputs]:
        float_model, tested, _ = of_rank((STEPS, STEPS))
        lengths = 1 + np.arange(WINDOWS) % STEPS
        real = np.arange(STEPS) < lengths[:, None]
        weights = np.where(real[:, None, :], float_model.attention_weights, 0)
        weights = weights / weights.sum(axis=-1, keepdims=True)
        rounded = np.round(weights * 256) / 256
        nonsense = np.where(real[..., None], rounded, rounded[..., ::-1])
        context = np.where(real[..., None], np.ones((WINDOWS, STEPS, 2)), 7.0)
        return (
            replace(float_model, attention_weights=weights, real=real, context=np.ones((WINDOWS, STEPS, 2))),
            replace(tested, attention_weights=nonsense, real=real, context=context),
        )

    def test_only_real_steps_are_compared(self) -> None:
        float_model, tested = self.pair()
        checks = by_name(comparison.promise(float_model, tested, np.arange(WINDOWS) % CLASSES))
        assert failed(list(checks.values())) == set()
        assert checks["context_max_error"].value == 0
        unmasked = [replace(one, real=None) for one in (float_model, tested)]
        assert "attention_max_error" in failed(comparison.promise(*unmasked, None))
        twin = replace(float_model, attention_weights=np.round(float_model.attention_weights * 256) / 256)
        assert by_name(comparison.training_forward(twin, tested))["attention_equal"].value == 1

    def test_weight_on_padding_is_seen(self) -> None:
        float_model, tested = self.pair()
        leaking = tested.attention_weights.copy()
        leaking[0, 0] = np.full(STEPS, 8 / 256)  # of the first window one step counts
        checks = comparison.promise(float_model, replace(tested, attention_weights=leaking), None)
        assert "attention_max_error" in failed(checks)

    def test_other_lengths_are_refused(self) -> None:
        float_model, tested = self.pair()
        with pytest.raises(VerificationError, match="not run on windows of the same lengths"):
            comparison.promise(float_model, replace(tested, real=None), None)


class TestWithoutAttention:
    """Of models that have none only answers are held together; a limit for what cannot be is none."""

    def pair(self) -> tuple[Outputs, Outputs]:
        float_model, _ = outputs()
        none = np.zeros((WINDOWS, 0), np.float32)
        return tuple(replace(one, attention_weights=none, context=None, attention_step=None)
                     for one in (float_model, rounded(float_model)))  # type: ignore[return-value]

    def test_the_training_forward_compares_the_logits(self) -> None:
        twin, int8 = self.pair()
        checks = by_name(comparison.training_forward(replace(twin, logits=int8.logits), int8))
        assert checks["logits_equal"].value == 1.0
        assert not any(name.startswith("attention_") for name in checks)

    def test_the_float_file_is_held_to_the_answers(self) -> None:
        float_model, _ = self.pair()
        checks = by_name(comparison.keras(float_model, float_model, steps=STEPS))
        assert checks["logits_max_relative_error"].limit == STEPS * 2.0**-18
        assert "attention_max_error" not in checks
        moved = replace(float_model, logits=float_model.logits * 1.01)
        assert failed(comparison.keras(float_model, moved, steps=STEPS)) == {"logits_max_relative_error"}

    def test_attention_that_only_one_has_is_an_error(self) -> None:
        float_model, _ = self.pair()
        with pytest.raises(VerificationError, match="attention weights have the shape"):
            comparison.keras(outputs()[0], float_model, steps=STEPS)
