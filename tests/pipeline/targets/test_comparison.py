"""The limits between two machines, each with a difference that it sees."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from models.errors import VerificationError
from pipeline.parity.outputs import Outputs
from pipeline.parity.verdict import Check, verdict
from pipeline.targets.arithmetic import Arithmetic
from pipeline.targets.comparison import compare, different, limits_of
from pipeline.targets.job import Answers
from pipeline.targets.sensitivity import Sensitivity

WEIGHTS = np.array([[128, 64, 64, 0]], np.float32) / 256
LOGITS = np.array([[1.0, -1.0]], np.float32)


def answers(
    weights: np.ndarray = WEIGHTS, logits: np.ndarray = LOGITS, step: float | None = 1 / 256
) -> Answers:
    count = 200  # of equal windows, so that one of them is less than the limits allow to change
    weights, logits = np.repeat(weights, count, axis=0), np.repeat(logits, count, axis=0)
    raw = {"logits": logits, "attention_weights": weights}
    return Answers(raw, Outputs(logits, weights, attention_step=step, logits_scale=step and 0.5))


def moved(weights: float = 0.0, logits: float = 0.0) -> Answers:
    """One weight and one logit of one window are something else."""
    made = answers()
    raw = {name: values.copy() for name, values in made.raw.items()}
    raw["attention_weights"][7, 1] += weights
    raw["logits"][7, 1] += logits
    return Answers(raw, dataclasses.replace(made.outputs, **raw))


def judged(
    there: Answers, kernels: str, kind: Arithmetic, steps: int = 4, behind: Sensitivity | None = None
) -> tuple[str, dict[str, Check]]:
    checks = compare(
        answers(), there, "arm64/x/y", kernels, kind, "classification", steps, behind=behind
    )
    return verdict(checks), {check.name: check for check in checks}


def test_what_differs_is_counted_by_bits() -> None:
    a = {"x": np.array([0.0, 1.0, np.nan], np.float32), "y": np.array([[2.0]], np.float32)}
    b = {"x": np.array([-0.0, 1.0, np.nan], np.float32), "y": np.array([[np.nextafter(2, 3)]], np.float32)}
    assert different(a, a) == 0
    assert different(a, b) == 1 + 0  # nextafter(2, 3) of a double is 2 in float32
    b["y"] = np.nextafter(np.float32(2), np.float32(3)).reshape(1, 1)
    assert different(a, b) == 2


@pytest.mark.parametrize(
    "other",
    [{"x": np.zeros(2, np.float32)}, {"z": np.zeros(3, np.float32)}, {"x": np.zeros(3)}],
    ids=["shape", "name", "type"],
)
def test_outputs_that_do_not_belong_together_are_an_error(other: dict[str, np.ndarray]) -> None:
    with pytest.raises(VerificationError):
        different({"x": np.zeros(3, np.float32)}, other)


def test_integers_with_reference_kernels_have_to_be_the_same_bits() -> None:
    assert judged(answers(), "reference", "integer")[0] == "pass"
    outcome, checks = judged(moved(logits=0.5), "reference", "integer")
    assert outcome == "fail"
    assert checks["outputs_different"].value == 1
    assert [name for name, check in checks.items() if check.limit is not None] == ["outputs_different"]


def test_integers_with_default_kernels_may_move_a_weight_by_one_step() -> None:
    outcome, checks = judged(moved(weights=1 / 256, logits=0.5), "default", "integer")
    assert outcome == "pass"
    assert checks["attention_max_steps"].value == pytest.approx(1)
    assert checks["outputs_different"].value == 2
    outcome, checks = judged(moved(weights=2 / 256), "default", "integer")
    assert (outcome, checks["attention_max_steps"].passed) == ("fail", False)


def test_wrong_answers_with_the_same_decisions_fail_where_no_weight_moved() -> None:
    outcome, checks = judged(answers(logits=1000 * LOGITS), "default", "integer")
    assert (outcome, checks["decision_agreement"].passed) == ("fail", True)
    assert (checks["answers_unexplained"].value, checks["answers_unexplained"].limit) == (400, 0)


def test_where_a_weight_moved_answers_may_move_as_far_as_it_can_carry_them() -> None:
    """128/256 + 1/4 of a logit whose steps are 1/2: one step, not two."""
    behind = Sensitivity(128.0, 0.25)
    outcome, checks = judged(moved(weights=1 / 256, logits=0.5), "default", "integer", behind=behind)
    assert (outcome, checks["answers_unexplained"].value) == ("pass", 0)
    outcome, checks = judged(moved(weights=1 / 256, logits=1.0), "default", "integer", behind=behind)
    assert (outcome, checks["logits_max_steps"].passed) == ("fail", False)


@pytest.mark.parametrize(("steps", "limit"), [(4, 1), (510, 1), (511, 2), (1022, 2), (1023, 3)])
def test_a_longer_sum_of_table_entries_may_move_it_further(steps: int, limit: int) -> None:
    made = answers(np.full((1, steps), 1 / steps, np.float32))
    assert limits_of(made, "default", "integer", "classification", steps)["attention_max_steps"] == limit


def test_decisions_with_default_kernels_keep_the_promise() -> None:
    other = answers(logits=-LOGITS)
    outcome, checks = judged(other, "default", "integer")
    assert (outcome, checks["decision_agreement"].passed) == ("fail", False)


def test_floats_may_differ_as_two_implementations_do() -> None:
    limit = 4 * 2.0**-18
    for kernels in ("reference", "default"):
        assert judged(moved(weights=limit / 2, logits=limit / 2), kernels, "float")[0] == "pass"
        assert judged(moved(weights=2 * limit), kernels, "float")[0] == "fail"
        assert judged(moved(logits=2 * limit), kernels, "float")[0] == "fail"


def test_a_float_file_without_attention_is_held_by_its_answers() -> None:
    none = Answers({"logits": LOGITS}, Outputs(LOGITS, np.zeros((1, 0), np.float32)))
    checks = compare(none, none, "arm64/x/y", "default", "float", "classification", 9)
    assert verdict(checks) == "pass"
    assert [check.name for check in checks if check.limit is not None] == ["logits_max_relative_error"]


def test_float_attention_behind_integers_is_held_as_floats_are() -> None:
    here = answers(step=None)
    limits = limits_of(here, "reference", "float attention", "classification", 4)
    assert limits["attention_max_error"] == 4 * 2.0**-18
    assert set(limits) == {"attention_max_error", "decision_agreement"}


def test_mixed_files_and_those_of_others_keep_the_promise() -> None:
    for kind, ours in (("mixed", True), ("integer", False)):
        limits = limits_of(answers(), "default", kind, "classification", 4, ours)  # type: ignore[arg-type]
        assert set(limits) == {"attention_max_error", "decision_agreement"}
        assert limits["attention_max_error"] == 0.05


def test_what_is_not_finite_fails() -> None:
    for kind in ("integer", "float", "mixed"):
        assert judged(moved(weights=np.nan), "default", kind)[0] == "fail"  # type: ignore[arg-type]
