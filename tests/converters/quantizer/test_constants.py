import numpy as np
import pytest

from converters.quantizer.constants import bias, in_format, symmetric, weights
from converters.quantizer.formats import Format
from models.errors import ConversionError

W = np.array([[1.27, -0.635], [0.02, 0.01]], np.float32)


def test_weights_by_matrix() -> None:
    """Scale 1.27 / 127 = 0.01: 127, -63.5 away from zero, 2, 1."""
    made = weights(W, per_channel=False)
    np.testing.assert_allclose(made.scales, [0.01], rtol=1e-6)
    assert made.values.dtype == np.int8
    assert made.values[0, 0] == 127
    assert made.values[1].tolist() == [2, 1]
    assert made.values[0, 1] in (-63, -64)  # 63.5 up to the last bit of 0.635


def test_weights_by_output() -> None:
    made = weights(W, per_channel=True)
    np.testing.assert_allclose(made.scales, [0.01, 0.02 / 127], rtol=1e-6)
    assert made.values[1].tolist() == [127, 64]  # 63.5, away from zero
    assert made.axis == 0


def test_halves_go_away_from_zero() -> None:
    """Scale 1: 127, 2.5, -2.5, 0.5."""
    made = weights(np.array([[127.0, 2.5, -2.5, 0.5]], np.float32), per_channel=False)
    assert made.values.tolist() == [[127, 3, -3, 1]]


def test_all_zero_weights_have_scale_one() -> None:
    made = weights(np.zeros((2, 2), np.float32), per_channel=True)
    assert made.scales.tolist() == [1, 1]
    assert not made.values.any()


def test_the_product_is_with_the_reciprocal() -> None:
    """What a division rounds one way and MLIR the other; both in float32."""
    random = np.random.default_rng(0)
    values = random.normal(size=(200, 500)).astype(np.float32)
    scale = np.float32(np.abs(values).max() / 127)
    made = weights(values, per_channel=False)
    wanted = values * (np.float32(1) / made.scales[0])
    assert np.array_equal(made.values, np.sign(wanted) * np.floor(np.abs(wanted) + 0.5))
    assert scale == made.scales[0]


def test_a_bias_in_the_scale_of_the_sum() -> None:
    """0.5 / (0.1 * 0.02) = 250; beside int16 the same number in int64."""
    scales = np.array([0.02, 0.01], np.float32)
    for activations, kind in (("int8", np.int32), ("int16", np.int64)):
        made = bias(np.array([0.5, -0.25], np.float32), 0.1, scales, activations)
        assert made.values.tolist() == [250, -250]
        assert made.values.dtype == kind
        np.testing.assert_allclose(made.scales, [0.002, 0.001], rtol=1e-6)


def test_a_bias_beyond_int32_is_refused_beside_int8_alone() -> None:
    """10 / 1e-10 = 1e11."""
    tiny = np.array([1e-5], np.float32)
    with pytest.raises(ConversionError, match=r"A bias of 10 is beyond int32 at a step of 1e-10"):
        bias(np.array([10.0], np.float32), 1e-5, tiny, "int8")
    wide = bias(np.array([10.0], np.float32), 1e-5, tiny, "int16")
    np.testing.assert_allclose(wide.values, [1e11], rtol=1e-6)


def test_a_scalar_is_its_largest_integer() -> None:
    for value in (0.3, -0.3):
        made = symmetric(np.array(value, np.float32), "int8")
        assert made.values.item() == np.sign(value) * 127
    made = symmetric(np.array([0.5, -0.25], np.float32), "int16")
    assert made.values.tolist() == [32767, -16384]  # 16383.5, away from zero


def test_a_constant_in_the_format_of_an_activation() -> None:
    """2 / 0.5 + 3 = 7; what lies outside is the nearest end, so "masked" is the lowest integer."""
    number = Format("int8", 0.5, 3)
    made = in_format(np.array([2.0, -1e9, np.finfo(np.float32).min, 1e9], np.float32), number)
    assert made.values.tolist() == [7, -128, -128, 127]
    assert made.zero_point == 3
    wide = in_format(np.array([-np.inf, 1.0], np.float32), Format("int16", 0.5))
    assert wide.values.tolist() == [-32768, 2]


def test_channels_may_lie_along_another_axis() -> None:
    """Largest magnitudes 2 and 4 of two channels, the last axis."""
    values = np.array([[[1.0, -4.0], [2.0, 2.0]]], np.float32)
    made = weights(values, per_channel=True, axis=2)
    np.testing.assert_allclose(made.scales, [2 / 127, 4 / 127])
    assert made.axis == 2
    assert made.values.tolist() == [[[64, -127], [127, 64]]]
