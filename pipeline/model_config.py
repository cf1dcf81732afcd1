"""From a build's configuration and its data to the model that is built."""

from __future__ import annotations

from models.config import ModelConfig, RecurrentConfig
from models.errors import InputError
from pipeline.config import ModelSection
from pipeline.data.prepared import PreparedData

_NOT_BUILT_YET = (
    "task", "bidirectional", "layer_dropout", "attention", "query", "combine", "heads", "variable_length",
)  # fmt: skip


def model_config(section: ModelSection, data: PreparedData) -> ModelConfig:
    """The model for one data set; what is `auto` is chosen here.

    Raises:
        InputError: the data and the configuration ask for different things.
    """
    default = ModelSection()
    for name in _NOT_BUILT_YET:
        if getattr(section, name) != getattr(default, name):
            raise InputError(f"[model] {name} cannot be built yet.")
    if len(section.units) > 1:
        raise InputError("[model] units: several layers cannot be built yet.")
    return ModelConfig(
        steps=data.preprocessing.steps,
        features=data.preprocessing.features,
        classes=len(data.class_names),
        recurrent=RecurrentConfig(section.units[0]),
        dropout=section.dropout,
        input_noise=section.input_noise,
    )
