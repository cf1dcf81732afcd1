import numpy as np
import pytest

from converters.quantizer.formats import FLOAT, Format, from_range, int16_scale, widened
from models.quantization.number_formats import HIDDEN_RANGE, INT8_MAX, INT8_MIN, Range


def test_a_range_in_each_precision() -> None:
    """[-1, 3]: 4 / 255 and round(-128 + 255 / 4) = -64; 3 / 32767."""
    assert from_range(Range(-1.0, 3.0), "int8") == Format("int8", float(np.float32(4) / np.float32(255)), -64)
    assert from_range(Range(-1.0, 3.0), "int16") == Format("int16", float(np.float32(3) / np.float32(32767)))
    assert from_range(Range(-1.0, 3.0), "float32") == FLOAT


@pytest.mark.parametrize(
    ("value_range", "scale"),
    [
        (Range(-4.0, 3.0), float(np.float32(4) / np.float32(32767))),
        (Range(0.0, 0.0), 1.0),
        (HIDDEN_RANGE, 1 / 32768),
        (Range(-1.0, 32767 / 32768), 1 / 32768),
        (Range(-1.0, 1.0), float(np.float32(1) / np.float32(32767))),  # 1 itself has to fit
    ],
)
def test_the_scale_of_int16(value_range: Range, scale: float) -> None:
    assert int16_scale(value_range) == scale


@pytest.mark.parametrize("zero_point", [0, -128, 127, 5])
def test_widening_holds_every_int8_value(zero_point: int) -> None:
    narrow = Format("int8", 0.25, zero_point)
    wide = widened(narrow)
    real = 0.25 * (np.arange(INT8_MIN, INT8_MAX + 1) - zero_point)
    steps = real / wide.scale
    np.testing.assert_array_equal(steps, np.rint(steps))
    assert wide.zero_point == 0
    assert steps.min() >= -32768
    assert steps.max() <= 32767


def test_softmax_widens_to_its_own_int16_format() -> None:
    assert widened(Format("int8", 1 / 256, -128)) == Format("int16", 1 / 32768)
    assert widened(from_range(HIDDEN_RANGE, "int8")) == from_range(HIDDEN_RANGE, "int16")


def test_a_format_is_told() -> None:
    assert str(Format("int8", 0.5, -3)) == "int8 (scale 0.5, zero point -3)"
    assert str(FLOAT) == "float32"
