import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from attention_layers import SIZE, attention, hidden_states

from models.attention.multi_head import MultiHeadAttention
from models.attention.operations import Operations
from models.errors import InputError

LN3 = math.log(3.0)


def test_a_case_by_hand() -> None:
    """Two heads of size 1, projections that change nothing: each head sees one component.

    Means: 3/4 of ln 3 in both; the output swaps and doubles them, and adds [1, -1].
    """
    layer = MultiHeadAttention(heads=2, return_attention_scores=True)
    query, hidden = np.float32([[[1.0, 1.0]]]), np.float32([[[LN3, 0.0], [0.0, LN3]]])
    layer.build([query.shape, hidden.shape])
    same = [np.eye(2), np.zeros(2)]
    layer.set_weights([*same, *same, *same, np.array([[0.0, 2.0], [2.0, 0.0]]), np.array([1.0, -1.0])])
    context, weights = layer([query, hidden])
    scores = layer.scores(Operations(), query, hidden)
    np.testing.assert_allclose(scores, [[[[LN3, 0.0]], [[0.0, LN3]]]], atol=1e-6)
    np.testing.assert_allclose(weights, [[[[0.75, 0.25]], [[0.25, 0.75]]]], atol=1e-6)
    np.testing.assert_allclose(context, [[[1.5 * LN3 + 1, 1.5 * LN3 - 1]]], atol=1e-6)


@pytest.mark.parametrize("heads", [1, 2, 8])
@pytest.mark.parametrize("masked", [False, True])
def test_it_is_kerass_layer(heads: int, masked: bool) -> None:
    query, value, key = hidden_states(steps=2, seed=1), hidden_states(seed=2), hidden_states(seed=3)
    ours = attention("multi-head", heads=heads)
    keras = tf_keras.layers.MultiHeadAttention(heads, SIZE // heads)
    keras(query, value, key)
    keras.set_weights([ours.get_weights()[i].reshape(w.shape) for i, w in enumerate(keras.get_weights())])
    mask = tf.sequence_mask([5, 3, 1], 5) if masked else None
    wide = None if mask is None else mask[:, tf.newaxis]
    expected = keras(query, value, key, attention_mask=wide, return_attention_scores=True)
    for one, other in zip(ours(query, value, key, mask=mask), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)  # sums of 8 products, twice


def test_heads_have_to_share_the_key() -> None:
    with pytest.raises(InputError, match="3 heads cannot share keys of size 8"):
        MultiHeadAttention(heads=3)([hidden_states(), hidden_states()])


@pytest.mark.parametrize("heads", [0, -2, 2.0, True, None])
def test_the_number_of_heads_is_a_positive_integer(heads: Any) -> None:
    with pytest.raises(InputError, match=f"'heads' of an attention is a positive integer, got {heads}"):
        MultiHeadAttention(heads=heads)


def test_a_value_of_another_size_than_the_key_by_hand() -> None:
    """One head, weights 3/4 and 1/4; of [3, _, 1] and [7, _, 5] it takes the first and the last component."""
    layer = MultiHeadAttention(heads=1, return_attention_scores=True)
    query, key = np.float32([[[1.0, 0.0]]]), np.float32([[[LN3, 0.0], [0.0, LN3]]])
    value = np.float32([[[3.0, 9.0, 1.0], [7.0, -9.0, 5.0]]])
    layer.build([query.shape, value.shape, key.shape])
    same, outer = [np.eye(2), np.zeros(2)], np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    layer.set_weights([np.eye(2) * math.sqrt(2.0), np.zeros(2), *same, outer, np.zeros(2), *same])
    context, weights = layer(query, value, key)
    np.testing.assert_allclose(weights, [[[[0.75, 0.25]]]], atol=1e-6)
    np.testing.assert_allclose(context, [[[4.0, 2.0]]], atol=1e-5)


def test_the_number_of_heads_is_kept() -> None:
    assert MultiHeadAttention.from_config(MultiHeadAttention(heads=2).get_config()).heads == 2
