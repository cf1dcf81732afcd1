"""The float LSTM that a fused op stands for."""

from collections.abc import Callable

import numpy as np
import pytest
from int8_lstm_file import Int8Lstm, build

from converters import schema
from converters.findings import float_lstm
from converters.lstm_op import LstmInput, lstm_nodes

ONE = np.ones((4, 1, 1), np.int8)


def lstm(**options: object) -> bytes:
    """One unit, one feature; weights 1 (q 1, scale 1), gate biases 0, 1, 2, 3."""
    bias = np.arange(4, dtype=np.int32).reshape(4, 1) * 4  # scale of x, 1/4, times that of W, 1
    weights = {"input_weight_scales": (1.0,) * 4, "recurrent_weight_scales": (1.0,) * 4}
    return build(Int8Lstm(ONE, ONE, bias, **weights, input=(1 / 4, 0), steps=2, **options))  # type: ignore[arg-type]


def run(model: schema.ModelT, x: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    return float_lstm.run(model, lstm_nodes(model)[0], x)


def test_two_steps_by_hand() -> None:
    found = run(schema.read_model(lstm()), np.array([[[0.5], [-1.0]]]))
    assert found is not None

    def sigmoid(a: float) -> float:
        return float(1 / (1 + np.exp(-a)))

    c1 = sigmoid(0.5) * np.tanh(2.5)  # i, f, g, o have the biases 0, 1, 2, 3
    h1 = sigmoid(3.5) * np.tanh(c1)
    c2 = sigmoid(h1) * c1 + sigmoid(-1 + h1) * np.tanh(1 + h1)
    h2 = sigmoid(2 + h1) * np.tanh(c2)
    hidden, cell = found
    np.testing.assert_allclose(hidden, [[[h1], [h2]]], rtol=1e-12)
    np.testing.assert_allclose(cell, [[[c1], [c2]]], rtol=1e-12)


def test_far_out_values_saturate_without_a_warning() -> None:
    found = run(schema.read_model(lstm()), np.full((1, 2, 1), -1e4))
    assert found is not None
    np.testing.assert_array_equal(found[0], 0)


def test_what_the_interpreter_computes(tiny: dict[str, bytes]) -> None:
    """The float file's LSTM, to float32 rounding."""
    from converters.findings import experiment

    (measured,) = experiment.run(tiny["float"]).lstms
    assert measured.error is not None
    assert measured.error < 1e-6


def set_input(model: schema.ModelT, place: LstmInput, tensor: int) -> None:
    operator = lstm_nodes(model)[0].operator
    operator.inputs = np.array(operator.inputs)  # what was read is read-only
    operator.inputs[place] = tensor


def drop_gate(model: schema.ModelT) -> None:
    set_input(model, LstmInput.INPUT_TO_INPUT_WEIGHTS, -1)


def cut_data(model: schema.ModelT) -> None:
    tensor = lstm_nodes(model)[0].biases["cell"]
    model.buffers[tensor.buffer].data = model.buffers[tensor.buffer].data[:-1]


def other_activation(model: schema.ModelT) -> None:
    lstm_nodes(model)[0].operator.builtinOptions.fusedActivationFunction = 1


def peephole(model: schema.ModelT) -> None:
    bias = lstm_nodes(model)[0].operator.inputs[LstmInput.INPUT_GATE_BIAS]
    set_input(model, LstmInput.CELL_TO_INPUT_WEIGHTS, bias)


def no_scale(model: schema.ModelT) -> None:
    lstm_nodes(model)[0].input_weights["cell"].quantization = None


def other_units(model: schema.ModelT) -> None:
    for tensor in lstm_nodes(model)[0].recurrent_weights.values():
        tensor.shape = np.array([1, 1, 1], np.int32)


@pytest.mark.parametrize(
    "edit", [drop_gate, cut_data, other_activation, peephole, no_scale, other_units], ids=lambda e: e.__name__
)
def test_what_is_not_an_lstm_of_keras_is_left_alone(edit: Callable[[schema.ModelT], None]) -> None:
    model = schema.read_model(lstm())
    edit(model)
    assert run(model, np.zeros((1, 2, 1))) is None


def test_an_input_of_another_width_is_left_alone() -> None:
    assert run(schema.read_model(lstm()), np.zeros((1, 2, 3))) is None
