"""Quantization-aware training as a user of TFMOT writes it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.quantization.keras import quantize_apply
from tiny_classifier import CONFIG, copy_of, model, twin, windows

import models.quantization
from models.attention.dot_product import DotAttention, ScaledDotProductAttention
from models.attention.multi_head import MultiHeadAttention
from models.classifier import build_model
from models.errors import QuantizationError
from models.quantization import FusedLstmQuantizeScheme, calibrate, quantize_annotate, quantize_model
from models.quantization.attention import ATTENTION_TWINS
from models.quantization.dense import QuantizedDense
from models.quantization.lstm import QuantizedLSTM
from models.quantization.tfmot import layers_without_twin
from models.quantization.twin import twins
from models.recurrent import MeanOverTime, RealSteps


def around(*layers: Any, steps: int = 4, features: int = 3) -> Any:
    """A row of layers as a model."""
    x = y = tf_keras.Input((steps, features))
    for layer in layers:
        y = layer(y)
    return tf_keras.Model(x, y)


def lstm(**options: Any) -> Any:
    return tf_keras.layers.LSTM(4, **{"return_sequences": True, "name": "encoder", **options})


def test_every_layer_gets_its_twin() -> None:
    assert {layer.name: type(layer) for layer in twins(twin())} == {
        "lstm": QuantizedLSTM,
        "attention": ATTENTION_TWINS[ScaledDotProductAttention],
        "logits": QuantizedDense,
    }
    assert [layer.name for layer in twin().layers] == [layer.name for layer in model().layers]
    assert twin().get_layer("logits").input_values == "hidden int8"


def test_weights_names_and_outputs_are_kept() -> None:
    for layer in twins(twin()):
        ours = {weight.name.split("/")[-1]: weight.numpy() for weight in layer.trainable_weights}
        original = model().get_layer(layer.name)
        theirs = {weight.name.split("/")[-1]: weight.numpy() for weight in original.weights}
        assert list(ours) == list(theirs)
        for name in ours:
            np.testing.assert_array_equal(ours[name], theirs[name])
    assert twin().input_names == model().input_names
    assert {name: value.shape for name, value in twin().output.items()} == {
        name: value.shape for name, value in model().output.items()
    }


def test_the_twin_answers_nearly_as_the_model() -> None:
    """Seen data, so nothing saturates. Five units' hidden states and all else in 8 bits: a few steps."""
    ours, floats = twin()(windows()), model()(windows())
    step = np.ptp(floats["logits"]) / 255
    assert 0 < np.abs(ours["logits"] - floats["logits"]).max() < 8 * step
    assert 0 < np.abs(ours["attention_weights"] - floats["attention_weights"]).max() < 8 / 256


def test_the_model_is_not_changed() -> None:
    original = build_model(CONFIG)
    weights, config = original.get_weights(), original.get_config()
    quantized = quantize_model(original)
    quantized.set_weights([weight + 1 for weight in quantized.get_weights()])
    assert original.get_config() == config
    for now, before in zip(original.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, before)


def test_as_a_user_of_tfmot_writes_it() -> None:
    annotated = quantize_annotate(model())
    applied = quantize_apply(annotated, scheme=FusedLstmQuantizeScheme())
    calibrate(applied, windows(), "min-max")
    for name, value in twin()(windows(4)).items():
        np.testing.assert_array_equal(applied(windows(4))[name], value)


def test_a_skipped_layer_stays_float() -> None:
    applied = quantize_apply(quantize_annotate(model(), skip=["attention"]), scheme=FusedLstmQuantizeScheme())
    assert [layer.name for layer in twins(applied)] == ["lstm", "logits"]
    assert type(applied.get_layer("attention")) is type(model().get_layer("attention"))


def test_skip_may_be_any_iterable() -> None:
    annotated = quantize_annotate(model(), skip=(name for name in ["lstm", "attention"]))
    kept = [layer.name for layer in annotated.layers if type(layer).__name__ != "QuantizeAnnotate"]
    assert kept == [
        "features", "lstm", "last_state", "one_query", "attention", "one_context", "context_and_state",
        "attention_weights",
    ]  # fmt: skip


