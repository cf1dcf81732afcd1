"""Every op of a quantized file against the float op on the same operands, in steps of its output.

The float op is computed here in float64 from what the file's own tensors and constants hold, so that each op
is judged alone and errors do not add up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from converters import schema
from converters.inner_tensors import all_tensors
from converters.lint import SAME_VALUES
from converters.lstm_op import FUSED_LSTM

Array = np.ndarray
Operands = list[Any]


def _strided_slice(given: Operands, options: Any, shape: tuple[int, ...]) -> Array:
    x, begin, end, strides = given
    parts = []
    for axis, (first, last, step) in enumerate(zip(begin, end, strides, strict=True)):
        if options.shrinkAxisMask >> axis & 1:
            parts.append(slice(first, None if first == -1 else first + 1))
            continue
        parts.append(
            slice(
                None if options.beginMask >> axis & 1 else first,
                None if options.endMask >> axis & 1 else last,
                step,
            )
        )
    return x[tuple(parts)].reshape(shape)


def _slice(given: Operands, options: Any, shape: tuple[int, ...]) -> Array:
    x, begin, size = given
    return x[tuple(slice(b, None if s == -1 else b + s) for b, s in zip(begin, size, strict=True))]


def _gather(given: Operands, options: Any, shape: tuple[int, ...]) -> Array:
    x, places = given
    if options.batchDims:
        assert options.batchDims == 1
        return np.stack([np.take(row, at, axis=options.axis - 1) for row, at in zip(x, places, strict=True)])
    return np.take(x, places, axis=options.axis).reshape(shape)


def _fully_connected(given: Operands, options: Any, shape: tuple[int, ...]) -> Array:
    x, weights = given[:2]
    y = x.reshape(-1, weights.shape[1]) @ weights.T
    return (y + given[2] if len(given) > 2 and given[2] is not None else y).reshape(shape)


def _batch_matmul(given: Operands, options: Any, shape: tuple[int, ...]) -> Array:
    left, right = given
    return (left.swapaxes(-1, -2) if options.adjX else left) @ (
        right.swapaxes(-1, -2) if options.adjY else right
    )


def _softmax(given: Operands, options: Any, shape: tuple[int, ...]) -> Array:
    e = np.exp(options.beta * (given[0] - given[0].max(-1, keepdims=True)))
    return e / e.sum(-1, keepdims=True)


def _activated(y: Array, options: Any) -> Array:
    """With the activation that is fused into an op: 0 none, 1 RELU."""
    assert options.fusedActivationFunction in (0, 1)
    return np.maximum(y, 0) if options.fusedActivationFunction else y


def _in_time(x: Array, options: Any, size: int, out: int, fill: float = 0.0) -> Array:
    """The steps under a filter, [out, size, channels], of x whose steps stand on a middle axis."""
    steps = x.reshape(-1, x.shape[-1])
    stride = max(options.strideW, options.strideH)
    apart = max(getattr(options, "dilationWFactor", 1), getattr(options, "dilationHFactor", 1))
    missing = max((out - 1) * stride + (size - 1) * apart + 1 - len(steps), 0)
    padded = np.pad(steps, ((missing // 2, missing - missing // 2), (0, 0)), constant_values=fill)
    return np.stack([padded[place * stride :][: (size - 1) * apart + 1 : apart] for place in range(out)])


def _convolution(given: Operands, options: Any, shape: tuple[int, ...], each: bool = False) -> Array:
    x, filters, bias = given
    size = filters.shape[1] * filters.shape[2]
    under = _in_time(x, options, size, max(shape[1:3]))  # [out, size, channels]
    if each:
        y = np.einsum("osc,sc->oc", under, filters.reshape(size, -1))
    else:
        y = np.einsum("osc,fsc->of", under, filters.reshape(len(filters), size, -1))
    return _activated(y + bias, options).reshape(shape)


def _pool(given: Operands, options: Any, shape: tuple[int, ...], largest: bool) -> Array:
    size = max(options.filterWidth, options.filterHeight)
    under = _in_time(given[0], options, size, max(shape[1:3]), np.nan)
    return (np.nanmax if largest else np.nanmean)(under, axis=1).reshape(shape)


def _axes(given: Operands) -> tuple[int, ...]:
    return tuple(np.atleast_1d(given[1]))


REFERENCE: dict[str, Callable[[Operands, Any, tuple[int, ...]], Array]] = {
    "ADD": lambda given, options, shape: given[0] + given[1],
    "AVERAGE_POOL_2D": lambda given, options, shape: _pool(given, options, shape, largest=False),
    "BROADCAST_TO": lambda given, options, shape: np.broadcast_to(given[0], shape),
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": lambda given, options, shape: _convolution(given, options, shape, each=True),
    "LEAKY_RELU": lambda given, options, shape: np.where(given[0] > 0, given[0], options.alpha * given[0]),
    "MAXIMUM": lambda given, options, shape: np.maximum(given[0], given[1]),
    "MAX_POOL_2D": lambda given, options, shape: _pool(given, options, shape, largest=True),
    "MINIMUM": lambda given, options, shape: np.minimum(given[0], given[1]),
    "PAD": lambda given, options, shape: np.pad(given[0], given[1]),
    "REDUCE_MAX": lambda given, options, shape: given[0].max(_axes(given)).reshape(shape),
    "RELU": lambda given, options, shape: np.maximum(given[0], 0),
    "RELU6": lambda given, options, shape: np.clip(given[0], 0, 6),
    "SUB": lambda given, options, shape: given[0] - given[1],
    "SUM": lambda given, options, shape: given[0].sum(_axes(given)).reshape(shape),
    "TILE": lambda given, options, shape: np.tile(given[0], given[1]),
    "BATCH_MATMUL": _batch_matmul,
    "CAST": lambda given, options, shape: given[0],
    "CONCATENATION": lambda given, options, shape: np.concatenate(given, options.axis),
    "DEQUANTIZE": lambda given, options, shape: given[0],
    "EXPAND_DIMS": lambda given, options, shape: given[0].reshape(shape),
    "FULLY_CONNECTED": _fully_connected,
    "GATHER": _gather,
    "L2_NORMALIZATION": lambda given, options, shape: given[0] / np.linalg.norm(given[0], axis=-1)[..., None],
    "LOGISTIC": lambda given, options, shape: 1 / (1 + np.exp(-given[0])),
    "MEAN": lambda given, options, shape: given[0].mean(tuple(np.atleast_1d(given[1]))).reshape(shape),
    "MUL": lambda given, options, shape: given[0] * given[1],
    "QUANTIZE": lambda given, options, shape: given[0],
    "RESHAPE": lambda given, options, shape: given[0].reshape(shape),
    "REVERSE_V2": lambda given, options, shape: np.flip(given[0], tuple(np.atleast_1d(given[1]))),
    "SELECT_V2": lambda given, options, shape: np.where(*given),
    "SLICE": _slice,
    "SOFTMAX": _softmax,
    "SQUEEZE": lambda given, options, shape: given[0].reshape(shape),
    "STRIDED_SLICE": _strided_slice,
    "TANH": lambda given, options, shape: np.tanh(given[0]),
    "TRANSPOSE": lambda given, options, shape: given[0].transpose(given[1]),
}

EXACT = (*SAME_VALUES, "CONCATENATION", "SELECT_V2", "DEQUANTIZE", "CAST")
"""Nothing is computed; only float32 rounds."""

_SLACK = 5e-3  # of a step: values are read as float32, 32768 steps of which round by 32768 * 2^-23 = 4e-3


def allowed(name: str, kind: str, steps: Array) -> Any:
    """How many steps the output may be off, where the float op gives ``steps`` of them.

    One rounding is half a step. What is beyond:

    * int8 kernels round a sum twice (a high multiplication, then a shift), the second time what the first
      left: half a step and one unit of the finer grid; within 1.
    * FULLY_CONNECTED and BATCH_MATMUL in int16 sum in int64 and multiply by a multiplier of 15 bits, off by
      2^-15 of the result at most (`MultiplyByQuantizedMultiplier(int64_t, ...)`,
      kernels/internal/common.cc).
    * SOFTMAX in int16 (`reference/softmax.h`), in steps of 1/32768: e = exp(difference to the largest) comes
      from a table over [-10, 0]. The difference is rounded to 10/65535, half of which is 2.5 of e;
      interpolation between 512 entries is off by (10/512)^2 / 8 = 1.6 of e; both act on a weight p by
      2 p (1 - p) at most. Entry and lookup are rounded (1 step of e), and e stays exp(-10) = 1.5 below it,
      rounded to 2: with S = sum of e = 1 / max p, (2 + 2 T p) / S. 1/S has 15 bits from a rounded S (2 p),
      and the largest e, 1, is written as 32767 (p). Half a step for the result.
    * TANH and LOGISTIC in int16: a table of the logistic function over [0, 10.7] in 256 steps, interpolated:
      (10.7/256)^2 / 8 * 0.096 = 2.1e-5 = 0.7 steps, twice that for tanh; the argument is scaled by a
      multiplier cut to 15 bits, off by 2^-14 of it, and x tanh'(x) <= 0.45, 0.9 steps; entry and result
      rounded (1): 3.3.
    """
    if name in EXACT:
        return _SLACK
    if kind == "int16":
        if name in ("FULLY_CONNECTED", "BATCH_MATMUL"):
            return 0.5 + _SLACK + np.abs(steps) * 2**-15
        if name == "SOFTMAX":
            p = steps / 32768
            largest = p.max(-1, keepdims=True)
            return 0.5 + 3 * p + 8.2 * p * (1 - p) + 2 * (1 + p.shape[-1] * p) * largest
        if name in ("TANH", "LOGISTIC"):
            return 3.3
    return 1.0


def check(content: bytes, window: np.ndarray, **others: np.ndarray) -> list[str]:
    """Run a file and compare each op with its float form.

    Returns:
        The ops that were compared, each as "NAME type".
    """
    model = schema.read_model(content)
    (graph,) = model.subgraphs
    values = {index: value for index, (_, value) in all_tensors(content, window, **others).items()}
    compared = []
    for operator in graph.operators:
        name = schema.operator_name(model, operator)
        (output,) = schema.indices(operator.outputs)
        tensor = graph.tensors[output]
        kind = schema.tensor_type_name(tensor)
        if name == FUSED_LSTM or kind not in ("int8", "int16", "float32"):
            continue
        given = [None if i < 0 else _real(model, graph, i, values) for i in schema.indices(operator.inputs)]
        real = REFERENCE[name](given, operator.builtinOptions, schema.shape(tensor))
        if kind == "float32":
            np.testing.assert_allclose(values[output], real, rtol=1e-5, atol=1e-5, err_msg=name)
        else:
            record = schema.scale_and_zero_point(tensor)
            assert record is not None, schema.name(tensor)
            scale, zero_point = record
            limits = np.iinfo(kind)
            steps = np.clip(real / scale, limits.min - zero_point, limits.max - zero_point)
            off = np.abs(values[output] / scale - steps) - allowed(name, kind, steps)
            assert off.max() <= 0, f"{name} '{schema.name(tensor)}' {kind}: {off.max():g} steps too far"
        compared.append(f"{name} {kind}")
    return compared


def _real(model: schema.ModelT, graph: schema.SubGraphT, index: int, values: dict[int, Array]) -> Array:
    """An operand in float64, integers (indices, conditions) as they are."""
    tensor = graph.tensors[index]
    if index in values and not schema.has_data(model, tensor):
        value = values[index]
        is_number = schema.is_float(tensor) or schema.quantization(tensor)[0]
        return value.astype(np.float64) if is_number else value
    value = schema.constant(model, tensor)
    scales, zero_points = schema.quantization(tensor)
    if not scales:
        return value.astype(np.float64) if schema.is_float(tensor) else value
    spread = [1] * max(value.ndim, 1)
    if len(scales) > 1:
        spread[tensor.quantization.quantizedDimension] = -1
    real = (value.astype(np.float64) - zero_points[0]) * np.reshape(scales, spread)
    return np.reshape(real, value.shape)
