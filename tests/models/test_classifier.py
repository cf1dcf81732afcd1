from dataclasses import replace

import numpy as np
from tiny_classifier import CLASSES, CONFIG, STEPS, model, windows

from models.classifier import build_model, inference_config, inference_form

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
        "features", "lstm", "last_state", "attention", "context_and_state", "logits",
    ]  # fmt: skip


def test_the_logits_are_a_linear_map_of_context_and_last_state() -> None:
    """Whatever the head reads besides them would show as a difference."""
    import tf_keras

    made, x = model(), windows(4)
    hidden = made.get_layer("lstm")(x)
    context, _ = made.get_layer("attention")([hidden[:, -1], hidden])
    kernel, bias = made.get_layer("logits").get_weights()
    expected = np.concatenate([context, hidden[:, -1]], axis=1) @ kernel + bias
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
