from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_classifier import FEATURES, STEPS, model, windows


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from converters.export import export_saved_model

    folder = tmp_path_factory.mktemp("saved")
    export_saved_model(model(), folder, STEPS, FEATURES)
    return folder


@pytest.fixture(scope="module")
def signature(saved: Path) -> Any:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(saved))
    assert list(loaded.signatures) == ["serving_default"]
    made = loaded.signatures["serving_default"]
    made.keep_alive = loaded  # a signature does not hold the variables it reads
    return made


def test_the_signature_takes_one_window(signature: Any) -> None:
    _, inputs = signature.structured_input_signature
    assert {name: tuple(spec.shape) for name, spec in inputs.items()} == {"features": (1, STEPS, FEATURES)}
    assert {name: tuple(spec.shape) for name, spec in signature.structured_outputs.items()} == {
        "logits": (1, 3), "attention_weights": (1, STEPS),
    }  # fmt: skip


def test_it_answers_as_the_model(signature: Any) -> None:
    import tensorflow as tf

    window = windows(1)
    for name, value in signature(features=tf.constant(window)).items():
        np.testing.assert_allclose(value, model()(window)[name], atol=1e-6)


def test_training_layers_do_not_act(tmp_path: Path) -> None:
    from dataclasses import replace

    import tensorflow as tf
    from tiny_classifier import CONFIG

    from converters.export import export_saved_model
    from models.classifier import build_model

    noisy = build_model(replace(CONFIG, dropout=0.5, input_noise=1.0))
    export_saved_model(noisy, tmp_path, STEPS, FEATURES)
    loaded = tf.saved_model.load(str(tmp_path))
    answers = loaded.signatures["serving_default"](features=tf.constant(windows(1)))
    np.testing.assert_allclose(answers["logits"], noisy(windows(1))["logits"], atol=1e-6)
