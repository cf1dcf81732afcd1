"""Which float LSTM belongs to an int8 one."""

from dataclasses import replace

import numpy as np
import pytest

from converters import schema
from converters.microscope import reference
from converters.microscope.simulation import FloatWeights, Input, SwitchableLstm
from models.errors import InputError

Small = tuple[SwitchableLstm, Input]


def weights(small: Small) -> FloatWeights:
    found = small[0].weights
    assert found is not None
    return found


def test_the_nearest_weights_of_the_same_shape_are_taken(small: Small) -> None:
    right = weights(small)
    other = FloatWeights(right.input * 1.3, right.recurrent * 1.3, right.bias)
    wider = FloatWeights(np.ones((20, 9)), right.recurrent, right.bias)
    candidates = [wider, other, right]
    assert reference.match(small[0], candidates, set(), "f") == 2
    assert reference.match(small[0], candidates, {2}, "f") == 1


def test_unrelated_weights_are_refused(small: Small) -> None:
    right, random = weights(small), np.random.default_rng(1)
    other = FloatWeights(random.permutation(right.input), random.permutation(right.recurrent), right.bias)
    with pytest.raises(InputError, match=r"weights of f differ .+ not the float version"):
        reference.match(small[0], [other], set(), "f")


def test_no_lstm_of_the_shape_is_refused(small: Small) -> None:
    with pytest.raises(InputError, match="no LSTM of 5 units and 3 features left"):
        reference.match(small[0], [weights(small)], {0}, "f")


def test_weights_that_were_only_rounded_have_not_moved(small: Small) -> None:
    found = reference.moved(small[0], weights(small))
    assert found.beyond_rounding == 0
    assert 0.15 < found.median_steps < 0.35


def test_weights_that_moved_are_seen(small: Small) -> None:
    """One of the 15 + 25 weights of each gate, all of one unit, by three steps."""
    right, scales = weights(small), np.repeat(small[0].input_weight_scales, 5)
    moved = right.input.copy()
    moved[0] += 3 * scales[0]
    found = reference.moved(small[0], FloatWeights(moved, right.recurrent, right.bias))
    assert found.beyond_rounding == 3 / 160


def test_dequantized_is_within_half_a_step(small: Small) -> None:
    own, right = reference.dequantized(small[0]), weights(small)
    assert np.abs(own.input - right.input).max() <= 0.5001 * max(small[0].input_weight_scales)
    np.testing.assert_array_equal(own.bias, np.zeros(20))


def test_the_weights_of_a_float_file(tiny: dict[str, bytes]) -> None:
    (found,) = reference.float_lstms(schema.read_model(tiny["float"]), "f")
    assert (found.input.shape, found.recurrent.shape, found.bias.shape) == ((16, 3), (16, 4), (16,))
    np.testing.assert_array_equal(found.bias[4:8], 1)  # Keras's unit forget bias


@pytest.mark.parametrize(
    ("name", "what"), [("int8", "LSTMs of kind int8 8x8_16"), ("use_bias", "no fused LSTM")]
)
def test_a_file_that_is_no_reference(tiny: dict[str, bytes], name: str, what: str) -> None:
    with pytest.raises(InputError, match=rf"f has {what}; a reference is a float32 file"):
        reference.float_lstms(schema.read_model(tiny[name]), "f")


def test_weights_that_are_not_finite(tiny: dict[str, bytes]) -> None:
    model = schema.read_model(tiny["float"])
    tensor = schema_lstm_weights(model)
    data = np.frombuffer(bytes(model.buffers[tensor.buffer].data), "<f4").copy()
    data[0] = np.nan
    model.buffers[tensor.buffer].data = np.frombuffer(data.tobytes(), np.uint8)
    with pytest.raises(InputError, match="f has weights that are not finite"):
        reference.float_lstms(model, "f")


def schema_lstm_weights(model: schema.ModelT) -> schema.TensorT:
    from converters.lstm_op import lstm_nodes

    return lstm_nodes(model)[0].input_weights["input"]


def test_a_distance_of_nothing(small: Small) -> None:
    """All weights zero: an LSTM that rounds to zero matches one that is zero."""
    lstm, right = small[0], weights(small)
    zero = FloatWeights(right.input * 0, right.recurrent * 0, right.bias)
    product = replace(lstm.integer.from_input, weights=lstm.integer.from_input.weights * 0)
    hidden = replace(lstm.integer.from_hidden, weights=lstm.integer.from_hidden.weights * 0)
    none = replace(lstm, integer=replace(lstm.integer, from_input=product, from_hidden=hidden))
    assert reference.match(none, [zero], set(), "f") == 0
