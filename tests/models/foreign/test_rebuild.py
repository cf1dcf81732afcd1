"""Rebuilt models answer as the originals do, whichever Keras wrote them, and their LSTM layers fuse."""

from typing import Any

import keras
import numpy as np
import pytest
import tf_keras
from foreign_models import MODELS, STEPS, windows

from models.errors import InputError, QuantizationError
from models.foreign.files import original_of
from models.foreign.rebuild import rebuild

BOTH = [pytest.param(tf_keras, id="tf_keras"), pytest.param(keras, id="keras 3")]
TWO_IMPLEMENTATIONS = STEPS * 2.0**-18
"""What two float32 implementations differ by, of the largest answer: `keras_limits` of parity."""


def rebuilt(model: Any, steps: int | None = None) -> Any:
    original = original_of(model)
    return rebuild(original.graph, original.weights_of, steps)


def answers(made: Any, x: np.ndarray) -> dict[str, np.ndarray]:
    return tf_keras.Model(made.input, dict(made.outputs))(x)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("library", BOTH)
def test_the_answers_are_the_same(name: str, library: Any) -> None:
    model = MODELS[name](library)
    for weight in model.weights:  # zeros and ones would hide what is left out
        if weight.dtype in ("float32", np.float32) or "float32" in str(weight.dtype):
            value = np.asarray(weight)
            weight.assign(value + 0.1 * np.random.default_rng(1).random(value.shape).astype(np.float32))
    original = original_of(model)
    made = rebuild(original.graph, original.weights_of)
    x = windows()
    expected = original.answers(x)
    assert expected.keys() == made.outputs.keys()
    for output, got in answers(made, x).items():
        size = max(1.0, np.abs(expected[output]).max())
        assert np.abs(got - expected[output]).max() <= TWO_IMPLEMENTATIONS * size, output
    model = tf_keras.Model(made.input, dict(made.outputs))
    assert made.lstms
    for lstm in made.lstms:
        config = model.get_layer(lstm).get_config()
        wanted = {"return_sequences": True, "use_bias": True, "unroll": False, "stateful": False}
        assert {key: config[key] for key in wanted} == wanted
        assert (config["dropout"], config["recurrent_dropout"], config["go_backwards"]) == (0.0, 0.0, False)


def mended(model: Any) -> str:
    return "; ".join(map(str, rebuilt(model).mended))


@pytest.mark.parametrize("library", BOTH)
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no bias", "'encoder': use_bias=False: got a bias of zeros"),
        ("dropout", "recurrent_dropout: left out"),
        ("unroll", "unroll=True: set to False"),
        ("backwards", "go_backwards=True: the steps are reversed"),
        ("states", "return_state=True: the last hidden state is taken from the sequence"),
        ("shared", "call 2 of a shared layer: a layer of its own with the same weights"),
        ("cell in an RNN", "RNN(LSTMCell): an LSTM layer of the same weights"),
    ],
)
def test_what_is_mended_is_told(library: Any, name: str, told: str) -> None:
    assert told in mended(MODELS[name](library))


def test_nothing_is_told_of_a_layer_that_fuses_as_it_is() -> None:
    assert mended(MODELS["last state"](tf_keras)) == ""


def test_a_stateful_model_starts_from_zero_and_its_batch_is_opened() -> None:
    x = tf_keras.Input(batch_shape=(3, STEPS, 3))
    model = tf_keras.Model(x, tf_keras.layers.LSTM(4, stateful=True)(x))
    original = original_of(model)
    made = rebuild(original.graph, original.weights_of)
    assert made.input.shape[0] is None
    assert "every window starts from zero" in str(made.mended[0])
    windows_ = windows(8)
    ((name, expected),) = original.answers(windows_).items()  # 8 windows in batches of 3, each from zero
    np.testing.assert_allclose(answers(made, windows_)[name], expected, atol=TWO_IMPLEMENTATIONS)


def test_the_steps_that_a_model_leaves_open_are_the_datas() -> None:
    x = tf_keras.Input((None, 3))
    model = tf_keras.Model(x, tf_keras.layers.LSTM(4)(x))
    assert rebuilt(model, 9).input.shape == (None, 9, 3)
    with pytest.raises(InputError, match="leaves the number of steps open"):
        rebuilt(model)


def test_windows_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match="takes windows of 6 steps; the data's have 9"):
        rebuilt(MODELS["last state"](tf_keras), 9)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"recurrent_activation": "hard_sigmoid"}, "which the fused kernel does not have"),
        ({"activation": "relu"}, r"activation='relu'\): the fused kernel has tanh only"),
        ({"recurrent_activation": "relu"}, "sigmoid gates only"),
    ],
)
@pytest.mark.parametrize("library", BOTH)
def test_an_lstm_of_other_gates_is_explained(library: Any, options: dict[str, Any], told: str) -> None:
    x = library.Input((STEPS, 3))
    model = library.Model(x, library.layers.LSTM(4, name="encoder", **options)(x))
    with pytest.raises(QuantizationError, match=told) as error:
        rebuilt(model)
    assert "'encoder'" in error.value.message
    assert "bring-a-model" in error.value.tip


@pytest.mark.parametrize("kind", ["GRU", "SimpleRNN"])
@pytest.mark.parametrize("library", BOTH)
def test_other_recurrent_layers_are_refused_by_name(library: Any, kind: str) -> None:
    x = library.Input((STEPS, 3))
    model = library.Model(x, getattr(library.layers, kind)(4, name="memory")(x))
    with pytest.raises(QuantizationError, match=f"{kind} 'memory': TFLite has a fused op for the LSTM only"):
        rebuilt(model)


