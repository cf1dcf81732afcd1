from typing import Any

import numpy as np
import pytest

from models.augmentation import Augmentation
from models.classifier import build_model
from models.config import ModelConfig, RecurrentConfig
from models.errors import TrainingError
from models.training import (
    EpochReport,
    TrainingPlan,
    _compile,
    plan_training,
    set_seed,
    train_for,
    train_with_early_stopping,
)

CONFIG = ModelConfig(steps=5, features=2, outputs=2, recurrent=RecurrentConfig(units=(4,)))
QUICK = TrainingPlan(epochs=2, minimum_epochs=1, patience=5, batch_size=16, learning_rate=1e-3)


def separable(count: int, seed: int) -> tuple[Any, Any]:
    """Two classes: the first channel's mean is -1 or 1, with noise of standard deviation 1/2 a step."""
    random = np.random.default_rng(seed)
    y = np.arange(count) % 2
    x = random.normal(size=(count, 5, 2)) * 0.5
    x[..., 0] += (2 * y - 1)[:, np.newaxis]
    return x.astype(np.float32), y


def silent(figures: dict[str, float]) -> None:
    pass


def test_a_small_set_gets_more_epochs() -> None:
    """Steps an epoch: ceil(216 / 32) = 7, ceil(1920 / 64) = 30, ceil(32 / 16) = 2."""
    assert plan_training(216, 2e-3) == TrainingPlan(343, 35, 26, 32, 2e-3)
    assert plan_training(1920, 2e-3) == TrainingPlan(80, 8, 6, 64, 2e-3)
    assert plan_training(32, 2e-3) == TrainingPlan(1200, 120, 90, 16, 2e-3)
    assert plan_training(10**6, 2e-3) == TrainingPlan(30, 5, 5, 64, 2e-3)


def test_what_is_given_is_kept() -> None:
    assert plan_training(216, 0.1, epochs=3, batch_size=8, patience=2) == TrainingPlan(3, 3, 2, 8, 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_converges_on_any_seed(seed: int) -> None:
    """A window's mean has a standard deviation of 0.5 / sqrt(5): 4.5 of them to the wrong side, 1 in 10^5."""
    set_seed(seed)
    model = build_model(CONFIG)
    train, validation, test = separable(64, seed), separable(16, 10 + seed), separable(64, 20 + seed)
    plan = TrainingPlan(epochs=40, minimum_epochs=5, patience=5, batch_size=16, learning_rate=2e-2)
    train_with_early_stopping(model, train, validation, plan, silent)
    decisions = model.predict(test[0], verbose=0)["logits"].argmax(axis=1)
    assert np.mean(decisions == test[1]) == 1.0


def test_the_best_epochs_weights_are_kept() -> None:
    """A learning rate so high that the loss jumps: the best epoch is not the last."""
    set_seed(1)
    model, validation = build_model(CONFIG), separable(16, 1)
    plan = TrainingPlan(epochs=10, minimum_epochs=1, patience=10, batch_size=8, learning_rate=1.0)
    seen: list[dict[str, float]] = []
    best = train_with_early_stopping(model, separable(24, 0), validation, plan, seen.append)
    losses = [figures["val_loss"] for figures in seen]
    assert best == 1 + int(np.argmin(losses)) < len(losses)
    kept = model.evaluate(validation[0], {"logits": validation[1]}, verbose=0, return_dict=True)
    np.testing.assert_allclose(kept["loss"], losses[best - 1], rtol=1e-4)
    assert kept["loss"] < losses[-1]


def test_it_stops_without_progress_but_not_before_the_minimum() -> None:
    """With a learning rate of next to nothing the loss stands still from the start."""
    plan = TrainingPlan(epochs=30, minimum_epochs=4, patience=2, batch_size=16, learning_rate=1e-9)
    seen: list[dict[str, float]] = []
    train_with_early_stopping(build_model(CONFIG), separable(16, 0), separable(16, 1), plan, seen.append)
    assert [figures["epoch"] for figures in seen] == [1, 2, 3, 4, 5, 6, 7]
    assert set(seen[0]) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}