def test_a_skipped_layer_has_to_exist() -> None:
    with pytest.raises(QuantizationError, match="No layer named 'atention' to skip") as error:
        quantize_annotate(model(), skip=["atention"])
    assert "attention" in error.value.message.split("has:")[1]


def test_saved_weights_give_identical_outputs(tmp_path: Path) -> None:
    """Ranges are weights too."""
    twin().save_weights(tmp_path / "twin.weights.h5")
    other = quantize_model(build_model(CONFIG))
    assert not np.array_equal(other(windows(4))["logits"], twin()(windows(4))["logits"])
    other.load_weights(tmp_path / "twin.weights.h5")
    for name, value in twin()(windows(4)).items():
        np.testing.assert_array_equal(other(windows(4))[name], value)


def test_a_copy_answers_alike() -> None:
    for name, value in twin()(windows(4)).items():
        np.testing.assert_array_equal(copy_of(twin())(windows(4))[name], value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"activation": "relu"}, "activation='relu' (needs 'tanh')"),
        ({"recurrent_activation": "hard_sigmoid"}, "recurrent_activation='hard_sigmoid' (needs 'sigmoid')"),
        ({"recurrent_dropout": 0.1}, "recurrent_dropout=0.1 (needs 0.0)"),
        ({"dropout": 0.1}, "dropout=0.1 (needs 0.0)"),
        ({"use_bias": False}, "use_bias=False (needs True)"),
        ({"go_backwards": True}, "go_backwards=True (needs False)"),
        ({"return_sequences": False}, "return_sequences=False (needs True)"),
        ({"time_major": True}, "time_major=True (needs False)"),
        ({"unroll": True}, "unroll=True (needs False)"),
    ],
)
def test_an_lstm_that_the_kernel_does_not_compute_is_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(QuantizationError, match="LSTM layer 'encoder' has no fake-quantized twin") as error:
        quantize_model(around(lstm(**options)))
    assert told in error.value.message
    assert "skip" in error.value.tip


def test_an_lstm_that_hands_out_its_state_is_refused() -> None:
    x = tf_keras.Input((4, 3))
    hidden, _, cell = lstm(return_state=True)(x)
    with pytest.raises(QuantizationError, match="return_state=True"):
        quantize_model(tf_keras.Model(x, {"hidden": hidden, "cell": cell}))


def test_an_lstm_that_keeps_its_state_is_refused() -> None:
    x = tf_keras.Input((4, 3), batch_size=2)
    with pytest.raises(QuantizationError, match="stateful=True"):
        quantize_model(tf_keras.Model(x, lstm(stateful=True)(x)))


@pytest.mark.parametrize("form", ["Keras's", "by name"])
def test_a_masked_lstm_is_refused(form: str) -> None:
    """Its twin would count every step."""
    x = tf_keras.Input((4, 3))
    masked = tf_keras.layers.Masking()(x)
    mask = RealSteps(4)(tf_keras.Input((), dtype=tf.int32, name="lengths"))
    hidden = lstm()(masked) if form == "Keras's" else lstm()(x, mask=mask)
    with pytest.raises(QuantizationError, match=r"'encoder' has no .* twin: it is masked") as error:
        quantize_annotate(tf_keras.Model(tf_keras.utils.get_source_inputs(hidden), hidden))
    assert "Mask the attention" in error.value.tip


@pytest.mark.parametrize("options", [{"activation": "relu"}, {"use_bias": False}])
def test_a_dense_layer_that_has_no_twin_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(QuantizationError, match="Dense layer 'head' has no fake-quantized twin"):
        quantize_model(around(lstm(), tf_keras.layers.Dense(2, name="head", **options)))


def test_a_model_without_an_lstm_is_refused() -> None:
    with pytest.raises(QuantizationError, match=r"no tf_keras LSTM.*Dense, InputLayer"):
        quantize_model(around(tf_keras.layers.Dense(2)))


def test_of_recurrent_dropout_the_reason_is_told() -> None:
    with pytest.raises(QuantizationError, match=r"Recurrent dropout .* cannot fuse") as error:
        quantize_model(around(lstm(recurrent_dropout=0.1)))
    assert "Dropout layer" in error.value.message


