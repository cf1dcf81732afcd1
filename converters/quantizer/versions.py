"""The smallest version of an op that has the kernel for a signature.

Source: `tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc` (TensorFlow 2.21),
GetBuiltinOperatorVersion. An interpreter refuses a version it does not know, so a larger one than needed
shuts out older devices, and a smaller one would run a kernel that cannot take the signature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Signature:
    """What a version depends on.

    Args:
        inputs: types of the inputs, "" for an absent one.
        output: type of the first output.
        ranks: of the inputs, 0 for an absent one.
        scales: of inputs 0 and 1 and of the output; 0 for a tensor without one of its own.
        per_channel: an input has several scales.
        options: the op's builtin options, or None.
    """

    inputs: tuple[str, ...]
    output: str
    ranks: tuple[int, ...]
    scales: tuple[float, float, float]
    per_channel: bool
    options: Any


def version_of(name: str, signature: Signature) -> int:
    """The version of an op that this package writes; 1 for those that have only one."""
    rule = _RULES.get(name)
    return 1 if rule is None else rule(signature)


def _by_type(int8: int, int16: int) -> Callable[[Signature], int]:
    """A version for int8 and one for int16 (of the first input), else 1."""
    return lambda s: {"int8": int8, "int16": int16}.get(s.inputs[0], 1)


def _hybrid(s: Signature) -> bool:
    return s.inputs[:2] == ("float32", "int8") and s.output == "float32"


def _fully_connected(s: Signature) -> int:
    if _hybrid(s) and s.per_channel:
        return 12
    if len(s.inputs) == 2:
        return 6
    if s.options.keepNumDims:
        return 5
    if _hybrid(s):
        return 9 if s.options.asymmetricQuantizeInputs else 3
    return 4 if s.inputs[0] == "int8" else 1


def _lstm(s: Signature) -> int:
    if _hybrid(s):
        return 3 if s.options.asymmetricQuantizeInputs else 2
    return 1


def _mul(s: Signature) -> int:
    if s.inputs[0] == "int16":
        return 4
    first, second, output = s.scales
    if output and first * second / output >= 1:
        return 3
    return 2 if s.inputs[0] == "int8" else 1


def _add(s: Signature) -> int:
    return {"int8": 2, "int16": 1 if s.options.potScaleInt16 else 3}.get(s.inputs[0], 1)


def _transpose(s: Signature) -> int:
    if s.ranks[0] > 5:
        return 6
    if s.inputs[0] == "int16":
        return 5
    return 4 if s.ranks[0] > 4 else _by_type(2, 5)(s)


def _slice(s: Signature) -> int:
    return 5 if s.ranks[0] > 4 else _by_type(2, 4)(s)


def _strided_slice(s: Signature) -> int:
    if s.options.offset:
        return 8
    if s.options.ellipsisMask or s.options.newAxisMask:
        return 6
    return 4 if s.ranks[0] > 4 else _by_type(2, 1)(s)


def _gather(s: Signature) -> int:
    return 5 if s.options.batchDims else _by_type(2, 4)(s)


def _depthwise(s: Signature) -> int:
    if s.inputs[0] == "int8":
        return 3
    return 2 if max(s.options.dilationWFactor, s.options.dilationHFactor) > 1 else 1


_RULES: dict[str, Callable[[Signature], int]] = {
    "ADD": _add,
    "AVERAGE_POOL_2D": _by_type(2, 3),
    "BATCH_MATMUL": _by_type(2, 3),
    "BROADCAST_TO": lambda s: 3 if s.inputs[0] in ("int8", "int16") else 2,
    "CAST": _by_type(3, 1),
    "CONCATENATION": _by_type(2, 3),
    "CONV_2D": _by_type(3, 4),
    "DEPTHWISE_CONV_2D": _depthwise,
    "DEQUANTIZE": lambda s: {"int8": 2, "int16": 3, "float16": 3}[s.inputs[0]],
    "FULLY_CONNECTED": _fully_connected,
    "GATHER": _gather,
    "L2_NORMALIZATION": _by_type(2, 1),
    "LOGISTIC": _by_type(2, 3),
    "MAXIMUM": _by_type(2, 3),
    "MAX_POOL_2D": _by_type(2, 3),
    "MEAN": _by_type(2, 3),
    "MINIMUM": _by_type(2, 3),
    "MUL": _mul,
    "PAD": _by_type(2, 3),
    "QUANTIZE": lambda s: 2 if s.output == "int16" else 1,
    "REDUCE_MAX": _by_type(2, 3),
    "RELU": _by_type(2, 3),
    "RELU6": _by_type(2, 3),
    "REVERSE_V2": _by_type(3, 1),
    "SLICE": _slice,
    "SOFTMAX": _by_type(2, 3),
    "STRIDED_SLICE": _strided_slice,
    "SUB": _by_type(2, 1),
    "SUM": _by_type(2, 1),
    "TANH": _by_type(2, 3),
    "TILE": _by_type(3, 3),
    "TRANSPOSE": _transpose,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}


def runtime_of(name: str, version: int) -> tuple[int, ...]:
    """The first TensorFlow release whose interpreter has a version of an op that this package writes.

    Source: `tensorflow/compiler/mlir/lite/tools/versioning/runtime_version.cc` (TensorFlow 2.21).
    """
    return _RUNTIMES.get((name, version), (1, 15, 0))


_RUNTIMES = {
    ("ADD", 3): (2, 4, 0),
    ("BATCH_MATMUL", 1): (2, 3, 0),
    ("BATCH_MATMUL", 2): (2, 3, 0),
    ("BATCH_MATMUL", 3): (2, 4, 0),
    ("BROADCAST_TO", 2): (2, 5, 0),
    ("BROADCAST_TO", 3): (2, 5, 0),
    ("CAST", 3): (2, 8, 0),
    ("CONCATENATION", 3): (2, 3, 0),
    ("FULLY_CONNECTED", 5): (2, 0, 0),
    ("FULLY_CONNECTED", 6): (2, 1, 0),
    ("FULLY_CONNECTED", 9): (2, 3, 0),
    ("FULLY_CONNECTED", 12): (2, 17, 0),
    ("GATHER", 4): (2, 4, 0),
    ("GATHER", 5): (2, 5, 0),
    ("LOGISTIC", 3): (2, 3, 0),
    ("MEAN", 3): (2, 4, 0),
    ("MUL", 4): (2, 3, 0),
    ("RELU", 2): (2, 1, 0),
    ("REVERSE_V2", 3): (2, 5, 0),
    ("SELECT_V2", 1): (2, 2, 0),
    ("SLICE", 4): (2, 4, 0),
    ("SLICE", 5): (2, 5, 0),
    ("SOFTMAX", 3): (2, 3, 0),
    ("STRIDED_SLICE", 4): (2, 2, 0),
    ("STRIDED_SLICE", 6): (2, 6, 0),
    ("STRIDED_SLICE", 8): (2, 14, 0),
    ("TANH", 3): (2, 3, 0),
    ("TILE", 3): (2, 8, 0),
    ("TRANSPOSE", 4): (2, 3, 0),
    ("TRANSPOSE", 5): (2, 4, 0),
    ("TRANSPOSE", 6): (2, 12, 0),
    ("UNIDIRECTIONAL_SEQUENCE_LSTM", 3): (2, 3, 0),
}
"""Those after 1.15."""
