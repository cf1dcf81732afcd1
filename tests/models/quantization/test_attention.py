"""The twins of the attention layers; every test but those by hand walks the registry."""

import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from attention_layers import SIZE, STEPS, attention, hidden_states
from tiny_classifier import copy_of, twin

from models.attention import attention_class, attention_classes
from models.attention.dot_product import DotAttention, ScaledDotProductAttention
from models.config import ATTENTION_KINDS
from models.quantization.attention import ATTENTION_TWINS
from models.quantization.number_formats import (
    HIDDEN_RANGE,
    HIDDEN_RANGE_16,
    PRECISIONS,
    SOFTMAX_RANGE,
    SOFTMAX_RANGE_16,
    Range,
    affine_format,
    int16_scale,
)
from models.quantization.twin import FakeQuantizedLayer

HIDDEN = tf.constant([[[0.5, -0.25], [-0.75, 1.0 - 1 / 128]]])
STATE = HIDDEN[:, -1:]

everywhere = pytest.mark.parametrize(
    ("kind", "precision"), [(kind, precision) for kind in ATTENTION_KINDS for precision in PRECISIONS]
)


def twin_of(kind: str, precision: str) -> Any:
    """The twin of ``attention(kind)``, with equal weights, whose ranges are those of ``hidden_states()``."""
    plain = attention(kind)
    made = ATTENTION_TWINS[type(plain)].from_config({**plain.get_config(), "precision": precision})
    made.build([(None, None, SIZE), (None, None, SIZE)])
    trainable = iter(plain.get_weights())
    made.set_weights([next(trainable) if w.trainable else w.numpy() for w in made.weights])
    made.fake_quantization = False
    made([hidden_states(), hidden_states()], training=True)
    made.fake_quantization = True
    return made


# --- The registry ----------------------------------------------------------------------------------


def test_every_attention_has_its_twin() -> None:
    assert set(ATTENTION_TWINS) == set(attention_classes().values())
    for plain, made in ATTENTION_TWINS.items():
        assert issubclass(made, plain)
        assert issubclass(made, FakeQuantizedLayer)
        assert made.__name__ == f"Quantized{plain.__name__}"


@everywhere
def test_without_rounding_it_is_the_plain_layer(kind: str, precision: str) -> None:
    made = twin_of(kind, precision)
    made.fake_quantization = False
    inputs, mask = [hidden_states(steps=2, seed=1), hidden_states(seed=2)], tf.sequence_mask([5, 3, 1], STEPS)
    for given in (None, mask):
        expected = attention(kind)(inputs, mask=given)
        for ours, plain in zip(made(inputs, mask=given), expected, strict=True):
            np.testing.assert_allclose(ours, plain, atol=1e-6)


@everywhere
def test_it_answers_nearly_as_the_plain_layer_does(kind: str, precision: str) -> None:
    """That the file gives the same is the business of other tests. Scores lie in [-6.1, 8] here.

    A weight p moves by p (1 - p) <= 1/4 of what its score and of what the others do: by half the error of a
    score. int16: steps of 15 / 32767 with headroom, so 1.2e-4, and the softmax's tables 1.4e-4. int8: steps
    of 14 * 1.2 / 255, half of which is 0.033: 0.017, as much again for what the scores are made of, and
    half a step of 1/256. Cosine's directions are int8 in both: 0.0023 RMS in each of 8 places, which
    sharpness 8 makes 0.026 RMS of a score, 0.08 at most.
    """
    inputs = [hidden_states(), hidden_states()]
    made, expected = twin_of(kind, precision)(inputs), attention(kind)(inputs)
    bound = {"int8": 0.04, "int16": 0.04 if kind == "cosine" else 3e-4, "float32": 1e-6}[precision]
    assert np.abs(made[1] - expected[1]).max() <= bound
    assert (np.abs(made[1] - expected[1]).max() > 0) == (precision != "float32")


QUANTITIES = {
    "dot": "scores weights context",
    "scaled-dot": "query scores weights context",
    "general": "query scores weights context",
    "cosine": "query_direction query key_direction scores weights context",
    "additive": "query key sum inner scores weights context",
    "concat": "query key sum inner scores weights context",
    "multi-head": "query key value scores weights heads context",
}
NORMALIZED = {"query_direction", "query", "key_direction"}  # of cosine: L2_NORMALIZATION is int8 at most


@everywhere
def test_its_quantities_and_their_precisions(kind: str, precision: str) -> None:
    made = twin_of(kind, precision)
    made([hidden_states(), hidden_states()])
    assert set(made.ranges()) == set(QUANTITIES[kind].split())
    for role in made.ranges():
        int8_always = kind == "cosine" and role in NORMALIZED and precision == "int16"
        assert made.precision_of(role) == ("int8" if int8_always else precision), role


@everywhere
def test_ranges_known_by_construction_are_not_observed(kind: str, precision: str) -> None:
    ranges = twin_of(kind, precision).ranges()
    assert ranges["weights"] == (SOFTMAX_RANGE_16 if precision == "int16" else SOFTMAX_RANGE)
    if attention_class(kind).context_is_mean:
        assert ranges["context"] == (HIDDEN_RANGE_16 if precision == "int16" else HIDDEN_RANGE)


