"""Quantization-aware training with the float model as teacher."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

from models.config import output_name
from models.inputs import Inputs, windows_in
from models.quantization.divergence import task_divergence
from models.training import EpochReport

FloatArray = NDArray[np.float32]

ATTENTION_WEIGHT = 3.0
"""Weight of the attention's divergence beside the answer's."""

HALF_SOFTMAX_STEP = 1.0 / 512.0
"""Added to attention weights before a logarithm: an int8 weight of 0 is known to half a step only."""

LEARNING_RATE = 1e-5
"""Of Adam, at the start: gentle, for the weights are those of a trained model already.

With 2e-4 training moved windows it had never seen more than rounding did: on UCI
HAR one window's float forward went from probability 0.01 to 0.98 of a class.
Largest probability difference over seeds 0, 1, 2, test windows, with 2e-4 and 1e-5:
Japanese Vowels 0.030, 0.029, 0.025 and 0.024, 0.021, 0.019; UCI HAR 0.33, 0.67, 0.17
and 0.17, 0.51, 0.18. To keep the epoch by its largest error too changed less than that.
"""

VALIDATION_BATCH = 512
"""Windows evaluated at once."""


@dataclass(frozen=True)
class DistillationPlan:
    """How long and how gently to train: Adam, the learning rate falling to 0 along a cosine.

    Args:
        epochs: over the training windows.
        batch_size: windows in a step.
        learning_rate: at the start.
    """

    epochs: int
    batch_size: int
    learning_rate: float


def plan_distillation(
    windows: int, batch_size: int, epochs: int | None = None, learning_rate: float | None = None
) -> DistillationPlan:
    """A plan of about 300 steps, but at least 4 epochs; what is given is kept."""
    steps = math.ceil(windows / batch_size)
    epochs = epochs or max(4, math.ceil(300 / steps))
    return DistillationPlan(epochs, batch_size, learning_rate or LEARNING_RATE)


def attention_divergence(teacher_weights: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Kullback-Leibler divergence of the attention, softened by half an int8 step.

    Args:
        teacher_weights, weights: [batch, (heads,) (queries,) time]; the second may hold zeros.

    Returns:
        [batch], in nats, the mean over heads and queries.
    """
    p, q = teacher_weights + HALF_SOFTMAX_STEP, weights + HALF_SOFTMAX_STEP
    rows = tf.reduce_sum(p * (tf.math.log(p) - tf.math.log(q)) - p + q, axis=-1)
    return tf.reduce_mean(tf.reshape(rows, [tf.shape(rows)[0], -1]), axis=-1)


def distill(
    twin: tf_keras.Model,
    teacher: tf_keras.Model,
    x_train: Inputs,
    x_validation: Inputs,
    plan: DistillationPlan,
    on_epoch: Callable[[dict[str, float]], None],
    task: str = "classification",
) -> int:
    """Train a calibrated twin to answer as its teacher does; keep the best state.

    The state before the first step counts as epoch 0, so that training can only
    bring the twin closer to the teacher on the validation windows, never away.

    Args:
        twin: from ``quantize_model``, calibrated; changed in place.
        teacher: the float model; outputs ``logits`` or ``values``, and ``attention_weights`` where it has
            such; others are not trained by.
        x_train, x_validation: [n, T, F] float32, standardized, with ``lengths`` where the model takes
            them. No labels are needed.
        plan: how long.
        on_epoch: called with epoch, loss and val_loss (nats, attention weighted).
        task: what the models answer, which decides by what the answers are held together.

    Returns:
        The epoch that was kept.
    """
    answer = output_name(task)
    losses: dict[str, Any] = {answer: task_divergence(task)}
    if "attention_weights" in teacher.output:
        losses["attention_weights"] = attention_divergence
    targets, held_out = ({name: told[name] for name in losses}
                         for told in (teacher.predict(x, verbose=0) for x in (x_train, x_validation)))
    validation = (x_validation, held_out)
    windows = len(windows_in(x_train))
    batch_size = min(plan.batch_size, windows)
    # Whole batches only: XLA compiles the recurrence anew for every batch size it meets.
    batches = tf.data.Dataset.from_tensor_slices((x_train, targets))
    batches = batches.shuffle(windows).batch(batch_size, drop_remainder=True)
    schedule = tf_keras.optimizers.schedules.CosineDecay(plan.learning_rate, plan.epochs * len(batches))
    twin.compile(
        tf_keras.optimizers.Adam(schedule, clipnorm=1.0),
        loss=losses,
        loss_weights={name: 1.0 if name == answer else ATTENTION_WEIGHT for name in losses},
    )
    before = twin.evaluate(*validation, batch_size=VALIDATION_BATCH, verbose=0, return_dict=True)
    keep = _KeepClosest({name: float(value) for name, value in before.items()})
    on_epoch({"epoch": 0, "val_loss": float(before["loss"])})
    report = EpochReport(
        lambda figures: on_epoch({name: figures[name] for name in ("epoch", "loss", "val_loss")})
    )
    twin.fit(
        batches,
        epochs=plan.epochs,
        validation_data=validation,
        validation_batch_size=VALIDATION_BATCH,
        callbacks=[report, keep],
        verbose=0,
    )
    twin.set_weights(keep.weights)
    return keep.epoch


class _KeepClosest(tf_keras.callbacks.Callback):
    """The weights and ranges of the epoch that is closest to the teacher on the validation windows.

    Each output's divergence counts as a share of what it was before training,
    so that the attention's, most of which is the rounding of its softmax and
    cannot be trained away, does not drown the logits'.
    """

    def __init__(self, before: dict[str, float]) -> None:
        super().__init__()
        self._before = {name: value for name, value in before.items() if name.endswith("_loss")}
        self.closest, self.epoch = float(len(self._before)), 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.weights = self.model.get_weights()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        figures = logs or {}
        shares = [figures[f"val_{name}"] / max(value, 1e-12) for name, value in self._before.items()]
        if sum(shares) < self.closest:
            self.closest, self.epoch, self.weights = sum(shares), epoch + 1, self.model.get_weights()
