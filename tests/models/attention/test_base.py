"""How attention layers are called and saved; every test walks the registry."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from attention_layers import SIZE, STEPS, attention, hidden_states

from models.attention import attention_class
from models.config import ATTENTION_KINDS
from models.errors import InputError

every_kind = pytest.mark.parametrize("kind", ATTENTION_KINDS)
HEADS = 4  # of multi-head attention, unless told otherwise

QUERY, VALUE = hidden_states(steps=2, seed=1), hidden_states(seed=2)


def shape_of_weights(kind: str) -> tuple[int, ...]:
    return (3, HEADS, 2, STEPS) if kind == "multi-head" else (3, 2, STEPS)


def assert_equal(ours: Any, expected: Any) -> None:
    for one, other in zip(tf.nest.flatten(ours), tf.nest.flatten(expected), strict=True):
        np.testing.assert_array_equal(one, other)


@every_kind
def test_shapes(kind: str) -> None:
    context, weights = attention(kind)([QUERY, VALUE])
    assert context.shape == (3, 2, SIZE)
    assert weights.shape == shape_of_weights(kind)
    np.testing.assert_allclose(tf.reduce_sum(weights, -1), np.ones(weights.shape[:-1]), atol=1e-6)


@every_kind
def test_all_ways_to_call_it_are_one(kind: str) -> None:
    layer = attention(kind)
    expected = layer([QUERY, VALUE])
    for ours in (
        layer((QUERY, VALUE)),
        layer([QUERY, VALUE, VALUE]),
        layer(QUERY, VALUE),
        layer(QUERY, value=VALUE, key=VALUE),
        layer(query=QUERY, value=VALUE),
    ):
        assert_equal(ours, expected)


@every_kind
def test_a_key_of_its_own_decides_the_weights_and_the_value_the_context(kind: str) -> None:
    layer, key = attention(kind), hidden_states(seed=3)
    context, weights = layer(QUERY, VALUE, key)
    assert_equal(layer([QUERY, VALUE, key]), [context, weights])
    assert_equal(weights, layer([QUERY, key])[1])
    assert not np.allclose(context, layer([QUERY, key])[0], atol=1e-3)
    if layer.context_is_mean:
        np.testing.assert_allclose(context, weights @ VALUE, atol=1e-6)


@every_kind
def test_a_value_may_have_a_size_of_its_own(kind: str) -> None:
    layer, key = attention_class(kind)(return_attention_scores=True), hidden_states(seed=3)
    context, weights = layer(QUERY, VALUE[..., :3], key)
    assert context.shape == (3, 2, 3 if layer.context_is_mean else SIZE)
    assert weights.shape == shape_of_weights(kind)


@every_kind
def test_the_number_of_steps_may_be_open(kind: str) -> None:
    """A functional model of any length computes what the layer does for each."""
    layer = attention(kind)
    query, value = (tf_keras.Input((None, SIZE)) for _ in range(2))
    model = tf_keras.Model([query, value], layer([query, value]))
    for steps in (STEPS, 3):
        assert_equal(model([QUERY, VALUE[:, :steps]]), layer([QUERY, VALUE[:, :steps]]))


@every_kind
def test_weights_come_on_demand(kind: str) -> None:
    silent = attention_class(kind)()
    assert_equal(silent([QUERY, VALUE]), silent([QUERY, VALUE], return_attention_scores=True)[0])
    told = attention(kind)
    assert_equal(told([QUERY, VALUE], return_attention_scores=False), told([QUERY, VALUE])[0])


@every_kind
def test_equal_keys_get_equal_weights(kind: str) -> None:
    _, weights = attention(kind)([QUERY, np.repeat(VALUE[:, :1], STEPS, axis=1)])
    np.testing.assert_allclose(weights, np.full(weights.shape, 1 / STEPS), atol=1e-6)


@every_kind
@pytest.mark.parametrize("form", ["alone", "Keras's pair"])
def test_a_masked_step_gets_no_weight_and_changes_nothing(kind: str, form: str) -> None:
    layer = attention(kind)
    mask = tf.constant(np.arange(STEPS) < 3)[tf.newaxis]
    given = mask if form == "alone" else [None, mask]
    context, weights = layer([QUERY, VALUE], mask=given)
    np.testing.assert_array_equal(weights[..., 3:], 0.0)
    short_context, short_weights = layer([QUERY, VALUE[:, :3]])
    np.testing.assert_allclose(weights[..., :3], short_weights, atol=1e-6)
    np.testing.assert_allclose(context, short_context, atol=1e-6)


@every_kind
def test_masks_may_differ_from_window_to_window(kind: str) -> None:
    layer, lengths = attention(kind), np.array([2, 5, 1])
    _, weights = layer([QUERY, VALUE], mask=tf.sequence_mask(lengths, STEPS))
    for row, length in zip(weights, lengths, strict=True):
        assert (row[..., :length] > 0).numpy().all()
        np.testing.assert_array_equal(row[..., length:], 0.0)


MASKING = tf_keras.layers.Masking
CALLS = {
    "list": lambda layer, query, value: layer([query, value]),
    "separate tensors": lambda layer, query, value: layer(query, value),
    "by name": lambda layer, query, value: layer(query=query, value=value),
}
every_call = pytest.mark.parametrize("form", CALLS)


def padded(x: Any, length: int) -> Any:
    """Zeros behind the length, which Keras's ``Masking`` masks."""
    return np.where(np.arange(x.shape[1])[:, np.newaxis] < length, x, np.float32(0))


