from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from models.config import RecurrentConfig, lstm_layer_names
from models.recurrent import LastState, MeanOverTime, ReverseTime, fusable_lstm, recurrent_stack

HIDDEN = tf.constant([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])  # [batch, time, size]


def stack(config: RecurrentConfig) -> Any:
    """A model that is the LSTM layers."""
    x = tf_keras.Input((5, 3))
    return tf_keras.Model(x, recurrent_stack(config, x))


def test_the_lstm_returns_every_step() -> None:
    assert fusable_lstm(3, "lstm")(tf.zeros([2, 5, 4])).shape == (2, 5, 3)


def test_the_last_state_is_the_last_step() -> None:
    np.testing.assert_array_equal(LastState()(HIDDEN), [[3.0, 4.0], [7.0, 8.0]])
    assert LastState().compute_output_shape((None, 29, 64)) == (None, 64)


def test_what_runs_backward_has_seen_all_at_step_0() -> None:
    np.testing.assert_array_equal(LastState(bidirectional=True)(HIDDEN), [[3.0, 2.0], [7.0, 6.0]])


def test_steps_in_reverse() -> None:
    np.testing.assert_array_equal(ReverseTime()(HIDDEN), [[[3.0, 4.0], [1.0, 2.0]], [[7.0, 8.0], [5.0, 6.0]]])
    assert ReverseTime().compute_output_shape((None, 5, 3)) == (None, 5, 3)


def test_the_mean_is_over_the_steps() -> None:
    np.testing.assert_array_equal(MeanOverTime()(HIDDEN), [[2.0, 3.0], [6.0, 7.0]])
    assert MeanOverTime().compute_output_shape((None, 5, 3)) == (None, 3)


@pytest.mark.parametrize("kind", [LastState, ReverseTime, MeanOverTime])
def test_layers_are_saved_under_their_own_names(kind: Any) -> None:
    layer = kind(name="one", **({"bidirectional": True} if kind is LastState else {}))
    made = tf_keras.layers.deserialize(tf_keras.layers.serialize(layer))
    assert (type(made), made.get_config()) == (type(layer), layer.get_config())


def test_layers_stand_one_above_the_other() -> None:
    made, x = stack(RecurrentConfig((4, 2), dropout=0.5)), tf.random.normal([2, 5, 3])
    assert [layer.name for layer in made.layers][1:] == ["lstm", "dropout_2", "lstm_2"]
    expected = made.get_layer("lstm_2")(made.get_layer("lstm")(x))
    np.testing.assert_array_equal(made(x), expected)
    assert not np.array_equal(made(x, training=True), expected)


def test_both_directions_are_kerass_bidirectional_layer() -> None:
    """Two layers, the second of which sees both directions of the first; the same weights."""
    config = RecurrentConfig((4, 2), bidirectional=True)
    made, x = stack(config), tf.random.normal([2, 5, 3])
    expected = x
    for place, units in enumerate(config.units):
        keras = tf_keras.layers.Bidirectional(tf_keras.layers.LSTM(units, return_sequences=True))
        keras.build(expected.shape)
        names = lstm_layer_names(config)[2 * place : 2 * place + 2]
        keras.set_weights([weight for name in names for weight in made.get_layer(name).get_weights()])
        expected = keras(expected)
    np.testing.assert_allclose(made(x), expected, atol=1e-6)
    last = LastState(bidirectional=True)(made(x))
    both = tf_keras.layers.Bidirectional(tf_keras.layers.LSTM(2))
    below = stack(RecurrentConfig((4,), bidirectional=True))
    for name in ("lstm_forward", "lstm_backward"):
        below.get_layer(name).set_weights(made.get_layer(name).get_weights())
    both.build((2, 5, 8))
    both.set_weights([w for name in names for w in made.get_layer(name).get_weights()])
    np.testing.assert_allclose(last, both(below(x)), atol=1e-6)
