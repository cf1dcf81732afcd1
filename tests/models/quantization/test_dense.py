import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from models.quantization.dense import QuantizedDense
from models.quantization.number_formats import Range

KERNEL = np.array([[1.27, 0.4], [-0.314, 2.54]])  # channel scales 0.01 and 0.02
BIAS = np.array([0.1, -0.2])


def layer(input_values: str) -> QuantizedDense:
    made = QuantizedDense(2, input_values)
    made.build((None, 2))
    made.set_weights([KERNEL, BIAS, *made.get_weights()[2:]])
    made.set_range("output", Range(-1.0, 1.55))  # scale 0.01
    return made


def test_a_case_by_hand_on_hidden_states() -> None:
    """Input scale 1/128, bias steps 0.01/128 and 0.02/128: 0.1 and -0.2 are exact. -0.314 is -31 steps.

    0.5 * 1.27 + 0.125 * 0.31 + 0.1 = 0.77375 and 0.5 * 0.4 - 0.125 * 2.54 - 0.2 = -0.3175.
    """
    y = layer("hidden int8")(tf.constant([[0.5, -0.125]]))
    np.testing.assert_allclose(y, [[0.77, -0.32]], atol=1e-6)


def test_a_case_by_hand_on_other_inputs() -> None:
    """The input is rounded to its own scale of 0.1, and saturates at -1.2: [0.5, -1.2]."""
    dense = layer("other")
    dense.set_range("input", Range(-1.2, 24.3))
    y = dense(tf.constant([[0.47, -3.0]]))
    bias = np.rint(BIAS / (0.1 * np.array([0.01, 0.02]))) * 0.1 * np.array([0.01, 0.02])  # 0.1 and -0.2
    expected = [[0.5 * 1.27 - 1.2 * -0.31 + bias[0], 0.5 * 0.4 - 1.2 * 2.54 + bias[1]]]  # 1.107 and -3.048
    np.testing.assert_allclose(y, np.clip(np.round(expected, 2), -1.0, 1.55), atol=1e-6)


@pytest.mark.parametrize("wide", ["hidden int16", "hidden float32"])
def test_wider_hidden_states_are_rounded_to_int8_first(wide: str) -> None:
    """0.5 + 3/1024 and -0.125 - 3/1024 are three eighths of a step of 1/128 beside what int8 holds."""
    narrow = layer("hidden int8")(tf.constant([[0.5, -0.125]]))
    beside = layer(wide)(tf.constant([[0.5 + 3 / 1024, -0.125 - 3 / 1024]]))
    np.testing.assert_array_equal(beside, narrow)


def test_a_half_of_int16_rounds_away_from_zero_and_one_of_float32_to_even() -> None:
    """64.5 and -64.5 steps: QUANTIZE from int16 multiplies by integers, from float32 XNNPACK rounds."""
    half = tf.constant([[129 / 256, -129 / 256]])
    wide, flat = layer("hidden int16"), layer("hidden float32")
    np.testing.assert_allclose(wide._rounded_hidden(half) * 128, [[65.0, -65.0]])
    np.testing.assert_allclose(flat._rounded_hidden(half) * 128, [[64.0, -64.0]])


@pytest.mark.parametrize(
    ("input_values", "names"),
    [
        ("hidden int8", {"output"}),
        ("hidden int16", {"input", "output"}),
        ("hidden float32", {"input", "output"}),
        ("other", {"input", "output"}),
    ],
)
def test_quantities(input_values: str, names: set[str]) -> None:
    dense = layer(input_values)
    dense(tf.zeros([1, 2]))
    assert set(dense.ranges()) == names
    assert {dense.precision_of(name) for name in names} == {"int8"}


def test_training_observes_and_learns() -> None:
    dense = layer("other")
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(dense(tf.constant([[3.0, -2.0]]), training=True) * [[1.0, 2.0]])
    assert dense.ranges()["input"] == Range(-2.0, 3.0)
    assert dense.ranges()["output"].minimum < -1.0
    d_kernel, d_bias = tape.gradient(y, [dense.kernel, dense.bias])
    np.testing.assert_allclose(d_kernel, [[3.0, 6.0], [-2.0, -4.0]], atol=2 * 5 / 255)  # the input's rounding
    np.testing.assert_array_equal(d_bias, [1.0, 2.0])


def test_it_is_saved_with_its_configuration() -> None:
    made = tf_keras.layers.deserialize(tf_keras.layers.serialize(QuantizedDense(3, "hidden int16")))
    assert (type(made), made.units, made.input_values) == (QuantizedDense, 3, "hidden int16")
    assert made.compute_output_shape((None, 5)) == (None, 3)
