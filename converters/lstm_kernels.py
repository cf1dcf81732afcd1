"""Where the integer LSTM kernels of two runtimes differ, rule by rule.

``lite`` is the interpreter of LiteRT and TensorFlow Lite (tflite/kernels/lstm_eval.cc,
unidirectional_sequence_lstm.cc and internal/reference/portable_tensor_utils.cc, LiteRT 2.3).
``micro`` is the reference kernel of TensorFlow Lite for Microcontrollers
(tensorflow/lite/micro/kernels/lstm_eval.h and lstm_eval_common.cc, with the 16-bit
logistic.h and tanh.h of lite/kernels/internal/reference/integer_ops; 2026-08). Vendors'
replacements of it (CMSIS-NN, Xtensa) are not described here.
"""

from __future__ import annotations

import functools
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

import models.quantization.fixed_point as fixed_point
from converters.lstm_op import LstmNode
from converters.schema import TensorT
from models.quantization.fixed_point import IntArray
from models.quantization.number_formats import CELL_EXPONENTS, GATE_FRACTION_BITS, INT16_MAX, INT16_MIN

Flags = NDArray[np.bool_]
Table = NDArray[np.int32]
"""A function of an int16: entry [a + 32768]."""


def saturate16(x: IntArray) -> tuple[IntArray, Flags]:
    """x within int16, and where it had to be cut."""
    cut = np.clip(x, INT16_MIN, INT16_MAX)
    return cut, cut != x


class Kernel(Protocol):
    """The rules of one runtime. Integers as in ``fixed_point``; arrays [..., units]."""

    name: str
    cell_exponents: range
    """log2 of the cell scales for which the kernel is defined."""

    def written(self, node: LstmNode) -> TensorT | None:
        """The tensor whose scale and zero point the hidden value is written in."""

    def hidden_factor(self, scale: float) -> float:
        """What takes ``o * tanh(c)``, Q0.30, to the hidden value's scale."""

    def cell_clip(self, clip: float, scale: float) -> int:
        """The bound on |c| as an integer; 0 means none."""

    def gate_inputs(self, from_input: IntArray, from_hidden: IntArray) -> tuple[IntArray, Flags]:
        """Both parts of the gate inputs joined, Q3.12, and where int16 was too narrow."""

    def gate_tables(self) -> tuple[Table, Table]:
        """Logistic and tanh of a gate input: Q3.12 -> Q0.15."""

    def cell_tanh(self, exponent: int) -> Table:
        """tanh of a cell state of scale 2^exponent: -> Q0.15."""

    def cell(self, f: IntArray, c: IntArray, i: IntArray, g: IntArray, exponent: int) -> IntArray:
        """``f * c + i * g`` at scale 2^exponent, before it saturates."""


class LiteKernel:
    """LiteRT and TensorFlow Lite: gemmlowp's logistic and tanh, double rounding, rounding shifts."""

    name = "lite"
    cell_exponents = CELL_EXPONENTS

    def written(self, node: LstmNode) -> TensorT | None:
        return node.effective_hidden_scale_intermediate

    def hidden_factor(self, scale: float) -> float:
        return float(np.float32(2.0**-30 / scale))

    def cell_clip(self, clip: float, scale: float) -> int:
        return int(np.minimum(np.float32(clip) / np.float32(scale), np.float32(INT16_MAX)))

    def gate_inputs(self, from_input: IntArray, from_hidden: IntArray) -> tuple[IntArray, Flags]:
        return saturate16(fixed_point.wrap32(from_hidden + from_input))

    def gate_tables(self) -> tuple[Table, Table]:
        return fixed_point.logistic_table(), self.cell_tanh(-GATE_FRACTION_BITS)

    def cell_tanh(self, exponent: int) -> Table:
        table: Table = fixed_point.tanh_tables()[15 + exponent]
        return table

    def cell(self, f: IntArray, c: IntArray, i: IntArray, g: IntArray, exponent: int) -> IntArray:
        kept = fixed_point.rounding_divide_by_pot(f * c, 15)
        return kept + fixed_point.rounding_divide_by_pot(i * g, 30 + exponent)


