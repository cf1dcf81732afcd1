"""From a configuration to the model: what is passed on, what `auto` comes to."""

from dataclasses import dataclass
from typing import Any, cast

import pytest

from models import config as models
from models.augmentation import Augmentation
from models.config import AttentionConfig, ModelConfig, RecurrentConfig
from models.errors import InputError
from pipeline.config import AugmentConfig, ModelSection
from pipeline.data.prepared import PreparedData
from pipeline.model_config import augmentation_of, model_config


@dataclass(frozen=True)
class Shape:
    """The steps and channels of a data set."""

    steps: int = 29
    features: int = 12


@dataclass(frozen=True)
class Data:
    """What the model is made for."""

    preprocessing: Shape = Shape()
    class_names: tuple[str, ...] = ("a", "b", "c")
    task: str = "classification"


def made(task: str = "classification", **given: Any) -> ModelConfig:
    return model_config(ModelSection.model_validate(given), cast(PreparedData, Data(task=task)))


def test_the_default_is_one_lstm_with_one_query() -> None:
    assert made() == ModelConfig(
        steps=29,
        features=12,
        outputs=3,
        task="classification",
        recurrent=RecurrentConfig((64,)),
        attention=AttentionConfig("scaled-dot", "last", "concat", 4),
        dropout=0.2,
        input_noise=0.2,
    )


def test_every_field_reaches_the_model() -> None:
    found = made(
        units=[32, 16], bidirectional=True, layer_dropout=0.3, attention="multi-head", query="all",
        combine="context", heads=8, dropout=0.1, input_noise=0.5,
    )  # fmt: skip
    assert found.recurrent == RecurrentConfig((32, 16), True, 0.3)
    assert found.attention == AttentionConfig("multi-head", "all", "context", 8)
    assert (found.dropout, found.input_noise) == (0.1, 0.5)


@pytest.mark.parametrize(
    ("units", "bidirectional", "heads"), [(64, False, 4), (6, False, 2), (6, True, 4), (7, False, 1)]
)
def test_auto_takes_up_to_four_heads_that_divide_the_width(
    units: int, bidirectional: bool, heads: int
) -> None:
    found = made(attention="multi-head", units=units, bidirectional=bidirectional)
    assert found.attention.heads == heads


def test_an_output_per_step_has_a_query_per_step_by_itself() -> None:
    assert made(task="per-step").attention.query == "all"
    with pytest.raises(InputError, match="query"):
        made(task="per-step", query="last")


def test_augmentation_is_off_by_default_and_chooses_what_is_auto() -> None:
    assert augmentation_of(AugmentConfig(), 40, 32) is None
    masks = AugmentConfig(time_shift=100, time_masks=1, channel_masks=2)
    assert augmentation_of(masks, 40, 32) == Augmentation(39, 0.0, 0.0, 1, 4, 2, 6)
    assert augmentation_of(masks, 5, 3) == Augmentation(4, 0.0, 0.0, 1, 1, 2, 1)
    given = AugmentConfig(time_masks=1, time_mask_steps=7, scale=0.1, jitter=0.2)
    assert augmentation_of(given, 40, 32) == Augmentation(0, 0.1, 0.2, 1, 7)


def test_what_can_be_chosen_is_what_can_be_built() -> None:
    choices = ModelSection.model_json_schema()["properties"]
    optional = {name: choices[name]["anyOf"][0]["enum"] for name in ("task", "query")}
    assert tuple(choices["attention"]["enum"]) == models.ATTENTION_KINDS
    assert tuple(choices["combine"]["enum"]) == models.COMBINATIONS
    assert (tuple(optional["task"]), tuple(optional["query"])) == (models.TASKS, models.QUERIES)
