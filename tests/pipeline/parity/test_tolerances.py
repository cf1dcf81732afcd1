"""The default limits, by hand for T = 29 and 128."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import InputError
from pipeline.config import TolerancesConfig
from pipeline.parity.definitions import DEFINITIONS, PROMISE
from pipeline.parity.tolerances import keras_limits, promise_limits, training_limits
from pipeline.parity.verdict import Check


def test_promise_limits() -> None:
    assert promise_limits(steps=128, windows=1000, attention_step=1 / 256) == {
        "decision_agreement": 0.985,
        "accuracy_drop": 0.01,
        "attention_total_variation": 0.0725,
        "attention_row_sum_error": 0.25,
        "attention_max_error": 0.05,
    }


def test_accuracy_drop_never_fails_on_one_window() -> None:
    assert promise_limits(29, 40, 1 / 256)["accuracy_drop"] == 1 / 40
    assert promise_limits(29, 101, 1 / 256)["accuracy_drop"] == 0.01


@pytest.mark.parametrize("windows", [2, 60, 66, 67, 68, 100, 200])
@pytest.mark.parametrize("task", ["classification", "per-step", "multi-label"])
def test_agreement_never_fails_on_one_window(windows: int, task: str) -> None:
    """60 windows: 59 of 60 are 0.983, less than 0.985."""
    for weight_error in (0.0, 1.0):
        limits = promise_limits(29, windows, 1 / 256, task=task, outputs=3, weight_error=weight_error)
        for name in ("decision_agreement", "label_agreement"):
            if name in limits:
                agreed = (windows - 1) / windows
                one = Check(name, "float_model", ">=", agreed, limits[name], "share", windows)
                assert one.passed
    assert promise_limits(29, 60, 1 / 256)["decision_agreement"] == 1 - 1 / 60
    assert promise_limits(29, 200, 1 / 256)["decision_agreement"] == 0.985


def test_the_configuration_wins() -> None:
    limits = promise_limits(29, 40, 1 / 256, {"accuracy_drop": 0.0, "max_probability_difference": 0.15,
                                     "attention_max_error": None})  # fmt: skip
    assert limits["accuracy_drop"] == 0.0
    assert limits["max_probability_difference"] == 0.15
    assert limits["attention_max_error"] == 0.05


def test_an_unknown_tolerance_is_refused() -> None:
    with pytest.raises(InputError, match=r"'accuracy'.*accuracy_drop"):
        promise_limits(29, 40, 1 / 256, {"accuracy": 0.1})


def test_the_configuration_names_exactly_these_checks() -> None:
    assert set(TolerancesConfig.model_fields) == set(PROMISE)


def test_keras_limits() -> None:
    assert keras_limits(128) == {"attention_max_error": 2**-11, "logits_max_relative_error": 2**-11}


def test_every_limit_belongs_to_a_check() -> None:
    assert {*promise_limits(29, 40, 1 / 256), *keras_limits(29), *training_limits(None)} <= set(DEFINITIONS)


def test_every_check_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "parity.md").read_text(encoding="utf-8")
    assert [name for name in DEFINITIONS if f"`{name}`" not in text] == []


def test_limits_of_attention_follow_from_its_step() -> None:
    """T = 400: int16 rounds by 1/65536 at most, float by next to nothing."""
    int16, real = promise_limits(400, 1000, 1 / 32768), promise_limits(400, 1000, None)
    assert int16["attention_row_sum_error"] == 400 / 65536
    assert int16["attention_total_variation"] == 0.01 + 400 / 262144
    assert real["attention_row_sum_error"] == 400 / 2**22
    assert real["attention_total_variation"] == 0.01
    assert int16["attention_max_error"] == real["attention_max_error"] == 0.05


def test_what_runs_is_what_was_trained_within_one_step_or_what_a_score_does_to_finer_ones() -> None:
    assert training_limits(1 / 256) == {"attention_within_one_step": 0.99}
    for finer in (1 / 32768, None):
        assert training_limits(finer) == {"attention_within_quarter": 0.99}


def test_limits_shrink_with_the_error_of_the_weights() -> None:
    """float16 has an eighth of what int8 may move, float32 what two implementations of float32 may."""

    def limits(weight_error: float, windows: int = 1000) -> dict[str, float]:
        return promise_limits(128, windows, None, weight_error=weight_error)

    half, single = limits(2.0**-3), limits(0.0)
    assert half["attention_max_error"] == 0.05 / 8
    assert half["attention_total_variation"] == 0.01 / 8
    assert half["decision_agreement"] == 1 - 0.015 / 8
    assert single["attention_max_error"] == single["attention_total_variation"] == 128 * 2**-18
    assert single["decision_agreement"] == 0.999  # one window of 1000
    assert limits(0.0, windows=40)["decision_agreement"] == 1 - 1 / 40
    assert half["accuracy_drop"] == single["accuracy_drop"] == 0.01
