"""The registry of layers: each is in the documentation, and odd ones are refused."""

from pathlib import Path
from typing import Any

import pytest
import tf_keras
from foreign_models import STEPS

from models.attention.dot_product import DotAttention
from models.errors import QuantizationError
from models.foreign.files import original_of
from models.foreign.layers import _AS_THEY_ARE, REFUSED, reasons_against, translation
from models.foreign.rebuild import rebuild
from models.recurrent import LastState, MeanOverTime

DOC = (Path(__file__).parents[3] / "docs" / "bring-a-model.md").read_text("utf-8")
Layers = tf_keras.layers


def made(*layers: Any) -> Any:
    x = y = tf_keras.Input((STEPS, 3))
    for layer in layers:
        y = layer(y)
    original = original_of(tf_keras.Model(x, y))
    rebuilt = rebuild(original.graph, original.weights_of)
    return tf_keras.Model(rebuilt.input, dict(rebuilt.outputs))


@pytest.mark.parametrize("kind", [*_AS_THEY_ARE, "Attention", "Bidirectional", "Masking", "TimeDistributed"])
def test_every_layer_is_in_the_documentation(kind: str) -> None:
    assert f"`{kind}" in DOC or (kind.endswith("Pooling1D") and "pooling" in DOC)
    assert translation(kind) is not None


def test_what_is_refused_is_in_the_documentation() -> None:
    for kind in ("GRU", "SimpleRNN", "ConvLSTM", "Embedding"):
        assert f"`{kind}`" in DOC
        assert any(one.startswith(kind) for one in REFUSED)


def test_a_layer_that_is_not_known_is_named() -> None:
    (reason,) = reasons_against("Wavelet", "it", {})
    assert reason == "Wavelet 'it' is not among the layers that are known here."


def test_what_twins_know_takes_the_place_of_what_they_do_not() -> None:
    model = made(Layers.LSTM(4, return_sequences=True), Layers.GlobalAveragePooling1D(name="pooled"))
    assert isinstance(model.get_layer("pooled"), MeanOverTime)
    x = tf_keras.Input((STEPS, 3))
    hidden = Layers.LSTM(4, return_sequences=True)(x)
    context = Layers.Attention(name="attend")([hidden, hidden])
    original = original_of(tf_keras.Model(x, [context[:, -1], hidden[:, -1, :]]))
    rebuilt = rebuild(original.graph, original.weights_of)
    model = tf_keras.Model(rebuilt.input, dict(rebuilt.outputs))
    assert isinstance(model.get_layer("attend"), DotAttention)
    assert sum(isinstance(one, LastState) for one in model.layers) == 2


def test_an_attention_with_a_scale_stays_keras_own() -> None:
    x = tf_keras.Input((STEPS, 3))
    hidden = Layers.LSTM(4, return_sequences=True)(x)
    context = Layers.Attention(use_scale=True, name="attend")([hidden, hidden])
    original = original_of(tf_keras.Model(x, context))
    rebuilt = rebuild(original.graph, original.weights_of)
    model = tf_keras.Model(rebuilt.input, dict(rebuilt.outputs))
    assert isinstance(model.get_layer("attend"), Layers.Attention)


def test_a_mean_that_keeps_its_axis_stays_keras_own() -> None:
    model = made(Layers.LSTM(4, return_sequences=True), Layers.GlobalAveragePooling1D(keepdims=True))
    assert [tuple(one.shape) for one in model.outputs] == [(None, 1, 4)]
    assert not any(isinstance(one, MeanOverTime) for one in model.layers)


def test_batch_normalization_stands_still() -> None:
    model = made(Layers.BatchNormalization(name="norm"), Layers.LSTM(4))
    assert model.get_layer("norm").trainable is False


def test_a_layer_for_every_step_has_to_work_on_the_last_axis() -> None:
    with pytest.raises(QuantizationError, match="TimeDistributed 'each' holds a Flatten"):
        made(Layers.LSTM(4, return_sequences=True), Layers.TimeDistributed(Layers.Flatten(), name="each"))


def test_an_activation_that_tf_keras_does_not_know_is_refused() -> None:
    import keras

    x = keras.Input((STEPS, 3))
    hidden = keras.layers.LSTM(4)(x)
    model = keras.Model(x, keras.layers.Dense(2, activation="squareplus", name="odd")(hidden))
    original = original_of(model)
    with pytest.raises(QuantizationError, match="Layer 'odd': tf_keras does not know"):
        rebuild(original.graph, original.weights_of)


def test_our_own_attention_comes_back_as_it_is() -> None:
    x = tf_keras.Input((STEPS, 3))
    hidden = Layers.LSTM(4, return_sequences=True)(x)
    context = DotAttention(name="ours")([hidden, hidden])
    original = original_of(tf_keras.Model(x, context))
    rebuilt = rebuild(original.graph, original.weights_of)
    assert isinstance(tf_keras.Model(rebuilt.input, dict(rebuilt.outputs)).get_layer("ours"), DotAttention)