def test_an_attention_to_anything_but_hidden_states_is_refused() -> None:
    x = tf_keras.Input((4, 3))
    hidden = lstm()(x)
    context = DotAttention(name="attend")([tf_keras.layers.Activation("relu")(hidden), hidden])
    with pytest.raises(QuantizationError, match=r"'attend' has no fake-quantized twin.*not all"):
        quantize_model(tf_keras.Model(x, context))


def test_an_attention_to_an_attention_is_one_to_hidden_states_in_int8_only() -> None:
    """In int16 the context would have to be rounded to int8 in between."""
    x = tf_keras.Input((4, 3))
    hidden = lstm()(x)
    first = DotAttention(name="first")([hidden, hidden])
    model = tf_keras.Model(x, DotAttention(name="second")([first, first]))
    assert len(twins(quantize_model(model))) == 3
    with pytest.raises(QuantizationError, match="'second' has no fake-quantized twin"):
        quantize_model(model, "int16")


MASKED_CALLS = {
    "list of four": lambda layer, hidden, mask: layer([hidden, hidden, hidden, mask]),
    "list and name": lambda layer, hidden, mask: layer([hidden, hidden], mask=mask),
    "list and pair": lambda layer, hidden, mask: layer([hidden, hidden], mask=[None, mask]),
    "separate and name": lambda layer, hidden, mask: layer(hidden, hidden, mask=mask),
    "separate and place": lambda layer, hidden, mask: layer(hidden, hidden, None, mask),
    "Keras's of the value": lambda layer, hidden, mask: layer(hidden, WithMask(name="with_mask")(hidden)),
    "no mask": lambda layer, hidden, mask: layer(hidden, hidden),
}


class WithMask(tf_keras.layers.Dropout):
    """Hands its input on with a Keras mask of the first two steps; a Dropout only moves values, to a twin."""

    def __init__(self, rate: float = 0.0, **options: Any) -> None:
        super().__init__(rate, **options)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return tf.ones_like(inputs[..., 0], tf.bool) & (tf.range(4) < 2)


@pytest.mark.parametrize("form", MASKED_CALLS)
def test_however_a_mask_is_given_the_scores_have_room_for_it(form: str) -> None:
    """Without it the steps that do not count take half of the weight, for all scores are nearly 0 here.

    Scores in steps of 12.2 / 255 err by 0.024 at most, which moves a weight p by p (1 - p) / 2 * 0.1 <= 0.012
    together with the hidden states'; and half a step of 1/256.
    """
    x, lengths = tf_keras.Input((4, 3), name="features"), tf_keras.Input((), name="lengths", dtype=tf.int32)
    hidden, mask = lstm()(x), RealSteps(4, name="real_steps")(lengths)
    layer = DotAttention(return_attention_scores=True, name="attend")
    context, weights = MASKED_CALLS[form](layer, hidden, mask)
    with tf_keras.utils.custom_object_scope({"WithMask": WithMask}):
        made = tf_keras.Model([x, lengths], {"context": context, "weights": weights, "mask": mask})
        quantized = quantize_model(made)
    data = {"features": windows(4)[:, :4, :3], "lengths": np.full(4, 2, np.int32)}
    calibrate(quantized, data)
    assert quantized.get_layer("attend").masked == (form != "no mask")
    ours, floats = quantized(data)["weights"].numpy(), made(data)["weights"].numpy()
    assert np.all((floats[..., 2:] == 0) == (form != "no mask"))
    np.testing.assert_allclose(ours, floats, atol=0.02)


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(QuantizationError, match=r"Unknown precision 'int4'. Known: int8, int16, float32"):
        quantize_model(model(), "int4")


def configs_of(made: Any, precision: str = "int8") -> dict[str, dict[str, Any]]:
    """Those of the twins of a model's layers, by name."""
    return {layer.name: layer.get_config() for layer in twins(quantize_model(made, precision))}


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ([lambda: lstm(), tf_keras.layers.Flatten], "hidden int8"),
        ([lambda: lstm(), lambda: tf_keras.layers.Dropout(0.5)], "hidden int8"),
        ([lambda: lstm(), lambda: tf_keras.layers.Activation("relu")], "other"),
    ],
)
def test_a_dense_layer_knows_whether_its_input_is_hidden_states(before: list[Any], expected: str) -> None:
    made = around(*(make() for make in before), tf_keras.layers.Dense(2, name="head"))
    assert configs_of(made)["head"]["input_values"] == expected


