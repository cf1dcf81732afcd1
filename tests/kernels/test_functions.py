"""What is inside the op, through the library's doors for tests: all inputs of all functions."""

import ctypes

import numpy as np
import pytest
from kernel_cases import fuselage_kernels

from models.quantization import fixed_point

PATHS = fuselage_kernels.runnable_paths()
_library = ctypes.CDLL(str(fuselage_kernels.library.LIBRARY))
_library.fuselage_kernels_test_scale.argtypes = [
    ctypes.c_char_p, ctypes.c_double, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32,
]  # fmt: skip


def activate(path: str, bits: int, a: np.ndarray) -> np.ndarray:
    result = np.zeros_like(a)
    known = _library.fuselage_kernels_test_activate(
        path.encode(), bits, a.ctypes.data_as(ctypes.c_void_p), result.ctypes.data_as(ctypes.c_void_p), a.size
    )
    assert known
    return result


def scale(path: str, real: float, x: np.ndarray) -> np.ndarray:
    result = np.zeros(x.size, np.int16)
    arrays = x.ctypes.data, result.ctypes.data
    assert _library.fuselage_kernels_test_scale(path.encode(), real, *arrays, x.size)
    return result


EVERY = np.arange(-32768, 32768).astype(np.int16)


@pytest.mark.parametrize("path", PATHS)
def test_logistic_of_every_input(path: str) -> None:
    assert np.array_equal(activate(path, -1, EVERY), fixed_point.logistic_table())


@pytest.mark.parametrize("bits", fixed_point.CELL_INTEGER_BITS)
@pytest.mark.parametrize("path", PATHS)
def test_tanh_of_every_input_of_every_format(path: str, bits: int) -> None:
    assert np.array_equal(activate(path, bits, EVERY), fixed_point.tanh_tables()[bits])


@pytest.mark.parametrize("path", PATHS)
def test_a_hand_computed_scaling(path: str) -> None:
    """Two roundings: 5 * 0.09375 = 0.47 gives 1, 5 * 0.25 gives 2; a factor of 1 changes nothing."""
    assert scale(path, 0.09375, np.array([5, -5, 0], np.int32)).tolist() == [1, -1, 0]
    assert scale(path, 1.0, np.array([-7, 0, 40_000], np.int32)).tolist() == [-7, 0, 32767]
    assert scale(path, 0.25, np.array([2, -2, 6, -6, 5], np.int32)).tolist() == [1, -1, 2, -2, 2]
    assert scale(path, 0.5, np.array([1, -1, 3, -3], np.int32)).tolist() == [1, 0, 2, -1]  # halves up


@pytest.mark.parametrize("path", PATHS)
def test_scaling_by_every_shift(path: str) -> None:
    """Factors from 2^-33, which is none, to 2^30; a shift by 0 has to be the identity."""
    random = np.random.default_rng(1)
    x = np.concatenate([
        random.integers(-(2**30) + 1, 2**30, 3000),
        random.integers(-3000, 3000, 3000),
        [0, 1, -1, 2**30 - 1, 1 - 2**30],
    ]).astype(np.int32)  # fmt: skip
    for exponent in range(-33, 31):
        for mantissa in (0.5, 0.75, random.uniform(0.5, 1), 1 - 2.0**-33, 0.5 + 2.0**-32):
            real = mantissa * 2.0**exponent
            expected = fixed_point.multiply_by_quantized_multiplier(x, *fixed_point.quantize_multiplier(real))
            assert np.array_equal(scale(path, real, x), np.clip(expected, -32768, 32767)), real
