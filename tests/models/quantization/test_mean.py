from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from models.quantization.mean import QuantizedMeanOverTime
from models.quantization.number_formats import HIDDEN_RANGE, HIDDEN_RANGE_16, Range

X = tf.constant([[[3 / 128, -1.0], [4 / 128, 0.5]]])  # means 3.5 / 128 and -0.25


@pytest.mark.parametrize(
    ("precision", "expected", "known"),
    [
        ("int8", [[4 / 128, -0.25]], HIDDEN_RANGE),  # halves to even
        ("int16", [[3.5 / 128, -0.25]], HIDDEN_RANGE_16),
        ("float32", [[3.5 / 128, -0.25]], HIDDEN_RANGE),
    ],
)
def test_a_mean_of_hidden_states_by_hand(precision: str, expected: Any, known: Range) -> None:
    layer = QuantizedMeanOverTime(precision=precision)
    assert layer(X).numpy().tolist() == expected
    assert (layer.ranges(), layer.precision_of("output")) == ({"output": known}, precision)


@pytest.mark.parametrize("precision", ["int8", "int16"])
def test_a_mean_of_other_values_is_observed(precision: str) -> None:
    layer = QuantizedMeanOverTime(input_is_hidden=False, precision=precision)
    layer(100 * X, training=True)
    assert layer.ranges()["output"] == Range(-25.0, 350 / 128)
    assert layer.precision_of("output") == precision
    scale = (25.0 + 350 / 128) / 255 if precision == "int8" else 25.0 / 32767
    steps = np.asarray(layer(100 * X), np.float64) / scale
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-2)


def test_the_gradient_is_the_means() -> None:
    layer = QuantizedMeanOverTime()
    with tf.GradientTape() as tape:
        tape.watch(X)
        y = layer(X)
    np.testing.assert_array_equal(tape.gradient(y, X), np.full((1, 2, 2), 0.5))


def test_it_is_saved_with_its_configuration() -> None:
    layer = QuantizedMeanOverTime(input_is_hidden=False, precision="int16")
    made = tf_keras.layers.deserialize(tf_keras.layers.serialize(layer))
    assert (type(made), made.input_is_hidden, made.precision) == (QuantizedMeanOverTime, False, "int16")
    assert made.compute_output_shape((None, 5, 3)) == (None, 3)
