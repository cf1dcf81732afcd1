"""The schemes of a build: names, files, which count."""

from typing import Any

import pytest

from pipeline.build import PUBLISHED
from pipeline.config import QuantizeConfig
from pipeline.schemes import attention_precisions, schemes_of

EVERY = {
    "scheme": ["float32", "float16", "dynamic", "int8"],
    "attention_precision": ["int8", "int16", "float32"],
}


@pytest.mark.parametrize(
    ("given", "names", "precisions"),
    [
        ({}, ["float32", "int8"], ("int8",)),
        ({"scheme": "float16"}, ["float32", "float16"], ()),
        ({"scheme": "float32"}, ["float32"], ()),
        ({"scheme": ["int8", "float32"]}, ["float32", "int8"], ("int8",)),
        (
            {"attention_precision": ["int16", "int8"]},
            ["float32", "int8-attention-int16", "int8"],
            ("int16", "int8"),
        ),
        (
            EVERY,
            ["float32", "float16", "dynamic", "int8", "int8-attention-int16", "int8-attention-float32"],
            ("int8", "int16", "float32"),
        ),
    ],
)
def test_float32_comes_first_then_what_was_asked_for(
    given: dict[str, Any], names: list[str], precisions: tuple[str, ...]
) -> None:
    config = QuantizeConfig.model_validate(given)
    assert [one.name for one in schemes_of(config)] == names
    assert attention_precisions(config) == precisions


def test_float32_counts_only_where_it_was_asked_for() -> None:
    assert [one.asked for one in schemes_of(QuantizeConfig())] == [False, True]
    assert all(one.asked for one in schemes_of(QuantizeConfig.model_validate(EVERY)))


def test_each_file_has_its_name_and_is_published() -> None:
    files = {one.name: one.file for one in schemes_of(QuantizeConfig.model_validate(EVERY))}
    assert files == {
        "float32": "model_float32.tflite",
        "float16": "model_float16.tflite",
        "dynamic": "model_dynamic.tflite",
        "int8": "model_int8.tflite",
        "int8-attention-int16": "model_int8_attention16.tflite",
        "int8-attention-float32": "model_int8_attention32.tflite",
    }
    assert set(files.values()) < set(PUBLISHED)


def test_limits_are_derived_from_how_exact_the_weights_are() -> None:
    errors = {one.name: one.weight_error for one in schemes_of(QuantizeConfig.model_validate(EVERY))}
    assert errors == {
        "float32": 0,
        "float16": 2.0**-11 / 2.0**-8,
        **dict.fromkeys(("dynamic", "int8", "int8-attention-int16", "int8-attention-float32"), 1),
    }
