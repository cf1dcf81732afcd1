import dataclasses
import json

import pytest

from models.config import (
    ATTENTION_KINDS,
    COMBINATIONS,
    QUERIES,
    TASKS,
    AttentionConfig,
    ModelConfig,
    RecurrentConfig,
    lstm_layer_names,
    output_name,
)
from models.errors import InputError


def test_a_configuration_survives_json() -> None:
    config = ModelConfig(
        29,
        12,
        9,
        task="per-step",
        recurrent=RecurrentConfig((8, 6), dropout=0.1),
        attention=AttentionConfig("multi-head", "all", "context", heads=3),
        dropout=0.25,
        input_noise=0.5,
        variable_length=True,
    )
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_the_default_is_64_units_and_one_query_without_noise() -> None:
    config = ModelConfig(steps=5, features=2, outputs=3)
    assert config.recurrent == RecurrentConfig((64,), bidirectional=False, dropout=0.0)
    assert config.attention == AttentionConfig("scaled-dot", "last", "concat")
    assert (config.task, config.dropout, config.input_noise) == ("classification", 0.0, 0.0)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="layers"):
        ModelConfig.from_dict({**ModelConfig(5, 2, 3).to_dict(), "layers": 2})


def test_it_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ModelConfig(5, 2, 3).steps = 6  # type: ignore[misc]


@pytest.mark.parametrize(
    ("make", "what", "known"),
    [
        (lambda: AttentionConfig(kind="cosin"), "attention 'cosin'", ATTENTION_KINDS),
        (lambda: AttentionConfig(query="al"), "query 'al'", QUERIES),
        (lambda: AttentionConfig(combine="contxt"), "combination 'contxt'", COMBINATIONS),
        (lambda: ModelConfig(5, 2, 3, task="regresion"), "task 'regresion'", TASKS),
    ],
)
def test_an_unknown_name_is_told_with_the_known_ones(make, what, known) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as error:
        make()
    assert error.value.message == f"Unknown {what}. Known: {', '.join(known)}."
    assert error.value.tip.startswith("Did you mean '")


@pytest.mark.parametrize("units", [(), (8, 0), (-1,)])
def test_an_lstm_needs_units(units: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="units of at least 1"):
        RecurrentConfig(units)


def test_a_label_for_every_step_needs_a_query_from_every_step() -> None:
    with pytest.raises(InputError, match="query from every step") as error:
        ModelConfig(5, 2, 3, task="per-step")
    assert error.value.tip == "Use --query all."


def test_heads_have_to_divide_the_hidden_state() -> None:
    attention = AttentionConfig("multi-head", heads=4)
    with pytest.raises(InputError, match="4 heads cannot share a hidden state of 6"):
        ModelConfig(5, 2, 3, recurrent=RecurrentConfig((6,)), attention=attention)
    both = ModelConfig(5, 2, 3, recurrent=RecurrentConfig((6,), bidirectional=True), attention=attention)
    assert both.recurrent.outputs == 12


def test_layers_are_named_in_the_order_in_which_they_run() -> None:
    assert lstm_layer_names(RecurrentConfig((8, 8, 8))) == ["lstm", "lstm_2", "lstm_3"]
    assert lstm_layer_names(RecurrentConfig((8, 8), bidirectional=True)) == [
        "lstm_forward", "lstm_backward", "lstm_2_forward", "lstm_2_backward",
    ]  # fmt: skip


def test_numbers_have_another_name_than_logits() -> None:
    assert [output_name(task) for task in TASKS] == ["logits", "logits", "values", "logits"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recurrent": RecurrentConfig((4,), bidirectional=True)}, "would start in the padding"),
        ({"attention": AttentionConfig(query="all")}, "mean of a varying number of contexts"),
    ],
)
def test_what_does_not_go_with_a_variable_length_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ModelConfig(5, 2, 3, variable_length=True, **changes)  # type: ignore[arg-type]


def test_a_label_for_every_step_takes_a_variable_length_with_queries_from_all_steps() -> None:
    config = ModelConfig(5, 2, 3, "per-step", attention=AttentionConfig(query="all"), variable_length=True)
    assert config.variable_length
