"""How far the answers of an integer file can move when its attention weights do: read off the file.

Every operator behind the softmax computes with integers, and gives the same ones on every machine. So answers
move only where weights do, and no further than the operators between them can carry it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from converters import schema
from pipeline.parity.measurements import STEP_SLACK

MOVED = {"RESHAPE", "STRIDED_SLICE", "TRANSPOSE", "CONCATENATION", "QUANTIZE", "DEQUANTIZE"}
"""Operators that hand values on, rounded anew to the output's step."""


@dataclass(frozen=True)
class Sensitivity:
    """|change of a number| <= gain x (sum over a row of |changes of weights|) + rounding, in real numbers.

    Attributes:
        rounding: how far two values next to each other may be rounded apart.
        rows: T of the weights themselves, whose changes *add up* to that sum; 0 of anything behind them.
    """

    gain: float
    rounding: float
    rows: int = 0

    def steps(self, moved: float, step: float) -> float:
        """At most how many steps a number moves where the weights of every row move by `moved` in all."""
        if not moved > 0.0 or not math.isfinite(moved):
            return 0.0
        return math.floor((self.gain * moved + self.rounding) / step) + STEP_SLACK


def sensitivity(content: bytes, output: int) -> Sensitivity | None:
    """Of a file's tensor with this index; None where an operator before it is not bounded here.

    With s the step of an operator's output: a BATCH_MATMUL of weights and values of at most |v| moves by |v|
    times the sum, a FULLY_CONNECTED by the largest sum of |w| of a row times what its inputs move by. Two
    numbers d apart are less than d + s apart when both are rounded to multiples of s.

    Args:
        content: of a file that computes in integers (`arithmetic`).

    Raises:
        InputError: the content is no readable .tflite.
    """
    model = schema.read_model(content)
    moving: dict[int, Sensitivity | None] = {}
    for operator in model.subgraphs[0].operators:
        before = [moving[index] for index in schema.indices(operator.inputs) if index in moving]
        if schema.operator_name(model, operator) == "SOFTMAX" or before:
            known = [one for one in before if one is not None]
            after = _behind(model, operator, known) if len(known) == len(before) else None
            moving |= dict.fromkeys(schema.indices(operator.outputs), after)
    return moving.get(output)


def _behind(
    model: schema.ModelT, operator: schema.OperatorT, before: list[Sensitivity]
) -> Sensitivity | None:
    """What an operator's output moves by, of those inputs that move; None of an operator not known here."""
    name, tensors = schema.operator_name(model, operator), model.subgraphs[0].tensors
    output, inputs = tensors[schema.indices(operator.outputs)[0]], schema.indices(operator.inputs)
    step, length = (schema.scale_and_zero_point(output) or (0.0, 0))[0], (schema.shape(output) or (0,))[-1]
    if name == "SOFTMAX":
        return None if before else Sensitivity(1.0, 0.0, length)
    gain, rounding = max(one.gain for one in before), max(one.rounding for one in before)
    if name == "RESHAPE" and before[0].rows == length:
        return before[0]
    if name in MOVED:
        return Sensitivity(gain, rounding + step)
    if len(before) > 1:
        return None
    if name == "BATCH_MATMUL" and before[0].rows and not operator.builtinOptions.adjX:
        return Sensitivity(_largest(tensors[inputs[1]]), step)
    if name == "FULLY_CONNECTED" and schema.has_data(model, weights := tensors[inputs[1]]):
        stored = schema.constant(model, weights).astype(np.float64)
        scales = np.reshape(schema.quantization(weights)[0], (-1, 1))
        carried = float((np.abs(stored) * scales).sum(axis=1).max())
        return Sensitivity(gain * carried, rounding * carried + step)
    return None


def _largest(tensor: schema.TensorT) -> float:
    """The largest |value| that an int8 or int16 tensor can hold."""
    scale, zero_point = schema.scale_and_zero_point(tensor) or (math.inf, 0)
    held = np.iinfo(schema.tensor_type_name(tensor))
    return scale * max(held.max - zero_point, zero_point - held.min)
