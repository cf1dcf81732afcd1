import numpy as np
import pytest
import tf_keras
from tiny_classifier import CONFIG, STEPS, UNITS, copy_of, model, twin, windows

from models.classifier import build_model
from models.config import AttentionConfig, ModelConfig, RecurrentConfig
from models.errors import QuantizationError
from models.quantization import quantize_model
from models.quantization.number_formats import HIDDEN_RANGE, SOFTMAX_RANGE
from models.quantization.transfer import observed_quantities, outputs_with_context, transfer_weights
from models.quantization.twin import twins


def test_trained_weights_reach_the_plain_model() -> None:
    trained, plain = copy_of(twin()), build_model(CONFIG)
    trained.set_weights([weight + 1 for weight in trained.get_weights()])
    transfer_weights(trained, plain)
    for ours, before in zip(plain.get_weights(), model().get_weights(), strict=True):
        np.testing.assert_array_equal(ours, before + 1)


def test_a_layer_that_is_missing_is_told() -> None:
    x = tf_keras.Input((6, 3))
    other = tf_keras.Model(x, tf_keras.layers.LSTM(5, return_sequences=True, name="recurrent")(x))
    with pytest.raises(QuantizationError, match="no layer 'lstm'"):
        transfer_weights(twin(), other)


def test_a_layer_of_another_size_is_told() -> None:
    other = build_model(ModelConfig(6, 3, 3, recurrent=RecurrentConfig((4,))))
    before = other.get_weights()
    with pytest.raises(QuantizationError, match="weights of layer 'lstm' differ"):
        transfer_weights(twin(), other)
    for now, then in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_quantities_have_names_ranges_and_what_they_are_in_float() -> None:
    window = windows()[0]
    quantities = {one.name: one for one in observed_quantities(twin(), window)}
    assert set(quantities) == {
        "lstm/input", "lstm/cell", "lstm/hidden", "attention/query", "attention/scores", "attention/weights",
        "attention/context", "logits/output",
    }  # fmt: skip
    hidden = model().get_layer("lstm")(window[np.newaxis])
    outputs = model()(window[np.newaxis])
    for name, expected in {
        "lstm/input": window[np.newaxis],
        "lstm/hidden": hidden,
        "attention/weights": outputs["attention_weights"],
        "logits/output": outputs["logits"],
    }.items():
        np.testing.assert_allclose(np.squeeze(quantities[name].probe), np.squeeze(expected), atol=1e-6)
    assert quantities["lstm/cell"].probe is None  # inside the op
    assert quantities["attention/context"].range == quantities["lstm/hidden"].range == HIDDEN_RANGE
    assert quantities["attention/weights"].range == SOFTMAX_RANGE
    for layer in twins(twin()):
        for role, value_range in layer.ranges().items():
            assert quantities[f"{layer.name}/{role}"].range == value_range


def test_outputs_come_with_the_context() -> None:
    x = windows(4)
    outputs = outputs_with_context(model(), x)
    assert {name: value.shape for name, value in outputs.items()} == {
        "logits": (4, 3), "attention_weights": (4, STEPS), "context": (4, UNITS),
    }  # fmt: skip
    hidden = model().get_layer("lstm")(x)
    expected = np.einsum("bt,btu->bu", outputs["attention_weights"], hidden)
    np.testing.assert_allclose(outputs["context"], expected, atol=1e-6)


def test_a_twins_context_lies_on_its_grid() -> None:
    context = outputs_with_context(twin(), windows(4))["context"]
    np.testing.assert_array_equal(context * 128, np.rint(context * 128))


def test_multi_head_attention_has_no_context_to_compare() -> None:
    """One head of one query has the shape of the file's product, which comes before the projection."""
    made = build_model(ModelConfig(STEPS, 3, 3, attention=AttentionConfig("multi-head", heads=1)))
    for each in (made, quantize_model(made)):
        assert sorted(outputs_with_context(each, windows(4))) == ["attention_weights", "logits"]
