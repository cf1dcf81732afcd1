"""What a configuration may name."""

from typing import Any

import pytest

from models.errors import InputError
from models.foreign.layers import KNOWN
from models.foreign.safety import check_safe


def model(*entries: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"layers": list(entries)}}


def entry(kind: str, **more: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": "it"}, **more}


@pytest.mark.parametrize(
    "one",
    [
        entry("LSTM"),
        entry("LSTM", module="keras.layers"),
        entry("Multiply", module="keras.src.ops.numpy"),
        entry("DotAttention", module="models.attention.dot_product", registered_name="fuselage>DotAttention"),
        entry("TFOpLambda") | {"config": {"function": "math.multiply"}},
        {"class_name": "Dense", "config": {"kernel_regularizer": {"class_name": "L2", "config": {}}}},
    ],
)
def test_what_is_known_passes(one: Any) -> None:
    check_safe(model(one), KNOWN)


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (entry("Lambda"), "Lambda 'it'"),
        (entry("Mine"), "Mine 'it'"),
        (entry("Dense", module="antigravity"), "Dense 'it' of antigravity"),
        (entry("Dense", module="keras_evil.layers"), "Dense 'it' of keras_evil.layers"),
        (entry("Dense", registered_name="evil>Dense"), "evil>Dense 'it'"),
        (entry("evil>Dense"), "evil>Dense 'it'"),
        (entry("TFOpLambda") | {"config": {"function": "io.read_file"}}, r"tf\.io\.read_file"),
        (entry("TFOpLambda") | {"config": {"function": "py_function"}}, r"tf\.py_function"),
        (entry("SlicingOpLambda") | {"config": None}, r"tf\.None"),
        ({"class_name": "Dense", "config": {"activation": {"class_name": "function"}}}, "function"),
        (model(model(entry("Lambda"))), "Lambda 'it'"),
        (entry("TimeDistributed") | {"config": {"layer": entry("Lambda")}}, "Lambda 'it'"),
    ],
)
def test_what_is_not_known_is_named(one: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        check_safe(model(one), KNOWN)


def test_everything_is_named_at_once() -> None:
    with pytest.raises(InputError, match="Mine 'it', Yours 'it'"):
        check_safe(model(entry("Mine"), entry("Yours"), entry("Mine")), KNOWN)
