"""The int16 operations, by hand and against LiteRT's kernels."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from int16_kernels import Int16Model

from models.quantization.fake_quant import fake_quantize_bias, fake_quantize_weight, weight_scale
from models.quantization.int16_ops import (
    add_int16,
    batch_matmul_int16,
    fully_connected_int16,
    integers,
    narrow_to_int8,
    sigmoid_table,
    tanh_int16,
)

ZERO = tf.zeros([4])  # where only the forward is looked at


def numbers(x: Any, scale: float) -> list[int]:
    return [int(one) for one in np.rint(np.asarray(x, np.float64) / scale)]


# --- By hand ---------------------------------------------------------------------------------------


def test_batch_matmul_rounds_halves_up() -> None:
    """By 1/4, which is exact in 16 bits: 1.5, 2.5, -1.5, -2.5."""
    sums, quarter = tf.constant([6.0, 10.0, -6.0, -10.0], tf.float64), tf.constant(0.25, tf.float64)
    assert numbers(batch_matmul_int16(ZERO, sums, quarter, tf.constant(2.0)), 2.0) == [2, 3, -1, -2]


def test_batch_matmul_multiplies_by_16_bits() -> None:
    """1/3 becomes 21845 / 65536, too small by 1/65536 of it: 98304 / 3 comes out half a step lower."""
    sums, third = tf.constant([98304.0, 98300.0, 30000.0, -3.0], tf.float64), tf.constant(1 / 3, tf.float64)
    # 32767.5, 32766.17, 9999.85, -0.99998
    assert numbers(batch_matmul_int16(ZERO, sums, third, tf.constant(1.0)), 1.0) == [32767, 32766, 10000, -1]


def test_a_factor_next_to_1_keeps_to_15_bits() -> None:
    """1 - 2^-17 would round to 2^15 / 2^15; it becomes 32767 / 32768, and 30000 loses 0.92."""
    sums, factor = tf.constant([30000.0, 16384.0, 16385.0, 1.0], tf.float64), 1 - 2.0**-17
    y = batch_matmul_int16(ZERO, sums, tf.constant(factor, tf.float64), tf.constant(1.0))
    assert numbers(y, 1.0) == [29999, 16384, 16384, 1]  # the second is 16383.5


def test_fully_connected_rounds_once() -> None:
    """96 / 192 lies 2^-32 below 1/2, because the multiplier is cut to 31 bits.

    A rounding to 2^-7 before, as in the LSTM, would make it a half, and 1. -96 / 192 lies just above -1/2.
    """
    sums, factor = tf.constant([96.0, 97.0, -96.0, -97.0], tf.float64), tf.constant(1 / 192, tf.float64)
    assert numbers(fully_connected_int16(ZERO, sums, factor, tf.constant(1.0)), 1.0) == [0, 1, 0, -1]


def test_fully_connected_has_a_factor_for_each_channel() -> None:
    """One above 1, too. Halves go up: 2.5, -1.75, -3.5."""
    sums = tf.constant([[10.0, 10.0, 10.0], [-7.0, -7.0, -7.0]], tf.float64)
    factors = tf.constant([0.25, 0.5, 3.0], tf.float64)
    y = fully_connected_int16(tf.zeros([2, 3]), sums, factors, tf.constant(1.0))
    assert y.numpy().tolist() == [[3.0, 5.0, 30.0], [-2.0, -3.0, -21.0]]


def test_add_by_hand() -> None:
    """0.5 * 3 + 0.25 * 5 = 2.75, in steps of 0.5 5.5: halves away from zero, 6; and -6."""
    half, quarter = tf.constant(0.5), tf.constant(0.25)
    y = add_int16(tf.constant([1.5, -1.5]), half, tf.constant([1.25, -1.25]), quarter, half)
    assert y.numpy().tolist() == [3.0, -3.0]


def test_what_passes_int16_saturates_and_passes_no_gradient() -> None:
    a, scale = tf.constant([32767.0, 5.0, -32768.0]), tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch(a)
        y = add_int16(a, scale, a, scale, scale)
    assert y.numpy().tolist() == [32767.0, 10.0, -32768.0]
    assert tape.gradient(y, a).numpy().tolist() == [0.0, 2.0, 0.0]


def test_narrowing_rounds_twice() -> None:
    """By 256: 127 is halved to 64 (halves up), which is a half of 128 and goes away from zero; 126 to 63.

    -128 is halved to -64, a half: away from zero; -127 to -63.
    """
    q = np.array([127, 128, 126, -127, -128, 32767, -32768, 256])
    y = narrow_to_int8(tf.constant(q / 32768, tf.float32))
    assert numbers(y, 1 / 128) == [1, 1, 0, 0, -1, 127, -128, 1]


def test_the_table_of_the_sigmoid() -> None:
    """At 0 exact: the sigmoid is odd around it, and a line misses nothing. At 31/24, where it bends most,
    sigmoid = 0.78446 = 51410.2 / 65536 and a line misses 1.37: an entry 0.68 higher.
    """
    table = sigmoid_table()
    assert (len(table), table[0], table[-1]) == (256, 32768, 65535)
    assert table[31] == int(np.floor(65536 / (1 + np.exp(-31 / 24)) + 0.68 + 0.5))
    assert (np.diff(table) >= 0).all()


def test_tanh_by_hand() -> None:
    """At entries of the table, x = i / 48; a moved one is a step too far at most. 400 lies beyond it."""
    x = np.array([0, 48, -48, 96, 400, -400]) / 48
    y = tanh_int16(tf.constant(x, tf.float32), tf.constant(1 / 480, tf.float32))
    off = np.array(numbers(y, 2.0**-15)) - np.rint(np.tanh(x) * 32768)
    assert np.abs(off[:4]).max() <= 1
    assert numbers(y, 2.0**-15)[4:] == [32767, -32767]


def test_gradients_are_those_of_the_exact_operations() -> None:
    x = tf.constant([0.25, -0.5])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tanh_int16(x, tf.constant(1 / 1024))
    np.testing.assert_allclose(tape.gradient(y, x), 1 - np.tanh(x) ** 2, atol=1e-6)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = narrow_to_int8(x)
    assert tape.gradient(y, x).numpy().tolist() == [1.0, 1.0]


# --- Against the kernels ---------------------------------------------------------------------------


@pytest.mark.parametrize("span", [0.3, 1.0, 2.0, 5.0, 9.0, 20.0])
def test_tanh_is_the_kernels(span: float) -> None:
    x = tf_keras.Input((4000,))
    model = Int16Model(tf_keras.Model(x, tf.tanh(x)), [span])
    assert model.compare(lambda x, scales, _: tanh_int16(x, scales[0]), runs=5) == (20_000, 0, 0)


@pytest.mark.parametrize("spans", [(1.0, 1.0), (3.0, 0.2), (0.01, 8.0)])
def test_add_is_the_kernels(spans: tuple[float, float]) -> None:
    """Every query with every key, as additive attention adds them."""
    a, b = tf_keras.Input((20, 1, 8), name="a"), tf_keras.Input((1, 30, 8), name="b")
    model = Int16Model(tf_keras.Model([a, b], a + b), spans)

    def ours(a: Any, b: Any, scales: Any, scale: Any) -> Any:
        return add_int16(a, scales[0], b, scales[1], scale)

    assert model.compare(ours, runs=5) == (24_000, 0, 0)


@pytest.mark.parametrize("transposed", [True, False])
@pytest.mark.parametrize("spans", [(1.0, 1.0), (3.0, 0.2)])
def test_batch_matmul_is_the_kernels(spans: tuple[float, float], transposed: bool) -> None:
    """Scores, which multiply by the transposed keys, and contexts, which do not."""
    a = tf_keras.Input((40, 16), name="a")
    b = tf_keras.Input((50, 16) if transposed else (16, 50), name="b")
    model = Int16Model(tf_keras.Model([a, b], tf.matmul(a, b, transpose_b=transposed)), spans)

    def ours(a: Any, b: Any, scales: Any, scale: Any) -> Any:
        sums = tf.matmul(integers(a, scales[0]), integers(b, scales[1]), transpose_b=transposed)
        factor = np.float64(scales[0]) * np.float64(scales[1]) / np.float64(scale)
        return batch_matmul_int16(tf.zeros(sums.shape), sums, tf.constant(factor), scale)

    assert model.compare(ours, runs=8) == (16_000, 0, 0)


@pytest.mark.parametrize("has_bias", [True, False])
@pytest.mark.parametrize("size", [7, 64])
def test_fully_connected_is_the_kernels(size: int, has_bias: bool) -> None:
    x = tf_keras.Input((size,))
    dense = tf_keras.layers.Dense(400, use_bias=has_bias, bias_initializer="random_normal")
    model = Int16Model(tf_keras.Model(x, dense(x)), [1.0])

    def ours(x: Any, scales: Any, scale: Any) -> Any:
        kernel = tf.convert_to_tensor(dense.kernel)
        by_channel = weight_scale(kernel, [0])
        sums = tf.matmul(integers(x, scales[0]), integers(fake_quantize_weight(kernel, [0]), by_channel))
        if has_bias:
            bias = fake_quantize_bias(tf.convert_to_tensor(dense.bias), scales[0], by_channel[0])
            sums += integers(bias, scales[0] * by_channel[0])
        factor = tf.cast(by_channel[0], tf.float64) * np.float64(scales[0]) / np.float64(scale)
        return fully_connected_int16(tf.zeros(sums.shape), sums, factor, scale)

    assert model.compare(ours, runs=30) == (12_000, 0, 0)
