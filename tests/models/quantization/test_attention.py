import math

import numpy as np
import tensorflow as tf
import tf_keras
from tiny_classifier import copy_of, model, twin, windows

from models.quantization.attention import QuantizedScaledDotProductAttention
from models.quantization.number_formats import HIDDEN_RANGE, SOFTMAX_RANGE, Range, affine_format
from models.quantization.twin import float_forward

HIDDEN = tf.constant([[[0.5, -0.25], [-0.75, 1.0 - 1 / 128]]])
STATE = HIDDEN[:, -1]


def layer() -> QuantizedScaledDotProductAttention:
    """Two units, kernel and bias not on any grid, ranges set by hand."""
    made = QuantizedScaledDotProductAttention()
    made.build([STATE.shape, HIDDEN.shape])
    made.set_weights([np.array([[1.27, 0.4], [-0.31, 2.54]]), np.array([0.1, -0.2]), *made.get_weights()[2:]])
    made.set_range("query", Range(-2.0, 2.0))
    made.set_range("scores", Range(-4.0, 4.0))
    return made


def rounded(x: np.ndarray, value_range: Range) -> np.ndarray:
    """Round to the int8 grid of a range; float64."""
    number = affine_format(value_range)
    q = np.clip(np.floor(np.abs(x) / number.scale + 0.5) * np.sign(x) + number.zero_point, -128, 127)
    return np.asarray(number.scale * (q - number.zero_point))


def test_a_case_by_hand() -> None:
    """Column scales are 1.27 / 127 and 2.54 / 127: 0.4 is 20 steps of 0.02; bias steps are 1/128 of that."""
    attend = layer()
    kernel = np.array([[1.27, 0.4], [-0.31, 2.54]])
    bias = np.rint(np.array([0.1, -0.2]) / (np.array([0.01, 0.02]) / 128)) * np.array([0.01, 0.02]) / 128
    query = rounded((STATE.numpy() @ kernel + bias) / math.sqrt(2), Range(-2.0, 2.0))
    scores = rounded(HIDDEN.numpy()[0] @ query[0], attend.ranges()["scores"])
    weights = rounded(np.exp(scores) / np.exp(scores).sum(), SOFTMAX_RANGE)
    context = rounded(weights @ HIDDEN.numpy()[0], HIDDEN_RANGE)
    got_context, got_weights = attend([STATE, HIDDEN])
    np.testing.assert_allclose(got_weights[0], weights, atol=1e-6)
    np.testing.assert_allclose(got_context[0], context, atol=1e-6)


def test_inference_gives_what_int8_can_hold() -> None:
    context, weights = layer()([STATE, HIDDEN])
    for values, step in ((weights, 1 / 256), (context, 1 / 128)):
        np.testing.assert_array_equal(values / step, np.rint(values / step))


def test_training_hands_out_the_weights_before_their_last_rounding() -> None:
    attend = layer()
    context, weights = attend([STATE, HIDDEN], training=True)
    np.testing.assert_allclose(np.sum(weights), 1.0, atol=1e-6)
    assert not np.array_equal(weights * 256, np.rint(weights * 256))
    np.testing.assert_array_equal(
        context * 128, np.rint(context * 128)
    )  # the context is made of rounded ones


def test_gradients_reach_query_weights_and_hidden_states() -> None:
    attend = layer()
    with tf.GradientTape() as tape:
        tape.watch(HIDDEN)
        context, weights = attend([STATE, HIDDEN])
        target = tf.reduce_sum(context * [[1.0, 2.0]]) + weights[0, 0]
    for gradient in tape.gradient(target, [attend.kernel, attend.bias, HIDDEN]):
        assert np.count_nonzero(gradient) > 0


def test_ranges_known_by_construction_are_not_observed() -> None:
    attend = copy_of(twin()).get_layer("attention")
    ranges = attend.ranges()
    assert set(ranges) == {"query", "scores", "weights", "context"}
    assert (ranges["weights"], ranges["context"]) == (SOFTMAX_RANGE, HIDDEN_RANGE)
    assert attend.observed("scores").maximum < ranges["scores"].maximum  # scores have headroom


def test_without_rounding_it_is_the_plain_layer() -> None:
    hidden = model().get_layer("lstm")(windows(4))
    expected = model().get_layer("attention")([hidden[:, -1], hidden])
    with float_forward(twin()):
        got = twin().get_layer("attention")([hidden[:, -1], hidden])
    for ours, plain in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, plain, atol=1e-6)


def test_it_is_saved_under_its_own_name() -> None:
    made = tf_keras.layers.deserialize(tf_keras.layers.serialize(layer()))
    assert type(made) is QuantizedScaledDotProductAttention
    assert made.compute_output_shape([(None, 2), (None, 5, 2)]) == ((None, 2), (None, 5))
