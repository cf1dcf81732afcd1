import math

import numpy as np
import pytest
import tensorflow as tf

from models.attention.dot_product import ScaledDotProductAttention, attention_context, attention_scores


def layer(kernel: list[list[float]], bias: list[float]) -> ScaledDotProductAttention:
    made = ScaledDotProductAttention()
    made.build([tf.TensorShape([None, len(kernel)]), tf.TensorShape([None, None, len(bias)])])
    made.set_weights([np.array(kernel), np.array(bias)])
    return made


def test_scores_are_dot_products() -> None:
    query, keys = tf.constant([[1.0, -2.0]]), tf.constant([[[1.0, 2.0], [3.0, 0.5]]])
    np.testing.assert_array_equal(attention_scores(query, keys), [[[-3.0, 2.0]]])


def test_the_context_is_the_weighted_mean() -> None:
    weights, values = tf.constant([[[0.25, 0.75]]]), tf.constant([[[0.0, 4.0], [8.0, 0.0]]])
    np.testing.assert_array_equal(attention_context(weights, values), [[[6.0, 1.0]]])


def test_a_case_by_hand() -> None:
    """q = ([1, 1] [[2, 0], [0, 3]] + [0, -3]) / sqrt(2) = [sqrt(2), 0]; scores are ln 3 and 0."""
    attend = layer([[2.0, 0.0], [0.0, 3.0]], [0.0, -3.0])
    first = math.log(3.0) / math.sqrt(2.0)
    hidden = tf.constant([[[first, 1.0], [0.0, 5.0]]])
    context, weights = attend([tf.constant([[1.0, 1.0]]), hidden])
    np.testing.assert_allclose(weights, [[0.75, 0.25]], atol=1e-6)
    np.testing.assert_allclose(context, [[0.75 * first, 2.0]], atol=1e-6)


def test_equal_states_get_equal_weights() -> None:
    hidden = tf.tile(tf.constant([[[0.5, -0.25]]]), [1, 4, 1])
    context, weights = layer([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0])([hidden[:, -1], hidden])
    np.testing.assert_allclose(weights, np.full((1, 4), 0.25), atol=1e-7)
    np.testing.assert_allclose(context, hidden[:, 0], atol=1e-7)


def test_state_and_hidden_states_may_differ_in_size() -> None:
    attend = ScaledDotProductAttention()
    context, weights = attend([tf.ones([2, 3]), tf.ones([2, 7, 4])])
    assert attend.kernel.shape == (3, 4)
    assert (context.shape, weights.shape) == ((2, 4), (2, 7))
    assert attend.compute_output_shape([(2, 3), (2, 7, 4)]) == ((2, 4), (2, 7))


def test_hidden_states_without_time_are_refused() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="incompatible"):
        layer([[1.0]], [0.0])([tf.ones([2, 1]), tf.ones([2, 3])])
