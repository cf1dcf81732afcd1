import numpy as np
import tensorflow as tf
import tf_keras

from models.config import RecurrentConfig
from models.recurrent import LastState, fusable_lstm


def test_the_last_state_is_the_last_step() -> None:
    hidden = tf.constant([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])
    np.testing.assert_array_equal(LastState()(hidden), [[3.0, 4.0], [7.0, 8.0]])
    assert LastState().compute_output_shape((None, 29, 64)) == (None, 64)


def test_the_last_state_is_saved_under_its_own_name() -> None:
    made = tf_keras.layers.deserialize(tf_keras.layers.serialize(LastState(name="last")))
    assert (type(made), made.name) == (LastState, "last")


def test_the_lstm_returns_every_step() -> None:
    hidden = fusable_lstm(RecurrentConfig(units=3), "lstm")(tf.zeros([2, 5, 4]))
    assert hidden.shape == (2, 5, 3)