@every_kind
@every_call
@pytest.mark.parametrize("masked", ["both", "value"])
def test_the_mask_that_keras_hands_on_of_the_value_is_heeded(kind: str, form: str, masked: str) -> None:
    """The query has other steps, and its mask is that of the context."""
    layer = attention(kind)
    query, value = tf_keras.Input((2, SIZE)), tf_keras.Input((STEPS, SIZE))
    asked = MASKING()(query) if masked == "both" else query
    context, weights = CALLS[form](layer, asked, MASKING()(value))
    model = tf_keras.Model([query, value], [context, weights])
    asked, offered = padded(QUERY, 1), padded(VALUE, 3)
    expected = layer([asked, offered[:, :3]])
    eagerly = CALLS[form](layer, MASKING()(asked) if masked == "both" else asked, MASKING()(offered))
    for context, weights in (model([asked, offered]), eagerly):
        np.testing.assert_array_equal(weights[..., 3:], 0.0)
        np.testing.assert_allclose(weights[..., :3], expected[1], atol=1e-6)
        np.testing.assert_allclose(context, expected[0], atol=1e-6)
        kept = getattr(context, "_keras_mask", None)
        assert kept is None if masked == "value" else kept.numpy().tolist() == [[True, False]] * 3


@every_kind
@every_call
def test_the_mask_of_the_query_hides_no_step(kind: str, form: str) -> None:
    """Of self-attention's length, too."""
    layer, asked = attention(kind), padded(hidden_states(seed=1), 3)
    assert_equal(CALLS[form](layer, MASKING()(asked), VALUE), layer([asked, VALUE]))


@every_kind
def test_a_mask_that_is_given_comes_before_keras_s(kind: str) -> None:
    layer, mask = attention(kind), tf.sequence_mask([4, 3, 1], STEPS)
    value = padded(VALUE, 2)
    expected = layer([QUERY, value, value, mask])
    assert_equal(layer(QUERY, MASKING()(value), mask=mask), expected)
    assert_equal(layer([QUERY, MASKING()(value), value, mask]), expected)


@every_kind
@pytest.mark.parametrize("of", [bool, int, float])
def test_a_mask_may_be_numbers(kind: str, of: type) -> None:
    layer, mask = attention(kind), np.arange(STEPS)[np.newaxis] < [[2], [3], [5]]
    expected = layer([QUERY, VALUE], mask=tf.constant(mask))
    assert_equal(layer(QUERY, VALUE, mask=mask.astype(of)), expected)
    assert_equal(layer([QUERY, VALUE, VALUE, tf.constant(mask.astype(of))]), expected)


def model_around(layer: Any, form: str) -> Any:
    x = tf_keras.Input((STEPS, SIZE))
    states = tf_keras.layers.LSTM(SIZE, return_sequences=True)(x)
    context, weights = layer([states, states]) if form == "list" else layer(states, value=states)
    return tf_keras.Model(x, {"context": context, "weights": weights})


@pytest.mark.parametrize("form", ["list", "separate tensors"])
@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
@every_kind
def test_a_model_with_it_is_saved_and_read_back(kind: str, ending: str, form: str, tmp_path: Path) -> None:
    model = model_around(attention(kind), form)
    model.save(tmp_path / f"model.{ending}")
    read = tf_keras.models.load_model(tmp_path / f"model.{ending}")
    assert type(read.get_layer("attention")) is attention_class(kind)
    assert_equal(read(VALUE), model(VALUE))


@pytest.mark.parametrize("form", ["list", "separate tensors"])
@every_kind
def test_a_model_with_it_is_rebuilt_from_its_configuration(kind: str, form: str) -> None:
    model = model_around(attention(kind), form)
    copy = tf_keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    assert_equal(copy(VALUE), model(VALUE))


@every_kind
def test_a_layer_that_was_not_built_makes_its_weights_at_the_first_call(kind: str) -> None:
    for call in (lambda layer: layer([QUERY, VALUE]), lambda layer: layer(QUERY, VALUE)):
        layer = attention_class(kind)()
        call(layer)
        assert [w.shape for w in layer.weights] == [w.shape for w in attention(kind).weights]
        call(layer)
        assert len(layer.weights) == len(attention(kind).weights)


@every_kind
def test_a_training_step_inside_a_graph_moves_every_weight(kind: str) -> None:
    model = model_around(attention_class(kind)(return_attention_scores=True), "separate tensors")
    before = model.get_weights()
    model.compile(tf_keras.optimizers.SGD(1.0), {"context": "mse", "weights": "mse"})
    shapes = {name: value.shape[1:] for name, value in model.output.items()}
    targets = {name: np.random.default_rng(0).random((3, *shape)) for name, shape in shapes.items()}
    model.fit(VALUE, targets, epochs=1, verbose=0)
    moved = [not np.array_equal(now, then) for now, then in zip(model.get_weights(), before, strict=True)]
    names = [weight.name for weight in model.weights]
    # A bias of the key adds the same to all scores of a query, and the softmax does not see it.
    assert [name for name, one in zip(names, moved, strict=True) if not one and "key_bias" not in name] == []


@pytest.mark.parametrize("kind", ["scaled-dot", "general", "concat", "additive", "multi-head"])
def test_query_and_key_may_differ_in_size(kind: str) -> None:
    context, weights = attention_class(kind)(return_attention_scores=True)([QUERY[..., :3], VALUE])
    assert (context.shape, weights.shape) == ((3, 2, SIZE), shape_of_weights(kind))


@pytest.mark.parametrize("kind", ["dot", "cosine"])
def test_where_they_are_compared_as_they_are_they_may_not(kind: str) -> None:
    with pytest.raises(InputError, match="query and key of one size, got 3 and 8") as error:
        attention_class(kind)()([QUERY[..., :3], VALUE])
    assert "'general'" in error.value.tip
