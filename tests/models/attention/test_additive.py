import math
from typing import Any

import numpy as np
import pytest
import tf_keras
from attention_layers import attention, hidden_states

from models.attention import attention_class
from models.attention.additive import AdditiveAttention, ConcatAttention
from models.attention.operations import Operations
from models.errors import InputError

LN3 = math.log(3.0)


def test_additive_by_hand() -> None:
    """One unit: q W = 1, k U = 1 and -3/2, b = 1/2, so tanh(5/2) and tanh(0); v makes it ln 3 and 0."""
    layer = AdditiveAttention(units=1, return_attention_scores=True)
    query, hidden = np.float32([[[1.0, 9.0]]]), np.float32([[[7.0, 1.0], [3.0, -1.5]]])
    layer.build([query.shape, hidden.shape])
    weights = {
        "query_kernel": [[1.0], [0.0]],
        "key_kernel": [[0.0], [1.0]],
        "score_kernel": [[LN3 / math.tanh(2.5)]],
        "bias": [0.5],
    }
    layer.set_weights([np.array(weights[weight.name.split("/")[-1][:-2]]) for weight in layer.weights])
    context, attended = layer([query, hidden])
    np.testing.assert_allclose(layer.scores(Operations(), query, hidden), [[[LN3, 0.0]]], atol=1e-6)
    np.testing.assert_allclose(attended, [[[0.75, 0.25]]], atol=1e-6)
    np.testing.assert_allclose(context, [[[6.0, 0.375]]], atol=1e-5)


def test_concat_by_hand() -> None:
    """[q; k] W of one unit: 1 + 1 and 1 - 1; v makes ln 3 of tanh(2), and 0 stays."""
    layer = ConcatAttention(units=1, return_attention_scores=True)
    query, hidden = np.float32([[[1.0, 9.0]]]), np.float32([[[7.0, 1.0], [3.0, -1.0]]])
    layer.build([query.shape, hidden.shape])
    layer.set_weights([np.array(w) for w in ([[1.0], [0.0]], [[0.0], [1.0]], [[LN3 / math.tanh(2.0)]])])
    context, attended = layer([query, hidden])
    np.testing.assert_allclose(layer.scores(Operations(), query, hidden), [[[LN3, 0.0]]], atol=1e-6)
    np.testing.assert_allclose(attended, [[[0.75, 0.25]]], atol=1e-6)
    np.testing.assert_allclose(context, [[[6.0, 0.5]]], atol=1e-5)


def test_additive_is_kerass_where_both_projections_are_the_identity() -> None:
    query, value = hidden_states(seed=1), hidden_states(seed=2)
    keras = tf_keras.layers.AdditiveAttention()
    keras.build([query.shape, value.shape])
    scale = np.linspace(-1.0, 2.0, 8)
    keras.set_weights([scale])
    layer = attention("additive")
    layer.set_weights([np.eye(8), np.eye(8), scale[:, np.newaxis], np.zeros(8)])
    expected = keras([query, value], return_attention_scores=True)
    for ours, other in zip(layer([query, value]), expected, strict=True):
        np.testing.assert_allclose(ours, other, atol=1e-6)


def test_concat_is_the_formula_with_the_concatenation_made() -> None:
    query, key = hidden_states(steps=2, seed=1).astype(np.float64), hidden_states(seed=2).astype(np.float64)
    layer = attention("concat")
    w_query, w_key, v = (weight.astype(np.float64) for weight in layer.get_weights())
    pairs = np.concatenate(
        [np.repeat(query[:, :, np.newaxis], 5, 2), np.repeat(key[:, np.newaxis], 2, 1)], axis=-1
    )  # [batch, queries, time, 2 * size]
    scores = (np.tanh(pairs @ np.concatenate([w_query, w_key])) @ v)[..., 0]
    powers = np.exp(scores)
    _, weights = layer([query.astype(np.float32), key.astype(np.float32)])
    np.testing.assert_allclose(weights, powers / powers.sum(-1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("kind", ["additive", "concat"])
@pytest.mark.parametrize("units", [0, -3, 2.0])
def test_that_size_is_a_positive_integer(kind: str, units: Any) -> None:
    with pytest.raises(InputError, match=f"'units' of an attention is a positive integer, got {units}"):
        attention_class(kind)(units=units)


@pytest.mark.parametrize("kind", ["additive", "concat"])
def test_the_inner_layer_has_a_size_of_its_own(kind: str) -> None:
    layer = attention(kind, units=3)
    assert [tuple(weight.shape) for weight in layer.weights][:3] == [(8, 3), (8, 3), (3, 1)]
    assert type(layer).from_config(layer.get_config()).units == 3
