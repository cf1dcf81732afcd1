"""Seeded inputs, and their way into an input tensor."""

import numpy as np
import pytest
from hand_made import hand_made

from converters import schema
from converters.findings import samples
from models.errors import InputError


def input_of(model: schema.ModelT) -> schema.TensorT:
    return model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]]


def test_they_are_seeded_and_fill_the_range_of_the_input(tiny: dict[str, bytes]) -> None:
    model = schema.read_model(tiny["int8"])
    (values,) = samples.seeded(model)
    (again,) = samples.seeded(schema.read_model(tiny["int8"]))
    np.testing.assert_array_equal(values, again)
    assert values.shape == (samples.COUNT, 1, 6, 3)
    quantized = model.subgraphs[0].tensors[
        next(schema.operators(model, model.subgraphs[0], "QUANTIZE")).outputs[0]
    ]
    scale, zero_point = schema.scale_and_zero_point(quantized) or (0.0, 0)
    low, high = scale * (-128 - zero_point), scale * (127 - zero_point)
    assert low <= values.min() < values.max() <= high
    assert np.std(values) == pytest.approx((high - low) / 8, rel=0.15)


def test_an_int8_input_gets_the_same_numbers(tiny: dict[str, bytes]) -> None:
    """But for the float32 rounding of the range."""
    (through_float,) = samples.seeded(schema.read_model(tiny["int8"]))
    (direct,) = samples.seeded(schema.read_model(tiny["int8_io"]))
    np.testing.assert_allclose(direct, through_float, atol=1e-6)


def test_every_second_sequence_holds_its_values(tiny: dict[str, bytes]) -> None:
    (values,) = samples.seeded(schema.read_model(tiny["float"]))
    assert (np.diff(values[1::2], axis=2) == 0).all()
    assert (np.diff(values[0::2], axis=2) != 0).all()


@pytest.mark.parametrize(("kind", "dtype"), [(2, np.int32), (4, np.int64), (6, np.bool_)])
def test_an_index_is_zero(tiny: dict[str, bytes], kind: int, dtype: type) -> None:
    model = schema.read_model(tiny["float"])
    input_of(model).type = kind
    (values,) = samples.seeded(model)
    assert values.dtype == dtype
    assert not values.any()


def test_lengths_are_whole_numbers_up_to_all_steps() -> None:
    """0 is not allowed: the step before the first does not exist."""
    _, lengths = samples.seeded(schema.read_model(hand_made(lengths=True)))
    assert (lengths.shape, lengths.dtype) == ((samples.COUNT, 1), np.int32)
    assert (lengths.min(), lengths.max()) == (1, 5)


@pytest.mark.parametrize(("kind", "shape"), [(5, [1, 6, 3]), (0, [1, -6, 3]), (0, [1, 6, 10**8])])
def test_what_cannot_be_drawn_is_refused(tiny: dict[str, bytes], kind: int, shape: list[int]) -> None:
    model = schema.read_model(tiny["float"])
    input_of(model).type, input_of(model).shape = kind, np.array(shape, np.int32)
    with pytest.raises(InputError, match="Its input 'serving_default_features:0'"):
        samples.seeded(model)


def test_stored_and_back() -> None:
    tensor = schema.TensorT()
    tensor.type, tensor.quantization = 9, schema.QuantizationParametersT()  # INT8
    tensor.quantization.scale, tensor.quantization.zeroPoint = np.float32([0.5]), np.int64([3])
    stored = samples.stored(tensor, np.array([-1000.0, -0.5, 0.0, 0.2, 1000.0]))
    assert stored.dtype == np.int8
    assert stored.tolist() == [-128, 2, 3, 3, 127]
    assert samples.real(tensor, stored).tolist() == [-65.5, -0.5, 0.0, 0.0, 62.0]
    tensor.quantization = None
    with pytest.raises(InputError, match="without one scale"):
        samples.stored(tensor, np.zeros(1))
