"""Training of the float model to convergence."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tf_keras
from numpy.typing import NDArray

from models.augmentation import Augmentation
from models.batches import AugmentedBatches
from models.config import output_name
from models.errors import TrainingError
from models.inputs import Inputs
from models.objectives import Objective, objective

FloatArray = NDArray[np.float32]
Targets = NDArray[Any]
OnEpoch = Callable[[dict[str, float]], None]

SMALL_DATA = 1000
"""Windows below which the part cut off for validation is missed, so that a refit on all of them pays."""


@dataclass(frozen=True)
class TrainingPlan:
    """How long and in which portions to train.

    Args:
        epochs: at most.
        minimum_epochs: before early stopping begins to look.
        patience: epochs without a better validation loss before training stops.
        batch_size: windows in a step.
        learning_rate: of Adam.
    """

    epochs: int
    minimum_epochs: int
    patience: int
    batch_size: int
    learning_rate: float


def plan_training(
    windows: int,
    learning_rate: float,
    epochs: int | None = None,
    batch_size: int | None = None,
    patience: int | None = None,
) -> TrainingPlan:
    """A plan for a number of training windows; what is None is chosen.

    What a network needs is a number of steps, not of epochs, so that a small
    set gets more epochs: at least 240 steps, at most 2400, and 180 without
    progress end it (figures tried on 40, 270 and 2400 windows).
    """
    batch_size = batch_size or (16 if windows < 100 else 32 if windows < SMALL_DATA else 64)
    steps = math.ceil(windows / batch_size)
    epochs = epochs or max(30, math.ceil(2400 / steps))
    return TrainingPlan(
        epochs=epochs,
        minimum_epochs=min(epochs, max(5, math.ceil(240 / steps))),
        patience=patience or max(5, math.ceil(180 / steps)),
        batch_size=batch_size,
        learning_rate=learning_rate,
    )


def set_seed(seed: int) -> None:
    """Make weights, batches and noise a function of the seed, in Python, NumPy and TensorFlow."""
    tf_keras.utils.set_random_seed(seed)


class EpochReport(tf_keras.callbacks.Callback):
    """Hand every epoch's figures to a listener, and stop where the loss is not finite."""

    def __init__(self, on_epoch: OnEpoch) -> None:
        super().__init__()
        self._on_epoch = on_epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        figures = {name: float(value) for name, value in (logs or {}).items()}
        for name, kind in (("loss", "training"), ("val_loss", "validation")):
            if not math.isfinite(figures.get(name, 0.0)):
                raise TrainingError(
                    f"The {kind} loss became {figures[name]} in epoch {epoch + 1}.",
                    tip="Lower the learning rate.",
                )
        self._on_epoch({"epoch": epoch + 1, **figures})


def _compile(model: tf_keras.Model, learning_rate: Any, task: str) -> None:
    chosen: Objective = objective(task)
    model.compile(
        tf_keras.optimizers.Adam(learning_rate, clipnorm=1.0),
        loss={output_name(task): chosen.loss},
        metrics={output_name(task): chosen.metric},
    )


def _named(figures: dict[str, float], task: str) -> dict[str, float]:
    """Keras prefixes the metric with the layer's name; ours are loss, accuracy, val_loss, val_accuracy."""
    keep = {"epoch": "epoch", "loss": "loss", "val_loss": "val_loss"}
    output, metric = output_name(task), objective(task).metric.name
    keep |= {f"{output}_{metric}": metric, f"val_{output}_{metric}": f"val_{metric}"}
    return {keep[name]: value for name, value in figures.items() if name in keep}


def train_with_early_stopping(
    model: tf_keras.Model,
    train: tuple[Inputs, Targets],
    validation: tuple[Inputs, Targets],
    plan: TrainingPlan,
    on_epoch: OnEpoch,
    task: str = "classification",
    augmentation: Augmentation | None = None,
    seed: int = 0,
) -> int:
    """Train until the validation loss stops falling; keep the best epoch's weights.

    Args:
        model: from ``models.classifier.build_model``; changed in place.
        train: x [n, T, F] float32, with ``lengths`` where the model takes them, and y as the task has it,
            see `models.objectives`.
        validation: the same, not seen by the optimizer.
        plan: how long.
        on_epoch: called with epoch (from 1), loss, val_loss, and the task's metric: accuracy and
            val_accuracy, of a regression error and val_error.
        task: what is learned.
        augmentation: what is done to the training windows, drawn anew every epoch; None: nothing. The
            validation windows stay as they are.
        seed: of these draws.

    Returns:
        The best epoch, counted from 1.

    Raises:
        TrainingError: the loss is not finite.
    """
    _compile(model, plan.learning_rate, task)
    stop = tf_keras.callbacks.EarlyStopping(
        "val_loss", min_delta=1e-4, patience=plan.patience, start_from_epoch=plan.minimum_epochs
    )
    report, keep = EpochReport(lambda figures: on_epoch(_named(figures, task))), _KeepBest()
    model.fit(
        **_fed(train, plan, task, augmentation, seed),
        epochs=plan.epochs,
        validation_data=(validation[0], {output_name(task): validation[1]}),
        callbacks=[report, keep, stop],
        verbose=0,
    )
    model.set_weights(keep.weights)
    return keep.epoch


def _fed(
    train: tuple[Inputs, Targets],
    plan: TrainingPlan,
    task: str,
    augmentation: Augmentation | None,
    seed: int,
) -> dict[str, Any]:
    """What `fit` is given of the training windows."""
    if not augmentation:
        return {"x": train[0], "y": {output_name(task): train[1]}, "batch_size": plan.batch_size}
    batches = AugmentedBatches(*train, plan.batch_size, augmentation, seed, task)
    return {"x": batches, "shuffle": False}  # they shuffle themselves


class _KeepBest(tf_keras.callbacks.Callback):
    """The weights of the epoch with the lowest validation loss.

    EarlyStopping would overlook the epochs before it starts.
    """

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.best, self.epoch = math.inf, 0
        self.weights = self.model.get_weights()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        loss = float((logs or {})["val_loss"])
        if loss < self.best:
            self.best, self.epoch, self.weights = loss, epoch + 1, self.model.get_weights()


def train_for(
    model: tf_keras.Model,
    train: tuple[Inputs, Targets],
    epochs: int,
    plan: TrainingPlan,
    on_epoch: OnEpoch,
    task: str = "classification",
    augmentation: Augmentation | None = None,
    seed: int = 0,
) -> None:
    """Train for a known number of epochs, the learning rate falling to 0 along a cosine.

    For the refit on all training data, where no validation part is left to stop by.
    """
    steps = epochs * math.ceil(len(train[1]) / plan.batch_size)
    _compile(model, tf_keras.optimizers.schedules.CosineDecay(plan.learning_rate, steps), task)
    model.fit(
        **_fed(train, plan, task, augmentation, seed),
        epochs=epochs,
        callbacks=[EpochReport(lambda figures: on_epoch(_named(figures, task)))],
        verbose=0,
    )
