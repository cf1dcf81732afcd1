"""What each task is trained for: a loss, and a figure that people can read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
import tf_keras

from models.config import NO_LABEL
from models.errors import InputError


@dataclass(frozen=True)
class Objective:
    """Loss and metric of the model's first output.

    Args:
        loss: a mean over windows, and over labels, targets or steps.
        metric: named `accuracy` (more is better) or `error` (less is better).
    """

    loss: tf_keras.losses.Loss
    metric: tf_keras.metrics.Metric


def objective(task: str) -> Objective:
    """The objective of a task, new for every model.

    * classification: softmax cross entropy; y [n] whole numbers.
    * per-step: the same at every step, the mean over steps; y [n, T] whole numbers, `NO_LABEL` at padding,
      which counts for neither loss nor accuracy.
    * multi-label: sigmoid cross entropy, the mean over labels; y [n, labels] of 0 and 1. The accuracy is
      that of single labels.
    * regression: Huber's loss (1964) with its corner at one standard deviation of the target; y [n, targets],
      standardized. Up to there it is the squared error, whose minimum is the conditional mean; beyond it
      grows linearly, so that a few wrong or extreme targets do not steer the training. The error is the mean
      absolute one, in standard deviations.

    Raises:
        InputError: no such task.
    """
    if task not in _OBJECTIVES:
        raise InputError(f"Unknown task {task!r}. Known: {', '.join(sorted(_OBJECTIVES))}.")
    return _OBJECTIVES[task]()


def _of_classes() -> Objective:
    return Objective(
        tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        tf_keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
    )


def _of_steps() -> Objective:
    return Objective(
        tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=NO_LABEL),
        StepAccuracy(name="accuracy"),
    )


class StepAccuracy(tf_keras.metrics.SparseCategoricalAccuracy):
    """Share of the steps with a label that are right."""

    def update_state(self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: Any = None) -> Any:
        """Steps without a label weigh nothing. (Keras passes a mask it makes of `ignore_class` itself.)"""
        return super().update_state(y_true, y_pred, tf.cast(y_true != NO_LABEL, tf.float32))


def _of_labels() -> Objective:
    return Objective(
        tf_keras.losses.BinaryCrossentropy(from_logits=True),
        tf_keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0),  # of logits
    )


def _of_values() -> Objective:
    return Objective(tf_keras.losses.Huber(delta=1.0), tf_keras.metrics.MeanAbsoluteError(name="error"))


_OBJECTIVES: dict[str, Callable[[], Objective]] = {
    "classification": _of_classes,
    "per-step": _of_steps,
    "multi-label": _of_labels,
    "regression": _of_values,
}
