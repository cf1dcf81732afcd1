"""Reads the integers of a fused int8 LSTM from its file, and refuses by name what is not modelled."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import models.quantization.fixed_point as fixed_point
from converters import schema
from converters.lstm_kernels import Kernel
from converters.lstm_op import GATES, LstmInput, LstmNode
from models.errors import InputError
from models.quantization.fixed_point import IntArray
from models.quantization.number_formats import GATE_FRACTION_BITS, INT8_MAX, INT8_MIN, AffineFormat

Int8 = NDArray[np.int8]
_Number = TypeVar("_Number", bound=np.generic)

_NOT_IN_KERAS = (
    *(place for place in LstmInput if LstmInput.CELL_TO_INPUT_WEIGHTS <= place < LstmInput.INPUT_GATE_BIAS),
    LstmInput.PROJECTION_WEIGHTS,
    *(place for place in LstmInput if place >= LstmInput.INPUT_LAYER_NORM),
)


@dataclass(frozen=True, eq=False)
class GateProduct:
    """One of the two matrix products behind the gate inputs, its zero point folded into the bias."""

    weights: Int8  # [4 * units, inputs], gate by gate
    bias: IntArray  # [4 * units], int32 values
    multiplier: IntArray  # [4 * units]
    shift: IntArray  # [4 * units]

    @functools.cached_property
    def _exact_weights(self) -> NDArray[np.floating[Any]]:
        """[inputs, 4 * units] in a float type in which the product with int8 values is exact."""
        # Every partial sum is an integer of at most inputs * 2^14, and float32 holds all up to 2^24.
        exact = np.float32 if self.weights.shape[1] <= 1 << 10 else np.float64
        return self.weights.T.astype(exact)

    def __call__(self, x: Int8) -> IntArray:
        """``M(W x + b)`` of [rows, inputs]: int32 values of Q3.12, [rows, 4 * units]."""
        product = x.astype(self._exact_weights.dtype) @ self._exact_weights
        accumulator = fixed_point.wrap32(product.astype(np.int64) + self.bias)
        return fixed_point.multiply_by_quantized_multiplier(accumulator, self.multiplier, self.shift)


def read_product(
    model: schema.ModelT, weights: dict[str, schema.TensorT], biases: list[IntArray], operand: AffineFormat
) -> GateProduct:
    """Stack the four gates, ``W (x - z) + b = W x + (b - z sum(W))``; multiplier of ``s_W s_x / 2^-12``."""
    matrices = [read_constant(model, weights[gate], np.int8) for gate in GATES]
    folded = [
        fixed_point.wrap32(bias - operand.zero_point * matrix.sum(axis=1, dtype=np.int64))
        for matrix, bias in zip(matrices, biases, strict=True)
    ]
    multipliers = []
    for gate in GATES:
        scale = np.float32(read_format(weights[gate], f"the weights of gate '{gate}'").scale)
        with np.errstate(over="ignore"):  # the kernel multiplies in float32; by a power of two is exact
            real = float(scale * np.float32(operand.scale)) * 2.0**GATE_FRACTION_BITS
        multipliers.append(read_multiplier(real, f"gate '{gate}'"))
    multiplier, shift = np.repeat(np.array(multipliers, np.int64), matrices[0].shape[0], axis=0).T
    return GateProduct(np.concatenate(matrices), np.concatenate(folded), multiplier, shift)


def check_is_modelled(node: LstmNode) -> None:
    """Refuse what is not modelled, by name."""
    name = schema.name(node.output)
    if node.kind != "int8 8x8_16":
        raise InputError(
            f"The LSTM '{name}' runs as {node.kind}; only the int8 kernel (8x8_16) has an integer reference.",
            "Convert it with full integer quantization.",
        )
    extra = [place.name for place in _NOT_IN_KERAS if node.operand(place) is not None]
    if extra:
        raise InputError(f"The LSTM '{name}' has {', '.join(extra)}, which the integer reference leaves out.")
    for what, tensors in (
        ("input weights", node.input_weights),
        ("recurrent weights", node.recurrent_weights),
        ("bias", node.biases),
    ):
        missing = [gate for gate in GATES if gate not in tensors]
        if missing:
            raise InputError(f"The LSTM '{name}' has no {what} for the gate(s) {', '.join(missing)}.")
    units, features = (*schema.shape(node.input_weights["output"]), 0, 0)[:2]
    shapes = (
        *((tensor, (units, features)) for tensor in node.input_weights.values()),
        *((tensor, (units, units)) for tensor in node.recurrent_weights.values()),
        *((tensor, (units,)) for tensor in node.biases.values()),
    )
    for tensor, expected in shapes:
        if schema.shape(tensor) != expected:
            raise InputError(
                f"The LSTM '{name}' is damaged: '{schema.name(tensor)}' has shape {schema.shape(tensor)}, "
                f"expected {expected}."
            )


def read_format(tensor: schema.TensorT | None, what: str) -> AffineFormat:
    """Scale and zero point of a tensor that must have one of each."""
    scale, zero_point = (None if tensor is None else schema.scale_and_zero_point(tensor)) or (0.0, 0)
    if not (0 < scale < math.inf and INT8_MIN <= zero_point <= INT8_MAX):
        raise InputError(f"The LSTM is damaged: {what} has no positive scale with a zero point.")
    return AffineFormat(scale, zero_point)


def read_multiplier(real: float, what: str) -> tuple[int, int]:
    """Multiplier and shift of the factor between two scales; the kernel shifts left by at most 30 bits."""
    if not real < 2.0**30:
        raise InputError(f"The LSTM is damaged: the scales of {what} ask for a factor of {real:.3g}.")
    return fixed_point.quantize_multiplier(real)


def read_cell_exponent(scale: float, kernel: Kernel) -> int:
    """log2 of the cell scale, which is a power of two up to 1e-3 in the logarithm (CheckedLog2)."""
    exponent = round(math.log2(scale))
    if abs(math.log2(scale) - exponent) >= 1e-3:
        raise InputError(
            f"The cell state's scale {scale:.6g} is no power of two; LiteRT 2.3 then silently writes zeros."
        )
    allowed = kernel.cell_exponents
    if exponent not in allowed:
        raise InputError(
            f"The cell state's scale is 2^{exponent}. The kernel '{kernel.name}' is defined from "
            f"2^{allowed[0]} to 2^{allowed[-1]}. Outside, LiteRT leaves tanh(c) out and says nothing.",
            "Convert the model again with a cell range of at most 64.",
        )
    return exponent


def read_constant(model: schema.ModelT, tensor: schema.TensorT, dtype: type[_Number]) -> NDArray[_Number]:
    """The values of a constant tensor."""
    data = model.buffers[tensor.buffer].data
    content = b"" if data is None else bytes(data)
    if len(content) != schema.elements(tensor) * np.dtype(dtype).itemsize:
        raise InputError(f"The LSTM is damaged: '{schema.name(tensor)}' has {len(content)} bytes of data.")
    return np.frombuffer(content, np.dtype(dtype).newbyteorder("<")).reshape(schema.shape(tensor))