@pytest.mark.parametrize(("between", "hidden"), [("dropout", True), ("relu", False)])
def test_an_lstm_above_another_reads_its_hidden_states(between: str, hidden: bool) -> None:
    layers = {"dropout": tf_keras.layers.Dropout(0.5), "relu": tf_keras.layers.Activation("relu")}
    made = around(lstm(), layers[between], lstm(name="above"))
    configs = configs_of(made)
    assert configs["encoder"]["input_is_hidden"] is False
    assert configs["above"]["input_is_hidden"] is hidden


@pytest.mark.parametrize("precision", ["int8", "int16", "float32"])
def test_what_stands_behind_an_attention_knows_its_precision(precision: str) -> None:
    """Through layers that only move values, and beside hidden states in int8."""
    x = tf_keras.Input((4, 3))
    hidden = lstm()(x)
    context = tf_keras.layers.Dropout(0.5)(DotAttention()([hidden, hidden]))
    pooled = MeanOverTime(name="pooled")(context)
    both = tf_keras.layers.Concatenate()([context, hidden])
    outputs = {"one": tf_keras.layers.Dense(2, name="one")(pooled)}
    outputs["each"] = tf_keras.layers.Dense(2, name="each")(both)
    made = tf_keras.Model(x, outputs)
    configs = configs_of(made, precision)
    mean = configs["pooled"]
    assert (mean["input_is_hidden"], mean["precision"]) == (True, precision)
    for name in outputs:
        assert configs[name]["input_values"] == f"hidden {precision}"


@pytest.mark.parametrize("precision", ["int8", "int16", "float32"])
def test_the_context_of_several_heads_is_a_mean_of_projections(precision: str) -> None:
    x = tf_keras.Input((4, 3))
    hidden = lstm()(x)
    pooled = MeanOverTime(name="pooled")(MultiHeadAttention(heads=2)([hidden, hidden]))
    made = tf_keras.Model(x, tf_keras.layers.Dense(2, name="head")(pooled))
    configs = configs_of(made, precision)
    mean = configs["pooled"]
    assert (mean["input_is_hidden"], mean["precision"]) == (False, precision)
    assert configs["head"]["input_values"] == "other"


def test_the_package_has_its_front_door() -> None:
    assert models.quantization.quantize_model is quantize_model
    with pytest.raises(AttributeError, match="no attribute 'quantise_model'"):
        models.quantization.quantise_model  # noqa: B018


def test_layers_to_leave_out_are_known_with_the_reason() -> None:
    """An LSTM is never among them: it has to fuse."""
    x = tf_keras.Input((4, 3))
    hidden = tf_keras.layers.Activation("relu")(lstm()(x))
    context = DotAttention(name="attend")([hidden, hidden])
    head = tf_keras.layers.Dense(2, use_bias=False, name="head")(context)
    made = tf_keras.Model(x, tf_keras.layers.Dense(2, name="good")(head))
    found = layers_without_twin(made)
    assert list(found) == ["attend", "head"]
    assert "not all outputs of LSTM layers" in found["attend"]
    assert [layer.name for layer in twins(quantize_model(made, skip=found))] == ["encoder", "good"]


@pytest.mark.parametrize("move", ["getitem", "reshape", "permute", "repeat"])
def test_what_only_moves_hidden_states_leaves_them_hidden_states(move: str) -> None:
    x = tf_keras.Input((4, 3))
    hidden = lstm()(x)
    moved = {
        "getitem": lambda: hidden[:, 1],
        "reshape": lambda: tf.reshape(hidden, [-1, 16]),
        "permute": lambda: tf_keras.layers.Permute((2, 1))(hidden),
        "repeat": lambda: tf_keras.layers.RepeatVector(2)(hidden[:, 0]),
    }[move]()
    made = tf_keras.Model(x, tf_keras.layers.Dense(2, name="head")(moved))
    assert configs_of(made)["head"]["input_values"] == "hidden int8"
