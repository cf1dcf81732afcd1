import math

import numpy as np
import pytest
from attention_layers import attention, hidden_states

from models.attention.cosine import CosineAttention
from models.attention.operations import Operations
from models.errors import InputError


def test_a_case_by_hand() -> None:
    """The first key has the direction of the first query, the second stands at a right angle to it."""
    query = np.float32([[[3.0, 4.0], [-4.0, 3.0]]])
    key = np.float32([[[6.0, 8.0], [-0.4, 0.3]]])
    layer = CosineAttention(sharpness=math.log(3.0), return_attention_scores=True)
    context, weights = layer(query, np.float32([[[0.0, 4.0], [8.0, 0.0]]]), key)
    scores = layer.scores(Operations(), query, key)
    np.testing.assert_allclose(scores, math.log(3.0) * np.eye(2)[np.newaxis], atol=1e-6)
    np.testing.assert_allclose(weights, [[[0.75, 0.25], [0.25, 0.75]]], atol=1e-6)
    np.testing.assert_allclose(context, [[[2.0, 3.0], [6.0, 1.0]]], atol=1e-5)


def test_it_is_the_formula() -> None:
    query, key = hidden_states(seed=1).astype(np.float64), hidden_states(seed=2).astype(np.float64)
    dots = np.einsum("bqs,bts->bqt", query, key)
    lengths = np.linalg.norm(query, axis=-1)[:, :, np.newaxis] * np.linalg.norm(key, axis=-1)[:, np.newaxis]
    powers = np.exp(8.0 * dots / lengths)
    _, weights = attention("cosine")([query.astype(np.float32), key.astype(np.float32)])
    np.testing.assert_allclose(weights, powers / powers.sum(-1, keepdims=True), atol=1e-6)


def test_lengths_do_not_matter() -> None:
    query, key, layer = hidden_states(seed=1), hidden_states(seed=2), attention("cosine")
    np.testing.assert_allclose(layer([8 * query, key / 4])[1], layer([query, key])[1], atol=1e-6)


def test_a_state_of_zeros_has_no_direction_and_fits_all_alike() -> None:
    _, weights = attention("cosine")([0 * hidden_states(), hidden_states()])
    np.testing.assert_allclose(weights, np.full((3, 5, 5), 0.2), atol=1e-6)


@pytest.mark.parametrize("sharpness", [0.0, -1.0, math.nan])
def test_a_sharpness_is_positive(sharpness: float) -> None:
    with pytest.raises(InputError, match="positive, got"):
        CosineAttention(sharpness=sharpness)


def test_the_sharpness_is_kept() -> None:
    assert CosineAttention.from_config(CosineAttention(sharpness=3.0).get_config()).sharpness == 3.0
