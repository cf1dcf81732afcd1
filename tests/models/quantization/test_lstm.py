"""The twin of the LSTM against the op that it stands for."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tiny_classifier import convert_float, range_table, twin, windows

from converters import schema
from converters.convert import quantize_int8
from converters.inner_tensors import all_tensors
from converters.lstm_op import GATES, LstmNode, lstm_nodes
from models.quantization import calibrate, quantize_model
from models.quantization.lstm import QuantizedLSTM
from models.quantization.number_formats import HIDDEN_RANGE, Range, cell_exponent
from models.quantization.recurrence import _quantize_weights


def lstm_alone(steps: int, features: int, units: int, gain: float) -> Any:
    """A model that is one LSTM, with weights several times the initial ones, and no bias at 0 or 1."""
    inputs = tf_keras.Input((steps, features), name="features")
    hidden = tf_keras.layers.LSTM(units, return_sequences=True, name="lstm")(inputs)
    model = tf_keras.Model(inputs, {"hidden": hidden})
    random = np.random.default_rng(units)
    weights = [gain * (one + 0.3 * random.normal(size=one.shape)) for one in model.get_weights()]
    model.set_weights(weights)
    return model


def int8_lstm(model: Any, x: Any) -> tuple[QuantizedLSTM, bytes, LstmNode]:
    """Its calibrated twin, its int8 file and the op in there."""
    quantized = quantize_model(model)
    calibrate(quantized, x, "min-max")
    content, _ = quantize_int8(convert_float(model), range_table(quantized, x[0]))
    (node,) = lstm_nodes(schema.read_model(content))
    return quantized.get_layer("lstm"), content, node


@pytest.mark.slow
@pytest.mark.parametrize(
    ("steps", "features", "units", "gain", "scale", "offset"),
    [
        pytest.param(7, 3, 5, 1.0, 1.0, 0.0, id="as initialized"),
        pytest.param(20, 9, 13, 8.0, 1.0, 2.0, id="gates and cell saturate"),
        pytest.param(6, 40, 33, 2.0, 10.0, -5.0, id="asymmetric input, coarse scale"),
        pytest.param(29, 12, 64, 3.0, 3.0, 1.0, id="full size"),
    ],
)
def test_it_equals_the_fused_op_to_the_last_bit(
    steps: int, features: int, units: int, gain: float, scale: float, offset: float
) -> None:
    x = (windows(12, units, steps, features) * scale + offset).astype(np.float32)
    layer, content, node = int8_lstm(lstm_alone(steps, features, units, gain), x)
    # A float input takes a road of its own into int8, so the twin gets what the op gets.
    runs = [all_tensors(content, window) for window in x]
    inputs = np.stack([run[node.operator.inputs[0]][1][0] for run in runs])
    outputs = np.stack([run[node.operator.outputs[0]][1][0] for run in runs])
    np.testing.assert_array_equal(layer(tf.constant(inputs)), outputs)
    np.testing.assert_array_equal(layer(tf.constant(x)), outputs)
    if gain == 8.0:
        assert np.mean(np.abs(outputs) > 0.99) > 0.02
        assert layer.ranges()["cell"].maximum >= 8


@pytest.mark.slow
def test_weights_and_bias_are_the_files_integers() -> None:
    x = windows(12, 1, 5, 4)
    layer, content, node = int8_lstm(lstm_alone(5, 4, 16, 2.0), x)
    model = schema.read_model(content)

    def stored(tensors: dict[str, Any], kind: str) -> Any:
        data = [np.frombuffer(bytes(model.buffers[tensors[gate].buffer].data), kind) for gate in GATES]
        return np.concatenate([one.reshape(schema.shape(tensors["input"])) for one in data])

    for weights, tensors in (
        (layer.kernel, node.input_weights),
        (layer.recurrent_kernel, node.recurrent_weights),
    ):
        integers, scales = _quantize_weights(weights)
        np.testing.assert_array_equal(integers.numpy().T, stored(tensors, "<i1"))
        file_scales = [schema.scale_and_zero_point(tensors[gate])[0] for gate in GATES]
        np.testing.assert_array_equal(scales[::16], np.float32(file_scales))
    input_scale, _ = schema.scale_and_zero_point(node.input)
    _, scales = _quantize_weights(layer.kernel)
    steps = layer.bias.numpy() / (np.float32(input_scale) * scales.numpy())
    np.testing.assert_array_equal(np.rint(steps), stored(node.biases, "<i4"))
    assert schema.scale_and_zero_point(node.cell_state) == (layer.ranges()["cell"].maximum / 32768, 0)


def test_the_cell_exponent_is_the_rule_of_the_number_formats() -> None:
    """In float32, where log2 takes the number after 8 for 8."""
    powers = np.float32(2.0) ** np.arange(-21, 9, dtype=np.float32)
    ends = [np.nextafter(powers, np.float32(end)) for end in (0, np.inf)]
    random = np.exp(np.random.default_rng(0).normal(size=100) * 3)
    layer = QuantizedLSTM(1)
    layer.build((None, 1, 1))
    for magnitude in np.concatenate([[0.0], powers, *ends, random]).astype(np.float32):
        layer.set_range("cell", Range(-float(magnitude), float(magnitude)))
        assert int(layer._cell_exponent()) == cell_exponent(float(magnitude)), magnitude


def test_ranges() -> None:
    layer = twin().get_layer("lstm")
    seen = windows()
    assert layer.ranges()["input"] == Range(float(seen.min()), float(seen.max()))
    assert layer.ranges()["hidden"] == HIDDEN_RANGE
    cell = layer.ranges()["cell"]
    assert cell.maximum == -cell.minimum >= layer.observed("cell").maximum > cell.maximum / 2


def test_ranges_grow_in_training_and_stand_still_in_inference() -> None:
    layer = QuantizedLSTM(2)
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 4, 3)), tf.float32)
    layer(x, training=True)
    before = layer.observed("input"), layer.observed("cell")
    layer.set_weights([20 * weight if weight.ndim == 2 else weight for weight in layer.get_weights()])
    layer(8 * x)
    assert (layer.observed("input"), layer.observed("cell")) == before
    layer(8 * x, training=True)
    assert layer.observed("input").maximum == 8 * before[0].maximum
    assert layer.observed("cell").maximum > before[1].maximum


def test_a_saturating_cell_still_tells_its_range() -> None:
    """The range starts at 1; the first batch of training passes it and the second already fits."""
    layer = QuantizedLSTM(1)
    layer.build((None, 3, 1))
    kernel, recurrent, _, *ranges = layer.get_weights()
    layer.set_weights([0 * kernel, 0 * recurrent, np.full(4, 9.0), *ranges])
    x = tf.zeros([1, 3, 1])
    layer(x, training=True)
    np.testing.assert_allclose(layer.observed("cell").maximum, 2.0, atol=2e-3)  # from 1 one more step is seen
    layer(x, training=True)
    np.testing.assert_allclose(layer.observed("cell").maximum, 3.0, atol=3e-3)
    np.testing.assert_allclose(layer(x)[0, :, 0], np.tanh([1, 2, 3]), atol=1 / 128)


def test_it_is_saved_with_its_size() -> None:
    made = tf_keras.layers.deserialize(tf_keras.layers.serialize(QuantizedLSTM(7, name="lstm")))
    assert (type(made), made.units, made.name) == (QuantizedLSTM, 7, "lstm")
    assert made.compute_output_shape((None, 5, 3)) == (None, 5, 7)
