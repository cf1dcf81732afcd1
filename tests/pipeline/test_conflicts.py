"""What does not go together, case by case."""

from typing import Any

import pytest

from pipeline.config import BuildConfig
from pipeline.conflicts import conflicts


@pytest.mark.parametrize(
    ("given", "place", "told"),
    [
        ({"model": {"heads": 4}}, ("model", "heads"), "scaled-dot attention has no heads"),
        (
            {"model": {"attention": "multi-head", "heads": 3}},
            ("model", "heads"),
            "got 3, allowed: a divisor of 64, the width",
        ),
        (
            {"model": {"attention": "multi-head", "heads": 8, "units": [64, 12]}},
            ("model", "heads"),
            "got 8, allowed: a divisor of 12, the width",
        ),
        ({"model": {"layer_dropout": 0.25}}, ("model", "layer_dropout"), "got 0.25"),
        (
            {"model": {"variable_length": True, "bidirectional": True}},
            ("model", "variable_length"),
            "the backward LSTM would start in the padding",
        ),
        ({"model": {"task": "per-step", "query": "last"}}, ("model", "query"), "a query per step"),
        (
            {"model": {"task": "regression", "variable_length": True, "query": "all"}},
            ("model", "query"),
            "got all; with variable_length the mean of a varying number of contexts has no integer op",
        ),
        ({"csv": {"hop": 3}}, ("csv", "hop"), "got 3; without window a recording is one window"),
        (
            {"csv": {"window": 30}, "data": {"longest": 20}},
            ("data", "longest"),
            "got 20; [csv] window is 30, so nothing is longer",
        ),
        ({"augment": {"time_mask_steps": 3}}, ("augment", "time_mask_steps"), "got 3; time_masks is 0"),
        (
            {"augment": {"channel_mask_width": 3}},
            ("augment", "channel_mask_width"),
            "got 3; channel_masks is 0, so it would do nothing",
        ),
        ({"quantize": {"qat": False, "qat_epochs": 5}}, ("quantize", "qat_epochs"), "got 5; qat is false"),
        (
            {"quantize": {"qat": False, "qat_learning_rate": 0.001}},
            ("quantize", "qat_learning_rate"),
            "got 0.001; qat is false",
        ),
        (
            {"quantize": {"scheme": "float32", "qat_epochs": 5}},
            ("quantize", "qat_epochs"),
            "only int8 is trained, not float32",
        ),
        (
            {"quantize": {"scheme": ["float32", "float16"], "qat": False}},
            ("quantize", "qat"),
            "got false; it is for the scheme int8, which is not among float32, float16",
        ),
        (
            {"quantize": {"scheme": "dynamic", "calibration": "min-max"}},
            ("quantize", "calibration"),
            "got min-max; it is for the scheme int8",
        ),
        (
            {"quantize": {"scheme": ["int8", "float16", "int8"]}},
            ("quantize", "scheme"),
            "got int8 more than once",
        ),
        (
            {"quantize": {"attention_precision": ["int16", "int16"]}},
            ("quantize", "attention_precision"),
            "got int16 more than once",
        ),
        (
            {"quantize": {"scheme": ["float16", "dynamic"], "attention_precision": "int16"}},
            ("quantize", "attention_precision"),
            "got int16; it is for the scheme int8, which is not among float16, dynamic",
        ),
        ({"quantize": {"scheme": "float16"}, "convert": {"io": "int8"}}, ("convert", "io"), "got int8"),
        (
            {"quantize": {"scheme": "dynamic"}, "convert": {"compare_stock": True}},
            ("convert", "compare_stock"),
            "needs an int8 file",
        ),
        (
            {"model": {"task": "multi-label"}, "tolerances": {"r2_drop": 0.05}},
            ("tolerances", "r2_drop"),
            "got 0.05; it is not measured of the task multi-label",
        ),
        (
            {"model": {"attention": "multi-head"}, "tolerances": {"context_max_error": 0.1}},
            ("tolerances", "context_max_error"),
            "no contexts are compared",
        ),
    ],
)
def test_each_conflict_is_found(given: dict[str, Any], place: tuple[str, str], told: str) -> None:
    (found,) = conflicts(BuildConfig.model_validate(given))
    assert (found.section, found.key) == place
    assert told in found.text


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"model": {"attention": "multi-head", "heads": 8, "units": 12, "bidirectional": True}},
        {"model": {"units": [8, 8], "layer_dropout": 0.2}},
        {"model": {"task": "per-step"}},
        {"model": {"task": "per-step", "variable_length": True, "query": "all"}},
        {"model": {"variable_length": True}},
        {"model": {"variable_length": True, "query": "all"}},  # the data say what the task is
        {"quantize": {"qat": False}},
        {"tolerances": {"r2_drop": 0.05}},  # the data say what the task is
        {"model": {"task": "regression"}, "tolerances": {"r2_drop": 0.05}},
        {"quantize": {"scheme": ["float16", "int8"], "qat_epochs": 5, "calibration": "min-max"}},
        {"quantize": {"scheme": ["float32", "float16", "dynamic", "int8"], "attention_precision": "int16"}},
        {"quantize": {"scheme": "float16", "attention_precision": "int8"}},  # the default, written out
    ],
)
def test_what_goes_together_is_left_alone(given: dict[str, Any]) -> None:
    assert list(conflicts(BuildConfig.model_validate(given))) == []
