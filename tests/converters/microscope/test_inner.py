"""What goes into an LSTM: from the interpreter, and before it was rounded."""

import numpy as np
import pytest
from int8_lstm_file import Int8Lstm, build

from converters import schema
from converters.integer_lstm import IntegerLstm
from converters.lstm_op import lstm_nodes
from converters.microscope import inner
from models.errors import InputError

WINDOWS = np.random.default_rng(0).normal(size=(3, 6, 3)).astype(np.float32)


def test_both_files_are_looked_into(tiny: dict[str, bytes]) -> None:
    found = inner.run({"a": tiny["int8"], "b": tiny["float"]}, WINDOWS)
    (int8,), (real,) = found["a"], found["b"]
    reference = IntegerLstm.from_model(tiny["int8"])
    np.testing.assert_array_equal(int8.input, reference.quantize_input(WINDOWS))
    np.testing.assert_array_equal(int8.output, reference.run(int8.input).hidden)
    np.testing.assert_array_equal(real.input, WINDOWS)
    assert real.output.shape == (3, 6, 4)


def test_each_window_starts_from_the_zero_state(tiny: dict[str, bytes]) -> None:
    forth, back = (inner.run({"a": tiny["int8"]}, one)["a"][0].output for one in (WINDOWS, WINDOWS[::-1]))
    np.testing.assert_array_equal(forth, back[::-1])


def test_of_a_batch_the_first_window_is_taken() -> None:
    lstm = Int8Lstm(
        np.full((4, 2, 3), 50, np.int8), np.full((4, 2, 2), 50, np.int8), np.zeros((4, 2), np.int32),
        (0.01,) * 4, (0.01,) * 4, steps=6, batch=2,
    )  # fmt: skip
    (found,) = inner.run({"a": build(lstm)}, WINDOWS)["a"]
    assert found.input.shape == (3, 6, 3)
    np.testing.assert_array_equal(found.output, IntegerLstm.from_model(build(lstm)).run(found.input).hidden)


@pytest.mark.parametrize("name", ["int8", "int8_io"])
def test_before_rounding_it_is_what_the_model_gets(tiny: dict[str, bytes], name: str) -> None:
    model = schema.read_model(tiny[name])
    (node,) = lstm_nodes(model)
    np.testing.assert_array_equal(inner.before_rounding(model, node, WINDOWS), WINDOWS.astype(np.float64))


@pytest.mark.slow
def test_the_lstm_that_runs_backwards_gets_it_turned_around(fusion: dict[str, bytes]) -> None:
    model = schema.read_model(fusion["bidirectional"])
    seen = inner.run({"a": fusion["bidirectional"]}, WINDOWS)["a"]
    found = [inner.before_rounding(model, node, WINDOWS) for node in lstm_nodes(model)]
    for real, tensors in zip(found, seen, strict=True):
        np.testing.assert_array_equal(real, tensors.input)
    assert any((tensors.input != WINDOWS).any() for tensors in seen)


@pytest.mark.slow
def test_behind_another_lstm_nobody_knows_it(fusion: dict[str, bytes]) -> None:
    model = schema.read_model(fusion["two"])
    lower, upper = lstm_nodes(model)
    assert inner.before_rounding(model, lower, WINDOWS) is not None
    assert inner.before_rounding(model, upper, WINDOWS) is None


def test_an_input_of_another_kind_is_refused(tiny: dict[str, bytes]) -> None:
    model = schema.read_model(tiny["int8"])
    tensor = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]]
    tensor.shape = [1, 18]
    with pytest.raises(InputError, match=r"f takes float32 \[1, 18\]; needed is"):
        inner.input_shape(model, "f")
    model.subgraphs[0].inputs = []
    with pytest.raises(InputError, match="f has 0 inputs"):
        inner.input_shape(model, "f")


def test_an_interpreter_that_refuses_is_an_input_error(tiny: dict[str, bytes]) -> None:
    model = schema.read_model(tiny["int8"])
    lstm_nodes(model)[0].input_weights["input"].shape = [4, 2]
    with pytest.raises(InputError, match="refuses 'f'"):
        inner.run({"'f'": schema.write_model(model)}, WINDOWS)
