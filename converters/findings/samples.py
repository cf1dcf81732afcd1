"""Inputs to try a model on when there are no data: seeded noise over what its inputs can represent."""

from __future__ import annotations

import math

import numpy as np

from converters import schema
from converters.inputs import lengths_place, windows_place
from models.errors import InputError

COUNT, SEED = 16, 0
SIGMAS = 4
"""A range of a calibrated input ends at its data's extremes, for normal data at about four sigma."""
MOST_VALUES = 1 << 26  # of one input, all samples together: half a gigabyte of them
HELD_STEPS = 16
"""White noise averages out and drives no cell far; on the vowels this comes near the real recordings."""
_LIMITS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
"""The integers a quantized input can take, by its type."""
_INDICES = ("int32", "int64", "bool")


def seeded(model: schema.ModelT) -> list[np.ndarray]:
    """`COUNT` values for each input of the main graph, real numbers for quantized ones.

    Normal noise around the middle of the range the input can represent, whose ends are four sigma away,
    cut there; unit noise where no range is known. Every second sequence holds its values for `HELD_STEPS`
    steps. The input `lengths` gets whole numbers from 1 to the steps of a window. Another integer without a
    scale is an index or a switch: 0, which is always allowed.

    Returns:
        [COUNT, *shape] for each input.

    Raises:
        InputError: there is no input, or one of a type for which nothing sensible can be drawn.
    """
    random = np.random.default_rng(SEED)
    places = schema.indices(model.subgraphs[0].inputs)
    if not places:
        raise InputError("It has no input.")
    values = [_draw(model, index, random) for index in places]
    told = lengths_place(model)
    if told is not None:
        _, steps, _ = schema.shape(model.subgraphs[0].tensors[windows_place(model, "The model")])
        place = places.index(told)
        values[place] = random.integers(1, steps, values[place].shape, np.int32, endpoint=True)
    return values


def stored(tensor: schema.TensorT, values: np.ndarray) -> np.ndarray:
    """Real numbers as an input tensor takes them: q = clip(round(x / scale) + zero_point) where quantized."""
    kind = schema.tensor_type_name(tensor)
    if kind not in _LIMITS:
        return values
    record = schema.scale_and_zero_point(tensor)
    if record is None:
        raise InputError(f"The input '{schema.name(tensor)}' is {kind} without one scale.")
    steps = np.rint(values / record[0]) + record[1]
    return np.clip(steps, *_LIMITS[kind]).astype(kind)


def real(tensor: schema.TensorT, values: np.ndarray) -> np.ndarray:
    """Stored values as real numbers, float64."""
    record = None if values.dtype.kind == "f" else schema.scale_and_zero_point(tensor)
    wide = values.astype(np.float64)
    return wide if record is None else record[0] * (wide - record[1])


def _draw(model: schema.ModelT, index: int, random: np.random.Generator) -> np.ndarray:
    tensor = model.subgraphs[0].tensors[index]
    kind, shape = schema.tensor_type_name(tensor), (COUNT, *schema.shape(tensor))
    name = schema.name(tensor)
    if min(shape) < 0 or math.prod(shape) > MOST_VALUES:
        raise InputError(f"Its input '{name}' has the shape {list(shape[1:])}.")
    if kind in _INDICES:
        return np.zeros(shape, kind)
    if kind != "float32" and kind not in _LIMITS:
        raise InputError(f"Its input '{name}' is {kind}, for which no values can be drawn.")
    noise = random.normal(size=shape)
    if len(shape) == 4:  # [COUNT, batch, time, features]
        noise[1::2] = noise[1::2][:, :, np.arange(shape[2]) // HELD_STEPS * HELD_STEPS]
    span = _range(model, index)
    if span is not None:
        low, high = span
        noise = np.clip((low + high) / 2 + noise * (high - low) / (2 * SIGMAS), low, high)
    return noise.astype(np.float32)


def _range(model: schema.ModelT, index: int) -> tuple[float, float] | None:
    """The real numbers an input can represent: its own range, or of what QUANTIZE makes of it."""
    graph = model.subgraphs[0]
    tensor = graph.tensors[index]
    if schema.is_float(tensor):
        made = [
            graph.tensors[operator.outputs[0]]
            for operator in schema.operators(model, graph, "QUANTIZE")
            if schema.indices(operator.inputs) == [index] and len(schema.indices(operator.outputs)) == 1
        ]
        if not made:
            return None
        tensor = made[0]
    record, kind = schema.scale_and_zero_point(tensor), schema.tensor_type_name(tensor)
    if record is None or kind not in _LIMITS:
        return None
    low, high = _LIMITS[kind]
    return record[0] * (low - record[1]), record[0] * (high - record[1])
