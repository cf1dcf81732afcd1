import dataclasses
import json

import pytest

from models.config import AttentionConfig, ModelConfig, RecurrentConfig


def test_a_configuration_survives_json() -> None:
    config = ModelConfig(29, 12, 9, RecurrentConfig(7), AttentionConfig(), dropout=0.25, input_noise=0.5)
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_the_default_is_64_units_without_noise() -> None:
    config = ModelConfig(steps=5, features=2, classes=3)
    assert (config.recurrent.units, config.attention.kind) == (64, "scaled-dot")
    assert (config.dropout, config.input_noise) == (0.0, 0.0)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="layers"):
        ModelConfig.from_dict({**ModelConfig(5, 2, 3).to_dict(), "layers": 2})


def test_it_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ModelConfig(5, 2, 3).steps = 6  # type: ignore[misc]
