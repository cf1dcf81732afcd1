"""The outputs of the model that is quantized."""

from typing import Any

import numpy as np
import pytest
import tf_keras
from foreign_models import MODELS, STEPS, windows

from models.errors import InputError
from models.foreign.files import original_of
from models.foreign.rebuild import rebuild
from pipeline.brought.original import Wanted, answer_of
from pipeline.brought.outputs import fusable, is_attention
from pipeline.data.preprocessing import Preprocessing


def made(name: str, check: tuple[str, ...] = (), task: str = "classification", rule: Any = None) -> Any:
    original = original_of(MODELS[name](tf_keras))
    rebuilt = rebuild(original.graph, original.weights_of)
    answer = answer_of(rebuilt, Wanted(None, task=None))  # type: ignore[arg-type]
    return fusable(rebuilt, answer, check, windows(), task, rule)


def test_weights_over_the_steps_become_the_attention() -> None:
    model = made("attention", ("context", "attention", "score"))
    assert model.attention == "attention"
    assert model.checked == {"context": "context", "score": "score"}
    told = model.model(windows())
    assert list(told) == ["logits", "context", "attention_weights", "score"]
    assert told["attention_weights"].shape == (8, STEPS)
    np.testing.assert_allclose(told["attention_weights"].numpy().sum(-1), 1, atol=1e-6)


def test_the_answer_is_what_stands_before_the_softmax() -> None:
    model = MODELS["attention"](tf_keras)
    original = original_of(model)
    rebuilt = rebuild(original.graph, original.weights_of)
    fused = fusable(rebuilt, answer_of(rebuilt, Wanted(None)), (), windows(), "classification")  # type: ignore[arg-type]
    logits = fused.model(windows())["logits"]
    np.testing.assert_allclose(tf_keras.activations.softmax(logits), model(windows()), atol=1e-6)


def test_further_outputs_of_the_original_stay() -> None:
    model = made("Keras attention")
    assert (model.attention, model.checked) == ("attend", {})
    assert model.model.output["attention_weights"].shape == (None, STEPS, STEPS)


def test_a_layer_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(InputError, match=r"no layer 'atention'. It has: encoder, score, attention"):
        made("attention", ("atention",))


def test_a_name_for_a_signature_is_made_safe() -> None:
    model = made("nested", ("body/encoder",))
    assert model.checked == {"body_encoder": "body/encoder"}


def test_values_of_a_regression_are_in_standard_deviations_of_the_targets() -> None:
    rule = Preprocessing.identity(STEPS, 3, "none").with_targets(np.array([[1.0, 10.0], [3.0, 50.0]]))
    model = made("operators", task="regression", rule=rule)
    assert not any(isinstance(one, tf_keras.layers.Rescaling) for one in model.model.layers)
    raw = MODELS["operators"](tf_keras)  # the same seed gives the same weights
    assert list(model.model.output) == ["values"]
    assert (rule.target_mean, rule.target_std) == ((2.0, 30.0), (1.0, 20.0))
    assert raw(windows()).shape == model.model(windows())["values"].shape


def test_a_linear_layer_takes_the_deviations_into_its_weights() -> None:
    rule = Preprocessing.identity(STEPS, 3, "none").with_targets(np.array([[1.0, 10.0], [3.0, 50.0]]))
    original = original_of(MODELS["states"](tf_keras))
    rebuilt = rebuild(original.graph, original.weights_of)
    answer = answer_of(rebuilt, Wanted(None, task="regression"))  # type: ignore[arg-type]
    model = fusable(rebuilt, answer, (), windows(), "regression", rule).model
    right = (original.answers(windows())["decision"] - [2.0, 30.0]) / [1.0, 20.0]
    np.testing.assert_allclose(model(windows())["values"], right, atol=1e-5)


def test_an_answer_of_no_linear_layer_is_rescaled() -> None:
    x = tf_keras.Input((STEPS, 3))
    hidden = tf_keras.layers.LSTM(2, name="encoder")(x)
    original = original_of(tf_keras.Model(x, hidden))
    rebuilt = rebuild(original.graph, original.weights_of)
    rule = Preprocessing.identity(STEPS, 3, "none").with_targets(np.array([[0.0, 2.0], [1.0, 6.0]]))
    answer = answer_of(rebuilt, Wanted(None, task="regression"))  # type: ignore[arg-type]
    model = fusable(rebuilt, answer, (), windows(), "regression", rule).model
    right = (original.answers(windows())["encoder"] - [0.5, 4.0]) / [0.5, 2.0]
    np.testing.assert_allclose(model(windows())["values"], right, atol=1e-5)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.full((2, 6), 1 / 6), True),
        (np.full((2, 6, 1), 1 / 6), True),
        (np.full((2, 3, 4, 6), 1 / 6), True),
        (np.full((2, 6), 1 / 5), False),
        (np.full((2, 5), 1 / 5), False),
        (np.array([[1.5, -0.5, 0, 0, 0, 0]]), False),
    ],
)
def test_what_counts_as_a_distribution_over_the_steps(values: np.ndarray, expected: bool) -> None:
    assert is_attention(values.astype(np.float32), 6) is expected
