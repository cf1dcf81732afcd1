"""The inputs of a file: windows, and perhaps how many steps of each count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converters import schema
from converters.metadata import LENGTHS
from models.errors import InputError


def lengths_place(model: schema.ModelT) -> int | None:
    """Tensor index of the input `lengths`, int32 [batch], beside one of windows [batch, time, features].

    None where the file has no such two inputs, or no signature that names them.
    """
    graph = model.subgraphs[0]
    places = schema.indices(graph.inputs)
    named = {
        schema.name(entry): entry.tensorIndex
        for signature in (model.signatureDefs or [])[:1]
        for entry in signature.inputs or []
    }
    told = named.get(LENGTHS)
    if told is None or told not in places or len(places) != 2:
        return None
    tensor, windows = graph.tensors[told], schema.shape(graph.tensors[_other(places, told)])
    fits = len(windows) == 3 and min(windows) > 0 and schema.shape(tensor) == windows[:1]
    return int(told) if fits and schema.tensor_type_name(tensor) == "int32" else None


def windows_place(model: schema.ModelT, called: str) -> int:
    """Tensor index of the input that takes the windows.

    Raises:
        InputError: there are no inputs, or others beside it than `lengths`.
    """
    places = schema.indices(model.subgraphs[0].inputs)
    told = lengths_place(model)
    if told is not None:
        return _other(places, told)
    if len(places) != 1:
        raise InputError(
            f"{called} has {len(places)} inputs; needed is one, [batch, time, features], and perhaps "
            f"'{LENGTHS}', int32 [batch]."
        )
    return places[0]


def lengths_taken(
    model: schema.ModelT, lengths: NDArray[np.int64] | None, count: int, steps: int, called: str
) -> NDArray[np.int32] | None:
    """What the input `lengths` is fed for `count` windows, [count]; None where the file has no such input.

    Args:
        lengths: [count], how many steps of each window count; None: all `steps`.

    Raises:
        InputError: the file would take padding for steps, or a length is none of 1 to `steps`.
    """
    told = np.full(count, steps) if lengths is None else lengths
    if told.shape != (count,) or ((told < 1) | (told > steps)).any():
        raise InputError(
            f"The lengths of {count} windows of {steps} steps are of shape {told.shape}, "
            f"{told.min(initial=steps)} to {told.max(initial=1)}; allowed is one from 1 to {steps} for each."
        )
    if lengths_place(model) is not None:
        return told.astype(np.int32)
    if (told < steps).any():
        raise InputError(
            f"{called} has no input '{LENGTHS}', and {(told < steps).sum()} of the {count} windows are "
            f"shorter than its {steps} steps: it would take their padding for steps.",
            "Cut or resample them to one length, or leave the lengths out.",
        )
    return None


def _other(places: list[int], told: int) -> int:
    (other,) = [place for place in places if place != told]
    return other
