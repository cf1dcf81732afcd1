import numpy as np
import pytest

from converters import schema
from converters.lstm_op import LstmInput, LstmIntermediate, lstm_nodes
from models.errors import InputError


def test_the_op_has_24_inputs_and_5_intermediates() -> None:
    assert list(LstmInput) == list(range(24))
    assert list(LstmIntermediate) == list(range(5))


def test_tensors_by_name(tiny: dict[str, bytes]) -> None:
    (node,) = lstm_nodes(schema.read_model(tiny["int8"]))
    assert node.kind == "int8 8x8_16"
    assert node.cell_clip == 10
    assert list(node.input_weights) == ["input", "forget", "cell", "output"]
    assert [schema.shape(tensor) for tensor in node.input_weights.values()] == [(4, 3)] * 4
    assert [schema.shape(tensor) for tensor in node.recurrent_weights.values()] == [(4, 4)] * 4
    assert [schema.tensor_type_name(tensor) for tensor in node.biases.values()] == ["int32"] * 4
    assert schema.shape(node.input) == (1, 6, 3)
    assert schema.shape(node.output) == (1, 6, 4)
    assert schema.tensor_type_name(node.hidden_state) == "int8"
    assert schema.tensor_type_name(node.cell_state) == "int16"
    assert node.operand(LstmInput.CELL_TO_INPUT_WEIGHTS) is None
    hidden = node.effective_hidden_scale_intermediate
    assert schema.name(hidden) == "effective_hidden_scale_intermediate"


def test_bias_scales_are_input_scale_times_weight_scale(tiny: dict[str, bytes]) -> None:
    """numerics of the kernel: s_b = s_x * s_W, gate by gate; a swapped gate order would show here."""
    (node,) = lstm_nodes(schema.read_model(tiny["int8"]))
    (input_scale,), _ = schema.quantization(node.input)
    for gate, bias in node.biases.items():
        (weight_scale,), _ = schema.quantization(node.input_weights[gate])
        (bias_scale,), _ = schema.quantization(bias)
        np.testing.assert_allclose(bias_scale, input_scale * weight_scale, rtol=1e-6)


def test_a_float_model_has_no_intermediates(tiny: dict[str, bytes]) -> None:
    (node,) = lstm_nodes(schema.read_model(tiny["float"]))
    assert node.kind == "float32"
    assert node.effective_hidden_scale_intermediate is None


def test_the_forget_bias_of_keras_is_at_the_forget_gate(tiny: dict[str, bytes]) -> None:
    model = schema.read_model(tiny["float"])
    (node,) = lstm_nodes(model)
    values = {
        gate: np.frombuffer(bytes(model.buffers[bias.buffer].data), np.float32)
        for gate, bias in node.biases.items()
    }
    np.testing.assert_array_equal(values["forget"], np.ones(4))  # unit_forget_bias
    np.testing.assert_array_equal(values["cell"], np.zeros(4))


@pytest.mark.parametrize("place", [LstmInput.INPUT, LstmInput.HIDDEN_STATE, LstmInput.OUTPUT_GATE_BIAS])
def test_an_lstm_without_a_required_input_is_damaged(tiny: dict[str, bytes], place: LstmInput) -> None:
    model = schema.read_model(tiny["float"])
    operator = lstm_nodes(model)[0].operator
    operator.inputs = np.where(np.arange(24) == place, -1, operator.inputs)
    with pytest.raises(InputError, match=place.name):
        lstm_nodes(model)


def test_an_lstm_without_options_or_output_is_damaged(tiny: dict[str, bytes]) -> None:
    model = schema.read_model(tiny["float"])
    operator = lstm_nodes(model)[0].operator
    operator.builtinOptions, operator.outputs = None, np.array([], np.int32)
    with pytest.raises(InputError, match="OUTPUT, OPTIONS"):
        lstm_nodes(model)