def test_all_problems_are_named_at_once() -> None:
    x = tf_keras.Input((STEPS, 3))
    y = tf_keras.layers.GRU(4, return_sequences=True, name="one")(x)
    y = tf_keras.layers.LSTM(4, activation="relu", name="two")(y)
    with pytest.raises(QuantizationError, match=r"(?s)GRU 'one'.*LSTM 'two'"):
        rebuilt(tf_keras.Model(x, y))


@pytest.mark.parametrize("inner", ["GRU", "SimpleRNN"])
def test_a_bidirectional_layer_of_others_is_refused(inner: str) -> None:
    x = tf_keras.Input((STEPS, 3))
    wrapped = tf_keras.layers.Bidirectional(getattr(tf_keras.layers, inner)(4), name="both")
    with pytest.raises(QuantizationError, match=f"Bidirectional 'both' runs {inner} layers"):
        rebuilt(tf_keras.Model(x, wrapped(x)))


def test_a_bidirectional_layer_of_relu_is_refused() -> None:
    x = tf_keras.Input((STEPS, 3))
    wrapped = tf_keras.layers.Bidirectional(tf_keras.layers.LSTM(4, activation="relu"), name="both")
    with pytest.raises(QuantizationError, match=r"LSTM 'both' .activation='relu'."):
        rebuilt(tf_keras.Model(x, wrapped(x)))


@pytest.mark.parametrize("library", BOTH)
def test_whoever_takes_the_cell_state_is_named(library: Any) -> None:
    x = library.Input((STEPS, 3))
    _, _, cell = library.layers.LSTM(4, return_state=True, name="encoder")(x)
    with pytest.raises(QuantizationError, match="'decision' takes the last cell state of LSTM 'encoder'"):
        rebuilt(library.Model(x, library.layers.Dense(2, name="decision")(cell)))


def test_the_cell_state_as_an_output_is_refused() -> None:
    x = tf_keras.Input((STEPS, 3))
    model = tf_keras.Model(x, tf_keras.layers.LSTM(4, return_state=True, name="encoder")(x))
    with pytest.raises(QuantizationError, match="takes the last cell state"):
        rebuilt(model)


def test_an_lstm_that_starts_from_given_states_is_refused() -> None:
    x = tf_keras.Input((STEPS, 3))
    _, h, c = tf_keras.layers.LSTM(4, return_state=True, name="encoder")(x)
    decoded = tf_keras.layers.LSTM(4, name="decoder")(x, initial_state=[h, c])
    with pytest.raises(QuantizationError, match=r"cell state|given"):
        rebuilt(tf_keras.Model(x, decoded))
    decoded = tf_keras.layers.LSTM(4, name="decoder")(x, initial_state=[h, h])
    with pytest.raises(QuantizationError, match="LSTM 'decoder' starts from a state that it is given"):
        rebuilt(tf_keras.Model(x, decoded))


def test_a_model_without_an_lstm_is_refused() -> None:
    x = tf_keras.Input((STEPS, 3))
    with pytest.raises(QuantizationError, match=r"no LSTM layer. Its layers are: Flatten, InputLayer"):
        rebuilt(tf_keras.Model(x, tf_keras.layers.Flatten()(x)))


def test_two_inputs_are_refused() -> None:
    one, two = tf_keras.Input((STEPS, 3), name="one"), tf_keras.Input((2,), name="two")
    joined = tf_keras.layers.Concatenate()([tf_keras.layers.LSTM(4)(one), two])
    with pytest.raises(InputError, match=r"2 inputs \(one, two\)"):
        rebuilt(tf_keras.Model([one, two], joined))


def test_an_input_that_is_no_sequence_is_refused() -> None:
    x = tf_keras.Input((12,))
    y = tf_keras.layers.LSTM(4)(tf_keras.layers.Reshape((4, 3))(x))
    with pytest.raises(InputError, match=r"needed is .batch, time, channels."):
        rebuilt(tf_keras.Model(x, y))


def test_half_precision_is_refused() -> None:
    x = tf_keras.Input((STEPS, 3))
    model = tf_keras.Model(x, tf_keras.layers.LSTM(4, name="encoder", dtype="mixed_float16")(x))
    with pytest.raises(QuantizationError, match="LSTM 'encoder' computes in mixed_float16"):
        rebuilt(model)


def test_softmax_and_sigmoid_at_the_end_are_found() -> None:
    for name, kind in (("last state", "softmax"), ("one probability", "sigmoid")):
        made = rebuilt(MODELS[name](tf_keras))
        found, before = made.ends_with(made.outputs["decision"])
        assert found == kind
        assert before.node.layer.name == "decision_linear"
    made = rebuilt(MODELS["states"](tf_keras))
    assert made.ends_with(made.outputs["decision"]) is None


def test_values_of_every_layer_can_be_had_by_name() -> None:
    made = rebuilt(MODELS["Keras attention"](tf_keras))
    assert made.tensors["attend"].shape == (None, STEPS, 4)
    assert made.tensors["attend:1"].shape == (None, STEPS, STEPS)
    assert "body/encoder" in rebuilt(MODELS["nested"](tf_keras)).tensors
