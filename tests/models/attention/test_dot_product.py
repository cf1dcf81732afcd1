import math

import numpy as np
import tf_keras
from attention_layers import attention, hidden_states

from models.attention.dot_product import DotAttention, GeneralAttention, ScaledDotProductAttention
from models.attention.operations import Operations

LN3 = math.log(3.0)  # a score of ln 3 beside one of 0 gives the weights 3/4 and 1/4
QUERY = np.array([[[1.0, 0.0], [0.0, 1.0]]], np.float32)
KEY = np.array([[[LN3, 0.0], [0.0, LN3]]], np.float32)
VALUE = np.array([[[0.0, 4.0], [8.0, 0.0]]], np.float32)


def test_dot_by_hand() -> None:
    layer = DotAttention(return_attention_scores=True)
    context, weights = layer(QUERY, VALUE, KEY)
    np.testing.assert_allclose(layer.scores(Operations(), QUERY, KEY), [[[LN3, 0.0], [0.0, LN3]]], atol=1e-6)
    np.testing.assert_allclose(weights, [[[0.75, 0.25], [0.25, 0.75]]], atol=1e-6)
    np.testing.assert_allclose(context, [[[2.0, 3.0], [6.0, 1.0]]], atol=1e-5)


def test_general_by_hand() -> None:
    """W swaps the two components, and with them the rows of the weights."""
    layer = GeneralAttention(return_attention_scores=True)
    layer.build([QUERY.shape, VALUE.shape, KEY.shape])
    layer.set_weights([np.array([[0.0, 1.0], [1.0, 0.0]])])
    context, weights = layer(QUERY, VALUE, KEY)
    np.testing.assert_allclose(layer.scores(Operations(), QUERY, KEY), [[[0.0, LN3], [LN3, 0.0]]], atol=1e-6)
    np.testing.assert_allclose(weights, [[[0.25, 0.75], [0.75, 0.25]]], atol=1e-6)
    np.testing.assert_allclose(context, [[[6.0, 1.0], [2.0, 3.0]]], atol=1e-5)


def test_scaled_dot_by_hand() -> None:
    """q = ([1, 1] W + b) / sqrt(2) = ([2, 3] + [0, -3]) / sqrt(2) = [sqrt(2), 0]; scores are ln 3 and 0."""
    layer = ScaledDotProductAttention(return_attention_scores=True)
    layer.build([(1, 1, 2), (1, 2, 2)])
    layer.set_weights([np.array([[2.0, 0.0], [0.0, 3.0]]), np.array([0.0, -3.0])])
    query, hidden = np.float32([[[1.0, 1.0]]]), np.float32([[[LN3 / math.sqrt(2.0), 1.0], [0.0, 5.0]]])
    context, weights = layer([query, hidden])
    np.testing.assert_allclose(layer.scores(Operations(), query, hidden), [[[LN3, 0.0]]], atol=1e-6)
    np.testing.assert_allclose(weights, [[[0.75, 0.25]]], atol=1e-6)
    np.testing.assert_allclose(context, [[[0.75 * LN3 / math.sqrt(2.0), 2.0]]], atol=1e-6)


def test_dot_is_kerass_attention() -> None:
    query, value, key = (hidden_states(seed=seed) for seed in range(3))
    expected = tf_keras.layers.Attention()([query, value, key], return_attention_scores=True)
    for ours, keras in zip(attention("dot")([query, value, key]), expected, strict=True):
        np.testing.assert_allclose(ours, keras, atol=1e-6)
