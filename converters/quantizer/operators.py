"""What each op's kernel asks of its operands: the registry of ops on float values.

One row an op. Ops without a row on integers (indices, lengths, conditions) pass through untouched; one on
floats is an error. Kernels: `tensorflow/lite/kernels/` (TensorFlow 2.21, LiteRT 2.3); the table in
docs/quantizer.md is this registry in words, and a test keeps the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from converters import schema
from converters.lint import SAME_VALUES
from converters.lstm_op import FUSED_LSTM
from converters.quantizer.formats import Format
from converters.ranges import PRECISIONS


class Output(Enum):
    """Where the format of an op's output comes from. The op computes in that format's precision."""

    MATCHED = "matched"
    """The widest precision among the quantities that have the output's values."""
    MOVED = "moved"
    """Input 0: values are moved, not changed."""
    JOINED = "joined"
    """As MATCHED; where nothing matches, what the inputs have in common."""


class Role(Enum):
    """What a float operand has to be, in an integer op."""

    VALUE = "value"
    """An activation in the op's precision, of any scale; a constant: symmetric, scaled to its largest."""
    SAME = "same"
    """In the output's format exactly; the kernel does not rescale."""
    WEIGHTS = "weights"
    """A constant matrix, int8, one scale for each row (output channel)."""
    WEIGHTS_LAST = "weights, channels last"
    """The same with the output channels along the last axis."""
    BIAS = "bias"
    """A constant vector, int32 (int8 activations) or int64 (int16), scale = that of input 0 times that of
    the weights, which come before it."""


@dataclass(frozen=True)
class Row:
    """An op in the registry.

    Args:
        name: of the builtin op.
        output: where its output's format comes from.
        roles: of its float operands; those not named are VALUE (SAME where values are moved or joined).
        precisions: for which its kernel exists.
        fixed: the output formats that its kernel demands, by precision.
        options: changes the op's options for a precision.
        kernel: the file that says so, in `tensorflow/lite/kernels/`.
    """

    name: str
    kernel: str
    output: Output = Output.MATCHED
    roles: Mapping[int, Role] = field(default_factory=dict)
    precisions: tuple[str, ...] = PRECISIONS
    fixed: Mapping[str, Format] = field(default_factory=dict)
    options: Callable[[Any, str], None] = lambda options, precision: None

    def role(self, place: int) -> Role:
        """Of the float operand at a place."""
        default = Role.VALUE if self.output is Output.MATCHED else Role.SAME
        return self.roles.get(place, default)


def _any_int16_scale(options: Any, precision: str) -> None:
    """The converter's default is a kernel for power-of-two scales only."""
    if precision == "int16":
        options.potScaleInt16 = False


def _sums_in_int64(options: Any, precision: str) -> None:
    """Beside int16, with and without a bias: else the kernel without one sums in int32 and rounds twice."""
    if precision == "int16":
        options.quantizedBiasType = schema.tensor_type("int64")


_UNIT = {"int16": Format("int16", 1 / 32768)}
"""int16 results of SOFTMAX, TANH and LOGISTIC: Q0.15."""

_SAME_FORMAT = {
    "AVERAGE_POOL_2D": "pooling.cc",
    "BROADCAST_TO": "broadcast_to.cc",
    "MAX_POOL_2D": "pooling.cc",
    "PAD": "pad.cc",
    "REDUCE_MAX": "reduce.cc",
    "TILE": "tile.cc",
}
"""Ops of brought models whose kernels do not rescale: the output has the input's format."""

_INT8 = ("int8", "float32")

_MOVES = {
    "EXPAND_DIMS": "expand_dims.cc",
    "GATHER": "gather.cc",
    "RESHAPE": "reshape.cc",
    "REVERSE_V2": "reverse.cc",
    "SLICE": "slice.cc",
    "SQUEEZE": "squeeze.cc",
    "STRIDED_SLICE": "strided_slice.cc",
    "TRANSPOSE": "transpose.cc",
}

ROWS = (
    # The 8x8_16 kernel; its operands are converters.quantizer.lstm's business. The int16 one (16x8_16) wants
    # int16 inputs and outputs and is not what the training forward models.
    Row(FUSED_LSTM, "unidirectional_sequence_lstm.cc", precisions=("int8", "float32")),
    Row(
        "FULLY_CONNECTED",
        "fully_connected.cc",
        roles={1: Role.WEIGHTS, 2: Role.BIAS},
        options=_sums_in_int64,
    ),
    Row("BATCH_MATMUL", "batch_matmul.cc"),
    Row("ADD", "add.cc", options=_any_int16_scale),
    Row("MUL", "mul.cc"),
    Row("MEAN", "reduce.cc"),
    Row("SOFTMAX", "activations.cc", fixed={"int8": Format("int8", 1 / 256, -128), **_UNIT}),
    Row("LOGISTIC", "activations.cc", fixed={"int8": Format("int8", 1 / 256, -128), **_UNIT}),
    Row("TANH", "activations.cc", fixed={"int8": Format("int8", 1 / 128), **_UNIT}),
    Row(
        "L2_NORMALIZATION",
        "l2norm.cc",
        precisions=("int8", "float32"),
        fixed={"int8": Format("int8", 1 / 128)},
    ),
    Row("SELECT_V2", "select.cc", roles={1: Role.SAME, 2: Role.SAME}),
    Row("CONCATENATION", "concatenation.cc", Output.JOINED),
    # Of models that were brought; our own have none of them. Known in int8 only.
    Row("CONV_2D", "conv.cc", roles={1: Role.WEIGHTS, 2: Role.BIAS}, precisions=_INT8),
    Row(
        "DEPTHWISE_CONV_2D",
        "depthwise_conv.cc",
        roles={1: Role.WEIGHTS_LAST, 2: Role.BIAS},
        precisions=_INT8,
    ),
    Row("LEAKY_RELU", "activations.cc", precisions=_INT8),
    Row("MAXIMUM", "maximum_minimum.cc", roles={0: Role.SAME, 1: Role.SAME}, precisions=_INT8),
    Row("MINIMUM", "maximum_minimum.cc", roles={0: Role.SAME, 1: Role.SAME}, precisions=_INT8),
    Row("RELU", "activations.cc", precisions=_INT8),
    Row("RELU6", "activations.cc", precisions=_INT8),
    Row("SUB", "sub.cc", precisions=_INT8),
    Row("SUM", "reduce.cc", precisions=_INT8),
    *(Row(name, kernel, Output.MOVED, precisions=_INT8) for name, kernel in _SAME_FORMAT.items()),
    *(Row(name, _MOVES[name], Output.MOVED) for name in SAME_VALUES),
)

REGISTRY = {row.name: row for row in ROWS}

STAY_IN_FLOAT = ("ADD", "LEAKY_RELU", "MAXIMUM", "MEAN", "MINIMUM", "MUL", "RELU", "RELU6", "SUB", "SUM")
"""Cheap ops that compute in float where an input is float already, behind an op without an integer kernel: a
variance and its root, say, do not bear the rounding in between."""
