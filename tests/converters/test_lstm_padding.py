"""A padded LSTM gives the same hidden states, and zero in the units that were added."""

import numpy as np
import pytest
from float_lstm_file import build as build_float
from float_lstm_file import random_lstm
from hand_made import hand_made
from int8_lstm_file import Int8Lstm, build

from converters import schema
from converters.lstm_op import lstm_nodes
from converters.lstm_padding import padded_lstm
from models.errors import InputError
from pipeline.benchmark.runners import TfliteRunner, call

STEPS, FEATURES, UNITS = 6, 3, 5
ZERO = (2, -3)  # zero points of the input and of the hidden state


def int8_file() -> bytes:
    random = np.random.default_rng(0)
    return build(
        Int8Lstm(
            random.integers(-127, 128, (4, UNITS, FEATURES)).astype(np.int8),
            random.integers(-127, 128, (4, UNITS, UNITS)).astype(np.int8),
            random.integers(-900, 900, (4, UNITS)).astype(np.int32),
            (0.01,) * 4, (0.01,) * 4,
            input=(1 / 32, ZERO[0]), state=(1 / 120, ZERO[1]), hidden=(1 / 120, ZERO[1]),
            output=(1 / 120, ZERO[1]), steps=STEPS,
        )
    )  # fmt: skip


def hidden(model: schema.ModelT, x: np.ndarray) -> np.ndarray:
    (found,) = call(TfliteRunner(schema.write_model(model), [x], 1))
    return found


@pytest.mark.parametrize(("features", "units"), [(8, UNITS), (FEATURES, 8), (8, 8), (FEATURES, UNITS)])
def test_int8_is_equal_to_the_last_bit(features: int, units: int) -> None:
    model = schema.read_model(int8_file())
    x = np.random.default_rng(1).integers(-128, 128, (1, STEPS, features)).astype(np.int8)
    padded = hidden(padded_lstm(model, 0, features, units), x)  # what further features hold does not matter
    assert padded.shape == (1, STEPS, units)
    np.testing.assert_array_equal(padded[..., :UNITS], hidden(model, x[..., :FEATURES]))
    assert (padded[..., UNITS:] == ZERO[1]).all()


def test_float_too() -> None:
    """The same sums with zeros among them, in another order: T x 2^-18, see `parity.tolerances`."""
    model = schema.read_model(random_lstm(FEATURES, UNITS, STEPS))
    x = np.random.default_rng(1).normal(size=(1, STEPS, 8)).astype(np.float32)
    padded = hidden(padded_lstm(model, 0, 8, 8), x)
    np.testing.assert_allclose(padded[..., :UNITS], hidden(model, x[..., :FEATURES]), atol=STEPS * 2.0**-18)
    assert not padded[..., UNITS:].any()


def test_the_model_given_is_not_changed() -> None:
    model = schema.read_model(int8_file())
    before = schema.write_model(model)
    padded_lstm(model, 0, 8, 8)
    assert schema.write_model(model) == before


def test_zeros_stand_at_the_end_of_the_weights() -> None:
    model = schema.read_model(int8_file())
    padded = padded_lstm(model, 0, 8, UNITS)
    (node,), (old,) = lstm_nodes(padded), lstm_nodes(model)
    for gate, tensor in node.input_weights.items():
        values = schema.constant(padded, tensor)
        np.testing.assert_array_equal(values[:, :FEATURES], schema.constant(model, old.input_weights[gate]))
        assert not values[:, FEATURES:].any()


def test_what_is_refused() -> None:
    model = schema.read_model(int8_file())
    with pytest.raises(InputError, match="3 features and 5 units, more than 2 and 5"):
        padded_lstm(model, 0, 2, 5)
    with pytest.raises(InputError, match="is SUM, no fused LSTM"):
        padded_lstm(schema.read_model(hand_made()), 0, 8, 8)
    shapes = ((4, 2, 3), (4, 2, 2), (4, 2))
    peephole = build_float(*map(np.zeros, shapes), 4, peephole=True)
    with pytest.raises(InputError, match="CELL_TO_INPUT_WEIGHTS"):
        padded_lstm(schema.read_model(peephole), 0, 8, 8)
