from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tiny_classifier import CLASSES, CONFIG, STEPS, model, windows

from models.classifier import build_model, inference_config, inference_form
from models.config import ATTENTION_KINDS, AttentionConfig, ModelConfig, RecurrentConfig

NOISY = replace(CONFIG, dropout=0.5, input_noise=1.0)


def test_outputs_have_names_and_shapes() -> None:
    outputs = model()(windows(4))
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {
        "logits": (4, CLASSES),
        "attention_weights": (4, STEPS),
    }
    np.testing.assert_allclose(np.sum(outputs["attention_weights"], axis=1), 1.0, atol=1e-6)


def test_the_names_that_later_stages_use() -> None:
    made = build_model(CONFIG)
    assert made.input_names == ["features"]
    assert [layer.name for layer in made.layers] == [
        "features", "lstm", "last_state", "one_query", "attention", "one_context", "context_and_state",
        "attention_weights", "logits",
    ]  # fmt: skip


def test_the_logits_are_a_linear_map_of_context_and_last_state() -> None:
    """Whatever the head reads besides them would show as a difference."""
    import tf_keras

    made, x = model(), windows(4)
    hidden = made.get_layer("lstm")(x)
    context, _ = made.get_layer("attention")([hidden[:, -1:], hidden])
    kernel, bias = made.get_layer("logits").get_weights()
    expected = np.concatenate([context[:, 0], hidden[:, -1]], axis=1) @ kernel + bias
    np.testing.assert_allclose(made(x)["logits"], expected, atol=1e-6)
    assert isinstance(made.get_layer("logits"), tf_keras.layers.Dense)


def test_noise_acts_in_training_only() -> None:
    made, x = build_model(NOISY), windows(4)
    assert np.array_equal(made(x)["logits"], made(x)["logits"])
    assert not np.array_equal(made(x, training=True)["logits"], made(x, training=True)["logits"])


def test_the_inference_form_answers_as_the_trained_model() -> None:
    made, x = build_model(NOISY), windows(4)
    plain = inference_form(made, NOISY)
    assert inference_config(NOISY) == CONFIG
    assert [layer.name for layer in plain.layers] == [layer.name for layer in build_model(CONFIG).layers]
    for name, value in made(x).items():
        np.testing.assert_array_equal(plain(x)[name], value)
    np.testing.assert_array_equal(plain(x, training=True)["logits"], plain(x)["logits"])


KINDS_AND_QUERIES = [(kind, query) for kind in ATTENTION_KINDS for query in ("last", "all")]


def config(**changes: Any) -> ModelConfig:
    """Six units, which two heads share."""
    attention = AttentionConfig(changes.pop("kind", "dot"), changes.pop("query", "all"),
                                changes.pop("combine", "concat"), heads=2)  # fmt: skip
    recurrent = RecurrentConfig((6,), bidirectional=changes.pop("bidirectional", False))
    return ModelConfig(STEPS, 3, CLASSES, recurrent=recurrent, attention=attention, **changes)


@pytest.mark.parametrize(("kind", "query"), KINDS_AND_QUERIES)
def test_the_last_axis_of_the_weights_is_the_distribution_over_time(kind: str, query: str) -> None:
    outputs = build_model(config(kind=kind, query=query))(windows(4))
    heads = (2,) if kind == "multi-head" else ()
    queries = (STEPS,) if query == "all" else ()
    assert outputs["attention_weights"].shape == (4, *heads, *queries, STEPS)
    assert outputs["logits"].shape == (4, CLASSES)
    np.testing.assert_allclose(np.sum(outputs["attention_weights"], axis=-1), 1.0, atol=1e-6)


@pytest.mark.parametrize(
    ("task", "name", "shape"),
    [
        ("classification", "logits", (4, CLASSES)),
        ("multi-label", "logits", (4, CLASSES)),
        ("regression", "values", (4, CLASSES)),
        ("per-step", "logits", (4, STEPS, CLASSES)),
    ],
)
def test_each_task_has_its_output(task: str, name: str, shape: tuple[int, ...]) -> None:
    outputs = build_model(config(task=task))(windows(4))
    assert set(outputs) == {name, "attention_weights"}
    assert outputs[name].shape == shape


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("combine", ["context", "concat"])
@pytest.mark.parametrize(("task", "query"), [("classification", "last"), ("classification", "all"),
                                             ("per-step", "all")])  # fmt: skip
def test_what_the_head_reads(task: str, query: str, combine: str, bidirectional: bool) -> None:
    """The context (its mean over the queries, or each step's), alone or beside the hidden state."""
    made = build_model(config(task=task, query=query, combine=combine, bidirectional=bidirectional))
    x = windows(4)
    if bidirectional:
        ahead = made.get_layer("lstm_forward")(x)
        behind = made.get_layer("lstm_backward")(x[:, ::-1])[:, ::-1]
        hidden, last = np.concatenate([ahead, behind], -1), np.concatenate([ahead[:, -1], behind[:, 0]], -1)
    else:
        hidden = np.asarray(made.get_layer("lstm")(x))
        last = hidden[:, -1]
    scores = (last[:, np.newaxis] if query == "last" else hidden) @ hidden.swapaxes(1, 2)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    contexts = weights @ hidden
    read = contexts if task == "per-step" else contexts.mean(axis=1)
    if combine == "concat":
        read = np.concatenate([read, hidden if task == "per-step" else last], -1)
    kernel, bias = made.get_layer("logits").get_weights()
    np.testing.assert_allclose(made(x)["logits"], read @ kernel + bias, atol=1e-5)
