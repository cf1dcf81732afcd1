"""The int16 softmax, by hand and against LiteRT's kernel."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from int16_kernels import Int16Model

from models.quantization.softmax import exp_table, reciprocal_table, softmax_int16


def test_the_tables_by_hand() -> None:
    """Q0.15. Between two entries both functions lie below the line, by (10 / 512)^2 / 8 = 5e-5 of exp.

    At -10 exp is 1.49, rounded 1. The middle of the segment, 1.502, is rounded to 2, the line there, 1.26, to
    1: half of the difference, rounded away from zero, is the 1 that makes the entry 2. The ends at 1 are cut.
    """
    assert (len(exp_table()), len(reciprocal_table())) == (513, 513)
    assert exp_table()[[0, 256, 512]].tolist() == [2, round(np.exp(-5.0) * 32768), 32767]
    assert reciprocal_table()[[0, 256, 512]].tolist() == [32767, round(32768 / 1.5), 16384]


def test_two_equal_scores_by_hand() -> None:
    """e is 32767 twice, their sum 65534, k = 0: 65534 is 32767 * 2, so x = 32767 / 32768 * 2 - 1 = 0.99994.

    1 / (1 + x) is 16384 of 32768, and 32767 * 16384 / 2^15, rounded, 16384: a half.
    """
    weights = softmax_int16(tf.constant([[1.0, 1.0]]), tf.constant(1 / 1024))
    np.testing.assert_allclose(weights, [[0.5, 0.5]], atol=1.5 / 32768)


def test_what_lies_ten_below_the_best_keeps_two_steps() -> None:
    """The table ends at -10, where e is 2: no score leaves a weight of 0 in int16."""
    weights = softmax_int16(tf.constant([[0.0, -10.0, -30.0]]), tf.constant(30 / 32767))
    assert (np.asarray(weights) * 32768).round().tolist() == [[32761.0, 2.0, 2.0]]


def test_the_gradient_is_the_exact_softmaxs() -> None:
    scores, scale = tf.constant([[0.25, -0.5, 1.0]]), tf.constant(1 / 1024)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(scores)
        ours, exact = softmax_int16(scores, scale)[0, 0], tf.nn.softmax(scores)[0, 0]
    np.testing.assert_allclose(tape.gradient(ours, scores), tape.gradient(exact, scores), atol=1e-7)


@pytest.mark.parametrize(
    ("steps", "span", "spread"),
    [(29, 5.0, 1), (29, 5.0, 8), (128, 1.0, 1), (400, 20.0, 1), (400, 20.0, 64)],
)
def test_it_is_the_kernels(steps: int, span: float, spread: int) -> None:
    """Of scores all over their range, and of scores that lie closer together, by ``spread``."""
    x = tf_keras.Input((40, steps))
    model = Int16Model(tf_keras.Model(x, tf.nn.softmax(x)), [span])

    def ours(x: Any, scales: Any, _: Any) -> Any:
        return softmax_int16(x, scales[0])

    runs = -(-10_000 // (40 * steps))
    assert model.compare(ours, runs, limit=32768 // spread) == (runs * 40 * steps, 0, 0)


@pytest.mark.parametrize("spread", [1, 16, 256])
def test_rows_sum_to_1_within_the_promise(spread: int) -> None:
    """T / 65536 for T = 400 steps: half a step each."""
    x = tf_keras.Input((40, 400))
    model = Int16Model(tf_keras.Model(x, tf.nn.softmax(x)), [8.0])
    limit = 32768 // spread
    numbers = np.random.default_rng(0).integers(-limit, limit, (1, 40, 400)).astype(np.int16)
    sums = model.run(numbers).sum(-1) / 32768
    assert np.abs(sums - 1).max() <= 400 / 65536
