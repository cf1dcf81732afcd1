"""The rebuilt model is held against the original."""

import numpy as np
import pytest
import tf_keras
from foreign_models import MODELS, STEPS, windows

from models.errors import QuantizationError
from models.foreign.files import original_of
from models.foreign.rebuild import rebuild
from pipeline.brought.model import largest_difference, outputs_of


def masked() -> tf_keras.Model:
    x = tf_keras.Input((STEPS, 3))
    hidden = tf_keras.layers.LSTM(4)(tf_keras.layers.Masking(name="skip")(x))
    return tf_keras.Model(x, tf_keras.layers.Dense(2)(hidden))


def test_equal_models_differ_by_what_float32_explains() -> None:
    original = original_of(MODELS["attention"](tf_keras))
    made = rebuild(original.graph, original.weights_of)
    assert largest_difference(original, made, windows()) <= STEPS * 2.0**-18


def test_a_mask_may_go_where_nothing_is_masked() -> None:
    original = original_of(masked())
    made = rebuild(original.graph, original.weights_of)
    assert "Masking" in str(made.mended[0])
    assert largest_difference(original, made, windows()) <= STEPS * 2.0**-18


def test_a_mask_that_changes_answers_is_explained() -> None:
    original = original_of(masked())
    made = rebuild(original.graph, original.weights_of)
    x = windows()
    x[:, -2:] = 0  # padding at the end
    with pytest.raises(QuantizationError, match="masks steps that occur in the data") as error:
        largest_difference(original, made, x)
    assert "in front" in error.value.tip


def test_other_weights_are_found() -> None:
    original = original_of(MODELS["attention"](tf_keras))
    made = rebuild(original.graph, lambda path: [one + 0.01 for one in original.weights_of(path)])
    with pytest.raises(QuantizationError, match=r"is what float32 explains. A layer computes something else"):
        largest_difference(original, made, windows())


def test_a_value_that_is_not_finite_does_not_pass() -> None:
    original = original_of(MODELS["attention"](tf_keras))
    made = rebuild(original.graph, lambda path: [one * np.nan for one in original.weights_of(path)])
    with pytest.raises(QuantizationError, match="differ from the original's by nan"):
        largest_difference(original, made, windows())


def test_outputs_without_attention_have_no_steps() -> None:
    outputs = outputs_of({"logits": np.zeros((3, 2), np.float32)}, "classification")
    assert not outputs.attends
    outputs = outputs_of({"values": np.zeros((3, 2)), "attention_weights": np.ones((3, 4)) / 4}, "regression")
    assert outputs.steps == 4