@everywhere
def test_results_lie_on_the_grids_of_their_quantities(kind: str, precision: str) -> None:
    made = twin_of(kind, precision)
    context, weights = made([hidden_states(), hidden_states()])
    for values, role in ((weights, "weights"), (context, "context")):
        value_range = made.ranges()[role]
        if precision == "float32":
            continue
        scale = affine_format(value_range).scale if precision == "int8" else int16_scale(value_range)
        steps = np.asarray(values, np.float64) / scale
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-2)  # 32768 steps in float32: 2^-9


@everywhere
def test_observed_ranges_have_room(kind: str, precision: str) -> None:
    made = twin_of(kind, precision)
    seen, told = made.observed("scores"), made.ranges()["scores"]
    room = 0.5 if precision == "int16" else 0.1
    np.testing.assert_allclose(told.maximum, max(seen.maximum + room * (seen.maximum - seen.minimum), 0))


@everywhere
def test_training_hands_out_the_weights_before_their_last_rounding(kind: str, precision: str) -> None:
    """They sum to 1 as rounded ones do not; the context is made of the rounded ones all the same."""
    made, inputs = twin_of(kind, precision), [hidden_states(), hidden_states()]
    made.growing = False
    (context, weights), (in_inference, _) = made(inputs, training=True), made(inputs)
    np.testing.assert_allclose(np.sum(weights, -1), 1.0, atol=1e-6)
    np.testing.assert_array_equal(context, in_inference)


@everywhere
def test_it_is_saved_under_its_own_name(kind: str, precision: str) -> None:
    made = tf_keras.layers.deserialize(tf_keras.layers.serialize(twin_of(kind, precision)))
    assert type(made) is ATTENTION_TWINS[attention_class(kind)]
    assert (made.precision, made.return_attention_scores) == (precision, True)


def test_it_is_the_classifiers() -> None:
    attend = copy_of(twin()).get_layer("attention")
    assert type(attend) is ATTENTION_TWINS[ScaledDotProductAttention]
    assert set(attend.ranges()) == {"query", "scores", "weights", "context"}


# --- Gradients -------------------------------------------------------------------------------------


def gradients(layer: Any, inputs: Any, **options: Any) -> dict[str, Any]:
    """Of a sum of context and weights with fixed random factors: by weight, and of the inputs."""
    query, value = (tf.constant(one) for one in inputs)
    random = np.random.default_rng(0)
    with tf.GradientTape() as tape:
        tape.watch([query, value])
        results = layer([query, value], **options)
        factors = [random.normal(size=one.shape).astype(np.float32) for one in results]
        total = tf.add_n([tf.reduce_sum(one * factor) for one, factor in zip(results, factors, strict=True)])
    sources = {weight.name.split("/")[-1]: weight for weight in layer.trainable_weights}
    sources |= {"of the query": query, "of the value": value}
    return {name: one.numpy() for name, one in tape.gradient(total, sources).items()}


@everywhere
def test_gradients_reach_every_weight_and_input_and_are_the_plain_layers_but_for_rounding(
    kind: str, precision: str
) -> None:
    """Nothing saturates: all that was seen has room. Weights are exact in int8 (``random_weight``).

    A gradient is a sum of products of at most six rounded values (weight, its complement, value, key,
    query, tanh), RMS errors in the norm: int8: a step of 1/255 of a span of four times the value, 1/255 /
    sqrt(12) * 4 = 0.0045, six of them 0.011; a score's 0.019, which is the weight's, relatively: 0.03
    together. int16: 1/128 of the first with headroom 0.5, and 3e-4 for what the softmax's tables do to a
    weight of 0.2. Cosine's directions are int8 in both: 0.026 of a score, 0.0065 of a direction.
    """
    inputs = [hidden_states(), hidden_states()]
    expected = gradients(attention(kind), inputs)
    bound = {"int8": 0.05, "int16": 0.05 if kind == "cosine" else 5e-4, "float32": 1e-5}[precision]
    for name, ours in gradients(twin_of(kind, precision), inputs).items():
        plain = expected[name]
        assert np.isfinite(ours).all(), name
        if name == "key_bias:0":  # adds the same to all scores of a query: its gradient is 0
            np.testing.assert_allclose(ours, 0.0, atol=bound)
            continue
        assert np.count_nonzero(ours) > 0, name
        assert np.linalg.norm(ours - plain) <= bound * np.linalg.norm(plain), name


@pytest.mark.parametrize("precision", ["int8", "int16"])
def test_nothing_passes_where_a_score_saturates(precision: str) -> None:
    """Scores 0 and 1/2, of which the range holds the first; without headroom, which would let both in."""
    layer = ATTENTION_TWINS[DotAttention](precision=precision)
    query, value = tf.constant([[[0.5, 0.5]]]), tf.constant([[[0.5, -0.5], [0.5, 0.5]]])
    layer.build([query.shape, value.shape])
    layer.set_range("scores", Range(-0.1, 0.1))
    with tf.GradientTape() as tape:
        tape.watch(query)
        _, weights = layer([query, value], return_attention_scores=True)
        second = weights[0, 0, 1]
    # Only the first score moves the second weight p: dp/dq = -p (1 - p) k_1.
    p = float(second)
    np.testing.assert_allclose(tape.gradient(second, query), [[-p * (1 - p) * value[0, 0]]], atol=2e-3)