class MicroKernel:
    """TFLite Micro: interpolated tables, multipliers everywhere, h in the state's own scale.

    Proven on x86-64 against tflite-micro 0.dev20261023182759, whose test is skipped where that package is
    not installed; unproven on a microcontroller (docs/integer-lstm.md, Proof).
    """

    name = "micro"
    cell_exponents = range(-17, -4)
    """What has been compared with the runtime; it sets no bound itself."""

    def written(self, node: LstmNode) -> TensorT | None:
        return node.hidden_state

    def hidden_factor(self, scale: float) -> float:
        return 2.0**-30 / scale

    def cell_clip(self, clip: float, scale: float) -> int:
        return int(min(clip / scale, INT16_MAX))

    def gate_inputs(self, from_input: IntArray, from_hidden: IntArray) -> tuple[IntArray, Flags]:
        from_hidden, part_saturated = saturate16(from_hidden)
        joined, saturated = saturate16(from_hidden + from_input)
        return joined, saturated | part_saturated

    def gate_tables(self) -> tuple[Table, Table]:
        return _micro_logistic_table(), self.cell_tanh(-GATE_FRACTION_BITS)

    def cell_tanh(self, exponent: int) -> Table:
        return _micro_tanh_table(exponent)

    def cell(self, f: IntArray, c: IntArray, i: IntArray, g: IntArray, exponent: int) -> IntArray:
        by_forget, by_input = (fixed_point.quantize_multiplier(2.0**power) for power in (-15, -30 - exponent))
        kept, _ = saturate16(fixed_point.multiply_by_quantized_multiplier(f * c, *by_forget))
        new, _ = saturate16(fixed_point.multiply_by_quantized_multiplier(i * g, *by_input))
        return kept + new


KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in (LiteKernel(), MicroKernel())}


@functools.cache
def _sigmoid_knots() -> IntArray:
    """sigmoid(k / 24) for k = 0 ... 255 in Q0.16: the knots between which TFLite interpolates.

    Each knot is raised by half of the largest distance between the curve and its chord there,
    |sigmoid''| / (8 * 24^2), so that the polygon errs equally to both sides; the last is all ones.
    """
    sigmoid = 1 / (1 + np.exp(-np.arange(256) / 24))
    bend = sigmoid * (1 - sigmoid) * (2 * sigmoid - 1)
    knots = np.rint(2**16 * (sigmoid + bend / (16 * 24**2))).astype(np.int64)
    knots[-1] = 0xFFFF
    return knots


def _interpolate(position: IntArray, fraction_bits: int, beyond: int) -> IntArray:
    """The knots' polygon at ``position``, whose low bits lie between two knots; ``beyond`` the last one."""
    knots = _sigmoid_knots()
    index = np.minimum(position >> fraction_bits, 254)
    between = position & ((1 << fraction_bits) - 1)
    value = (knots[index] << fraction_bits) + between * (knots[index + 1] - knots[index])
    return np.where(position >> fraction_bits >= 255, beyond, value)


@functools.cache
def _micro_logistic_table() -> Table:
    """The 16-bit logistic of lite/kernels/internal/reference/integer_ops/logistic.h: Q3.12 -> Q0.15."""
    a = 3 * np.arange(INT16_MIN, INT16_MAX + 1)  # 3/4 of a knot's distance is 2^7 steps of Q3.12
    value = _interpolate(np.abs(a), 9, beyond=INT16_MAX << 10)  # Q0.25
    return (np.where(a >= 0, value + (1 << 9), (1 << 25) - value + (1 << 9) - 1) >> 10).astype(np.int32)


@functools.cache
def _micro_tanh_table(exponent: int) -> Table:
    """The 16-bit tanh of integer_ops/tanh.h, 2 sigmoid(2a) - 1, of values of scale 2^exponent: -> Q0.15."""
    shift = exponent + 12
    a = 3 * np.arange(INT16_MIN, INT16_MAX + 1)
    a = a << shift if shift >= 0 else (a + (1 << (-shift - 1))) >> -shift  # rounds halves up
    value = _interpolate(np.abs(a), 8, beyond=0xFFFF << 8)  # Q0.24
    half = 1 << 23
    return (np.where(a >= 0, value - half + (1 << 7), half - value + (1 << 7) - 1) >> 8).astype(np.int32)
