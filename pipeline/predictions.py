"""Predictions of any task as plain JSON values: what `pipeline run` prints."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np

from pipeline.runtime import MultiLabelPrediction, Prediction, RegressionPrediction, StepPrediction


@singledispatch
def to_json(prediction: object, names: Sequence[str]) -> dict[str, Any]:
    """What a model says about one window.

    Args:
        prediction: of `pipeline.runtime`.
        names: of the model's classes, labels or targets.
    """
    raise TypeError(f"{type(prediction).__name__} is no prediction")


@to_json.register
def _(prediction: Prediction, names: Sequence[str]) -> dict[str, Any]:
    return {
        "label": prediction.label,
        "class_index": prediction.class_index,
        "probabilities": dict(zip(names, shortest(prediction.probabilities), strict=True)),
        "attention_weights": shortest(prediction.attention_weights),
    }


@to_json.register
def _(prediction: MultiLabelPrediction, names: Sequence[str]) -> dict[str, Any]:
    return {
        "labels": list(prediction.labels),
        "probabilities": dict(zip(names, shortest(prediction.probabilities), strict=True)),
        "attention_weights": shortest(prediction.attention_weights),
    }


@to_json.register
def _(prediction: RegressionPrediction, names: Sequence[str]) -> dict[str, Any]:
    return {
        "values": dict(zip(names, shortest(prediction.values), strict=True)),
        "units": dict(zip(names, prediction.units, strict=True)),
        "attention_weights": shortest(prediction.attention_weights),
    }


@to_json.register
def _(prediction: StepPrediction, names: Sequence[str]) -> dict[str, Any]:
    return {
        "labels": list(prediction.labels),
        "probabilities": [dict(zip(names, row, strict=True)) for row in shortest(prediction.probabilities)],
        "attention_weights": shortest(prediction.attention_weights),
    }


def shortest(values: np.ndarray) -> list[Any]:
    """float32 values as the shortest decimal numbers that are read back as the same float32, axis by axis."""
    if values.ndim > 1:
        return [shortest(row) for row in values]
    return [float(str(value)) for value in values]