def test_a_refit_runs_for_its_epochs_and_ends_at_rest() -> None:
    """The learning rate has fallen to 0 when the last step is done."""
    model, seen = build_model(CONFIG), list[dict[str, float]]()
    before = model.get_weights()
    train_for(model, separable(20, 0), 3, QUICK, seen.append)
    assert [figures["epoch"] for figures in seen] == [1, 2, 3]
    assert set(seen[0]) == {"epoch", "loss", "accuracy"}
    assert any(np.any(now != then) for now, then in zip(model.get_weights(), before, strict=True))
    schedule = model.optimizer._learning_rate  # 20 windows: 2 steps an epoch
    assert (float(schedule(0)), float(schedule(6))) == (pytest.approx(1e-3), 0.0)


def test_a_loss_that_is_not_a_number_ends_training() -> None:
    model = build_model(CONFIG)
    model.get_layer("logits").bias.assign([np.nan, 0.0])
    with pytest.raises(TrainingError, match="training loss became nan in epoch 1") as error:
        train_for(model, separable(16, 0), 5, QUICK, silent)
    assert "learning rate" in error.value.tip


def test_a_validation_loss_that_is_not_a_number_ends_training() -> None:
    seen: list[dict[str, float]] = []
    report = EpochReport(seen.append)
    report.on_epoch_end(0, {"loss": 1.0, "val_loss": 2.0})
    with pytest.raises(TrainingError, match="validation loss became inf in epoch 2"):
        report.on_epoch_end(1, {"loss": 1.0, "val_loss": np.inf})
    assert seen == [{"epoch": 1, "loss": 1.0, "val_loss": 2.0}]


def test_the_loss_takes_logits() -> None:
    """-ln(3/4) for logits of ln 3 and 0. One softmax too many would still learn, only worse."""
    model = build_model(CONFIG)
    _compile(model, 1e-3, "classification")
    loss = model.loss["logits"](np.array([0]), np.array([[np.log(3.0), 0.0]]))
    np.testing.assert_allclose(loss, -np.log(0.75), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("refit", [False, True])
def test_augmentation_changes_what_is_trained_on_and_nothing_else(refit: bool) -> None:
    """With a learning rate next to 0 the losses are those of the model as it was."""
    set_seed(0)
    model, train, validation = build_model(CONFIG), separable(32, 0), separable(16, 1)
    before = [array.copy() for array in (*train, *validation)]
    plan = TrainingPlan(epochs=2, minimum_epochs=1, patience=5, batch_size=8, learning_rate=1e-9)
    rule, seen = Augmentation(time_shift=2, scale=0.9), list[dict[str, float]]()
    if refit:
        train_for(model, train, 2, plan, seen.append, augmentation=rule, seed=0)
    else:
        train_with_early_stopping(model, train, validation, plan, seen.append, augmentation=rule, seed=0)
    for array, old in zip((*train, *validation), before, strict=True):
        np.testing.assert_array_equal(array, old)
    trained, plain = (
        model.evaluate(x, {"logits": y}, verbose=0, return_dict=True)["loss"] for x, y in (train, validation)
    )
    assert all(abs(figures["loss"] - trained) > 1e-3 for figures in seen)  # drawn anew in both epochs
    assert seen[0]["loss"] != seen[1]["loss"]
    if not refit:
        for figures in seen:
            np.testing.assert_allclose(figures["val_loss"], plain, rtol=1e-5)


@pytest.mark.slow
def test_a_seed_decides_training_with_augmentation() -> None:
    def weights(seed: int) -> list[Any]:
        set_seed(0)
        model = build_model(CONFIG)
        train_for(model, separable(32, 0), 2, QUICK, silent, augmentation=Augmentation(jitter=1.0), seed=seed)
        return list(model.get_weights())

    first, again, other = weights(0), weights(0), weights(1)
    assert all((one == two).all() for one, two in zip(first, again, strict=True))
    assert any((one != two).any() for one, two in zip(first, other, strict=True))