# --- By hand ---------------------------------------------------------------------------------------


def rounded(x: np.ndarray, value_range: Range) -> np.ndarray:
    """Round to the int8 grid of a range, halves to even; float64."""
    number = affine_format(value_range)
    q = np.clip(np.rint(x / number.scale) + number.zero_point, -128, 127)
    return np.asarray(number.scale * (q - number.zero_point))


def test_scaled_dot_in_int8_by_hand() -> None:
    """Column scales are 1.27 / 127 and 2.54 / 127: 0.4 is 20 steps of 0.02; bias steps are 1/128 of that.

    The layer scales kernel and bias by 1 / sqrt(2) first, which scales the steps and leaves the integers.
    """
    kernel, biases = np.array([[1.27, 0.4], [-0.31, 2.54]]), np.array([0.1, -0.2])
    attend = ATTENTION_TWINS[ScaledDotProductAttention](return_attention_scores=True)
    attend.build([STATE.shape, HIDDEN.shape])
    attend.set_weights([kernel, biases, *attend.get_weights()[2:]])
    attend.set_range("query", Range(-2.0, 2.0))
    attend.set_range("scores", Range(-4.0, 4.0))
    bias = np.rint(biases / (np.array([0.01, 0.02]) / 128)) * np.array([0.01, 0.02]) / 128
    query = rounded((STATE.numpy()[0] @ kernel + bias) / math.sqrt(2), Range(-2.0, 2.0))
    scores = rounded(query @ HIDDEN.numpy()[0].T, attend.ranges()["scores"])
    weights = rounded(np.exp(scores) / np.exp(scores).sum(), SOFTMAX_RANGE)
    context = rounded(weights @ HIDDEN.numpy()[0], HIDDEN_RANGE)
    got_context, got_weights = attend([STATE, HIDDEN])
    np.testing.assert_allclose(got_weights[0], weights, atol=1e-6)
    np.testing.assert_allclose(got_context[0], context, atol=1e-6)


def test_dot_in_int16_by_hand() -> None:
    """Hidden states of 1/128 are exact in 1/32768; scores are rounded to steps of 2 / 32767.

    q = k_2, so q . k_1 = -0.623 and q . k_2 = 1.547, neither near a half of a step. The range [-1, 1] with a
    headroom of half its span is [-2, 2].
    """
    attend = ATTENTION_TWINS[DotAttention](precision="int16", return_attention_scores=True)
    attend.build([STATE.shape, HIDDEN.shape])
    attend.set_range("scores", Range(-1.0, 1.0))
    step = 2.0 / 32767
    assert attend.ranges()["scores"] == Range(-2.0, 2.0)
    keys = HIDDEN.numpy()[0].astype(np.float64)
    scores = step * np.rint(keys @ keys[1] / step)
    exact = np.exp(scores) / np.exp(scores).sum()
    context, weights = attend([STATE, HIDDEN])
    np.testing.assert_allclose(weights[0, 0], exact, atol=4 / 32768)  # the kernel's tables: op_by_op.allowed
    integers = np.rint(np.asarray(weights[0, 0], np.float64) * 32768)
    by_hand = np.floor(integers @ (keys * 32768) / 32768 + 0.5) / 32768
    np.testing.assert_array_equal(context[0, 0], by_hand)


@pytest.mark.parametrize(
    ("precision", "lowest"), [("int8", (-128 + 1) * 9.6 / 255), ("int16", -32768 * 8.0 / 32767)]
)
def test_a_masked_score_is_the_lowest_that_its_format_holds(precision: str, lowest: float) -> None:
    """So does SELECT_V2 in the file; what it leaves of weight is taken away, its part in the sum is not.

    Scores seen in [-4, 4]: with headroom [-4.8, 4.8], in int16 [-8, 8].

    The zero point of a symmetric range in int8 is -1 (-0.5, rounded away from zero).
    """
    attend = ATTENTION_TWINS[DotAttention](precision=precision, return_attention_scores=True)
    attend.build([STATE.shape, HIDDEN.shape])
    attend.set_range("scores", Range(-4.0, 4.0))
    _, weights = attend([STATE, HIDDEN], mask=tf.constant([[True, False]]))
    scores = np.array([float(STATE.numpy()[0, 0] @ HIDDEN.numpy()[0, 0]), lowest])
    expected = np.exp(scores) / np.exp(scores).sum()
    step = 1 / 256 if precision == "int8" else 1 / 32768
    np.testing.assert_allclose(weights[0, 0, 0], expected[0], atol=step if precision == "int8" else 5 * step)
    assert expected[1] > 2 * step
    assert weights[0, 0, 1] == 0
