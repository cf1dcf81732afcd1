"""What the delegate leaves to the built-in kernel, and that it says why; what it refuses to run at all."""

import contextlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from int8_lstm_file import Int8Lstm, build
from kernel_cases import Running, fuselage_kernels, random_input, random_lstm, same

from converters import schema
from converters.lstm_op import LstmInput, lstm_nodes

PATHS = fuselage_kernels.runnable_paths()


def plain() -> Int8Lstm:
    lstm = random_lstm(3, 12, 6, 1)
    return replace(lstm, steps=5, time_major=False, cell_scale=2.0**-12, cell_clip=0.0)


def with_weight(lstm: Int8Lstm, value: int) -> Int8Lstm:
    weights = lstm.recurrent_weights.copy()
    weights[3, 11, 11] = value
    return replace(lstm, recurrent_weights=weights)


def with_bias(lstm: Int8Lstm, value: int) -> Int8Lstm:
    bias = lstm.bias.copy()
    bias[2, 0] = value
    return replace(lstm, bias=bias)


REFUSED: dict[str, tuple[Int8Lstm, str]] = {
    "a weight of -128": (with_weight(plain(), -128), "a weight of -128"),
    "a bias of 2^30": (with_bias(plain(), 1 << 30), "31 bits"),
    "a cell scale that is too small": (replace(plain(), cell_scale=2.0**-16), "2^-15 to 2^-9"),
    "a cell scale that is too large": (replace(plain(), cell_scale=2.0**-8), "2^-15 to 2^-9"),
    "a cell scale beside a power of two": (replace(plain(), cell_scale=2.0**-12 * 1.0005), "2^-15 to 2^-9"),
    "a peephole": (
        replace(plain(), extra={LstmInput.CELL_TO_FORGET_WEIGHTS: np.ones(12, np.int16)}),
        "peepholes",
    ),
    "layer normalization": (
        replace(plain(), extra={LstmInput(20 + n): np.ones(12, np.int16) for n in range(4)}),
        "layer normalization",
    ),
    "a negative clip": (replace(plain(), cell_clip=-1.0), "negative cell clip"),
    "a scale of 0": (replace(plain(), hidden=(0.0, 0)), "without a scale"),
    "a scale that is no number": (replace(plain(), input=(float("nan"), 0)), "without a scale"),
    "a scale that is infinite": (replace(plain(), state=(float("inf"), 0)), "without a scale"),
    "weights with a zero point": (plain(), "symmetric scale"),
    "weights with a scale a channel": (plain(), "symmetric scale"),
    "another activation": (plain(), "not tanh"),
}


def file_of(name: str) -> bytes:
    model = schema.read_model(build(REFUSED[name][0]))
    (node,) = lstm_nodes(model)
    weights = node.input_weights["cell"].quantization
    if name == "weights with a zero point":
        weights.zeroPoint = [1]
    if name == "weights with a scale a channel":
        weights.scale, weights.zeroPoint = [0.01] * 12, [0] * 12
    if name == "another activation":
        node.operator.builtinOptions.fusedActivationFunction = 0
    return bytes(schema.write_model(model))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_this_op_is_left_with_a_reason(name: str) -> None:
    """Some the built-in kernel objects to as well; then that is what is heard."""
    delegate = Running(build(plain()), PATHS[0]).delegate
    with contextlib.suppress(RuntimeError, ValueError):
        Running(file_of(name), delegate=delegate)
    told = fuselage_kernels.describe(delegate)
    assert (told.taken, told.refused) == (1, 1)
    assert REFUSED[name][1] in told.reasons[0]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "lstm",
    [with_weight(plain(), -127), with_bias(plain(), (1 << 30) - 128 * 127 * 6 * 3)],
    ids=["the least weight", "a large bias"],
)
def test_up_to_the_limits_it_is_taken(lstm: Int8Lstm, path: str) -> None:
    x = random_input(lstm, 1)
    ours = Running.of(lstm, path)
    assert fuselage_kernels.describe(ours.delegate).taken == 1
    assert same(Running.of(lstm).run(x), ours.run(x))


def test_a_refused_lstm_gives_what_it_gave() -> None:
    lstm = REFUSED["a weight of -128"][0]
    x = random_input(lstm, 1)
    assert same(Running.of(lstm).run(x), Running.of(lstm, PATHS[0]).run(x))


@pytest.mark.parametrize(
    "options", [{"path": "avx1024"}, {"speed": "high"}, {"path": ""}], ids=["path", "option", "empty"]
)
def test_an_unknown_option_is_an_error(options: dict[str, str]) -> Any:
    from ai_edge_litert.interpreter import load_delegate

    with pytest.raises(ValueError, match="fuselage_kernels"):
        load_delegate(str(fuselage_kernels.library.LIBRARY), options)
