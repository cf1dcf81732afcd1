"""A small report, made without a model: everything a renderer can meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from pipeline.parity import comparison
from pipeline.parity.definitions import DEFINITIONS, REFERENCES
from pipeline.parity.measurements import accuracy
from pipeline.parity.outputs import Outputs
from pipeline.report import collect
from pipeline.report.data import ReportData

NAMES = ("walking", "sitting", "standing")


def softmax(scores: Any) -> Any:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def build(
    class_names: Sequence[str] = NAMES,
    windows: int = 60,
    steps: int = 29,
    channels: int = 4,
    attention: Callable[[Any], Any] = lambda weights: weights,
    rate_hz: float | None = None,
    **changes: Any,
) -> ReportData:
    """A report about outputs that a good int8 file might give; `attention` spoils its attention weights."""
    rng = np.random.default_rng(7)
    labels = np.arange(windows) % len(class_names)
    time = np.arange(steps)
    phase = rng.uniform(0, 6, (windows, 1, channels))
    features = np.sin(time[:, None] / (2 + np.arange(channels)) + phase) + 0.2 * rng.normal(
        size=(windows, steps, channels)
    )
    features[::3, : steps // 4] = 0  # padding at the front
    centre = rng.uniform(0.3, 0.9, (windows, 1)) * steps
    weights = softmax(-((time - centre) ** 2) / (steps / 3))
    logits = rng.normal(size=(windows, len(class_names))) + 4 * np.eye(len(class_names))[labels]
    float_model = Outputs(logits, weights, rng.normal(size=(windows, 8)))
    int8 = Outputs(
        np.round((logits + 0.05 * rng.normal(size=logits.shape)) / 0.1) * 0.1,
        np.round(attention(weights) * 256) / 256,
        float_model.context + 0.01,  # type: ignore[operator]
        logits_scale=0.1,
        attention_step=1 / 256,
    )
    about = collect.Windows(features.astype(np.float32), labels, float_model, int8, class_names)
    examples, arrays = collect.examples(about)
    values: dict[str, Any] = {
        "dataset": {
            "name": "motion",
            "attribution": "Made up for a test.",
            "class_names": list(class_names),
            "channel_names": [f"channel {index}" for index in range(channels)],
            "channel_units": ["g"] * channels,
            "sample_rate_hz": rate_hz,
            "windows": windows,
            "steps": steps,
            "features": channels,
        },
        "checks": (
            *comparison.promise(float_model, int8, labels),
            *comparison.float_forward(float_model, int8),
            *comparison.training_forward(int8, int8),
            *comparison.keras(float_model, float_model),
        ),
        "accuracies": tuple(
            accuracy(name, one.logits, labels)
            for name, one in {"float_model": float_model, "float32": float_model, "int8": int8}.items()
        ),
        "recalls": collect.recalls(about),
        "confusions": collect.confusions(about),
        "moved": {
            "total": comparison.moved(float_model, int8),
            "training": comparison.moved(float_model, float_model),
            "quantization": comparison.moved(float_model, int8),
        },
        "histograms": collect.histograms(float_model, int8),
        "examples": examples,
        "most_different": [collect.figures(about, int(index)) for index in collect.by_difference(about)[:10]],
        "files": [
            {"name": "model_float32.tflite", "size_bytes": 100_000},
            {"name": "model_int8.tflite", "size_bytes": 36_500},
        ],
        "model": {
            "ops": [
                {"name": "UNIDIRECTIONAL_SEQUENCE_LSTM", "count": 1, "dtypes": ["int8"]},
                {"name": "SOFTMAX", "count": 1, "dtypes": ["int8"]},
            ],
            "integer_only": True,
            "lstms": [
                {
                    "name": "lstm",
                    "kind": "int8 8x8_16",
                    "cell_clip": 0.0,
                    "parameters": [
                        {"tensor": "input", "dtype": "int8", "scale": 0.031, "zero_point": -3},
                        {"tensor": "cell_state", "dtype": "int16", "scale": 2.0**-12, "zero_point": 0},
                        {"tensor": "input_gate_bias", "dtype": "int32", "scale": None, "zero_point": None},
                    ],
                }
            ],
        },
        "latency_ms": {"float32": 0.21, "int8": 1.38},
        "training": [
            {
                "name": "float",
                "epochs": [
                    {
                        "epoch": epoch + 1,
                        "loss": 2.0 / (epoch + 1),
                        "val_loss": 2.2 / (epoch + 1),
                        "val_accuracy": 1 - 0.6 / (epoch + 1),
                    }
                    for epoch in range(20)
                ],
            }
        ],
        "config": {"data": {"source": "motion"}, "convert": {"io": "float32"}},
        "provenance": {"fuselage": "0.1.0", "tensorflow": "2.21.0"},
        "notes": ("One window in ten was a tie.",),
        "glossary": {name: one.meaning for name, one in DEFINITIONS.items()},
        "references": REFERENCES,
        "arrays": arrays,
        "attention_step": 1 / 256,
    }
    return ReportData(**{**values, **changes})


@pytest.fixture(scope="session")
def make_report() -> Callable[..., ReportData]:
    """The builder above."""
    return build
