from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tiny_classifier import copy_of, model, twin, windows

from models.quantization.divergence import class_divergence
from models.quantization.training import (
    HALF_SOFTMAX_STEP,
    DistillationPlan,
    attention_divergence,
    distill,
    plan_distillation,
)
from models.training import set_seed


def test_the_divergence_of_attention_by_hand() -> None:
    """A weight of 0 counts as half a step, so that it is not infinite."""
    low, high = HALF_SOFTMAX_STEP, 1.0 + HALF_SOFTMAX_STEP
    teacher, weights = tf.constant([[1.0, 0.0], [0.5, 0.5]]), tf.constant([[0.0, 1.0], [0.5, 0.5]])
    expected = (high - low) * np.log(high / low)
    np.testing.assert_allclose(attention_divergence(teacher, weights), [expected, 0.0], rtol=1e-5, atol=1e-7)


def test_it_is_never_negative_where_rounded_weights_do_not_sum_to_1() -> None:
    teacher = tf.fill([1, 100], 0.01)
    for rounded in (2 / 256, 3 / 256):
        assert attention_divergence(teacher, tf.fill([1, 100], rounded)).numpy()[0] > 0


@pytest.mark.parametrize(
    ("windows_", "batch", "epochs"),
    [(270, 32, 34), (2400, 64, 8), (100_000, 64, 4), (5, 16, 300)],
)
def test_a_plan_has_about_300_steps(windows_: int, batch: int, epochs: int) -> None:
    assert plan_distillation(windows_, batch) == DistillationPlan(epochs, batch, 1e-5)


def test_what_is_given_is_kept() -> None:
    assert plan_distillation(270, 32, epochs=3, learning_rate=0.5) == DistillationPlan(3, 32, 0.5)


def weights_of(made: Any) -> list[Any]:
    return [weight.copy() for weight in made.get_weights()]


def divergence(made: Any, x: Any) -> float:
    answers, teacher = made(x), model()(x)
    logits = class_divergence(teacher["logits"], answers["logits"])
    attention = attention_divergence(teacher["attention_weights"], answers["attention_weights"])
    return float(tf.reduce_mean(logits + 3.0 * attention))


def perturbed(amount: float) -> Any:
    """The twin with noise on its trainable weights."""
    made, random = copy_of(twin()), np.random.default_rng(0)
    for weight in made.trainable_weights:
        weight.assign_add(amount * random.normal(size=weight.shape))
    return made


@pytest.mark.slow
def test_a_perturbed_twin_is_brought_back() -> None:
    student, seen = perturbed(0.1), []
    before = divergence(student, windows(24))
    set_seed(0)
    plan = DistillationPlan(epochs=12, batch_size=8, learning_rate=1e-2)
    kept = distill(student, model(), windows(24), windows(24), plan, seen.append)
    assert kept > 0
    assert divergence(student, windows(24)) < 0.5 * before
    assert [figures["epoch"] for figures in seen] == list(range(13))
    assert set(seen[0]) == {"epoch", "val_loss"}
    assert set(seen[1]) == {"epoch", "loss", "val_loss"}
    np.testing.assert_allclose(seen[0]["val_loss"], before, rtol=1e-3)
    np.testing.assert_allclose(seen[kept]["val_loss"], divergence(student, windows(24)), rtol=1e-3)


@pytest.mark.slow
def test_what_training_spoils_is_not_kept() -> None:
    """A learning rate that destroys the weights: epoch 0 comes back, ranges included."""
    student = copy_of(twin())
    before = weights_of(student)
    plan = DistillationPlan(epochs=1, batch_size=100, learning_rate=5.0)  # a batch of all 24 windows
    assert distill(student, model(), windows(24), windows(24), plan, lambda figures: None) == 0
    for now, then in zip(student.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.slow
def test_a_model_without_attention_is_trained_by_its_answer_alone() -> None:
    import tf_keras

    from models.quantization import calibrate, quantize_model

    x = tf_keras.Input((4, 3))
    hidden = tf_keras.layers.LSTM(3, return_sequences=True, name="lstm")(x)
    answer = tf_keras.layers.Dense(2, name="head")(tf_keras.layers.Flatten()(hidden))
    teacher = tf_keras.Model(x, {"logits": answer, "hidden": hidden})
    student = quantize_model(teacher)
    data = np.random.default_rng(0).normal(size=(32, 4, 3)).astype(np.float32)
    calibrate(student, data)
    told: list[dict[str, float]] = []
    kept = distill(student, teacher, data, data, DistillationPlan(1, 16, 1e-4), told.append)
    assert kept in (0, 1)
    assert [one["epoch"] for one in told] == [0, 1]
    assert all(np.isfinite(one["val_loss"]) for one in told)
