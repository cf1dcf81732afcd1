"""How much memory a model works in, beside its own bytes: activations, scratch and state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from converters import schema

ALIGNMENT = 64
"""Bytes. TFLite's arena places tensors at multiples of it (kDefaultTensorAlignment)."""

ITEM_BITS = {
    "float32": 32, "float16": 16, "bfloat16": 16, "float64": 64, "complex64": 64, "complex128": 128,
    "int2": 2, "int4": 4, "uint4": 4, "int8": 8, "uint8": 8, "bool": 8, "int16": 16, "uint16": 16,
    "int32": 32, "uint32": 32, "int64": 64, "uint64": 64,
}  # fmt: skip
"""Of one element, for the types that hold numbers."""


@dataclass(frozen=True)
class Memory:
    """The memory a model works in.

    Attributes:
        bytes: of activations, scratch and state.
        source: "interpreter": what LiteRT without delegates lays out on the machine at hand; or "tensors":
            the least that the main graph's tensors need, from their sizes and lifetimes, without scratch.
    """

    bytes: int
    source: str


def used(model: schema.ModelT, measured_bytes: int | None) -> Memory:
    """The measured memory if there is any. Loops allocate as they run: their models count as not measured."""
    if measured_bytes is None or len(model.subgraphs) > 1:
        return Memory(from_tensors(model), "tensors")
    return Memory(measured_bytes, "interpreter")


def tensor_bytes(tensor: schema.TensorT) -> int:
    """The size of a tensor's values; 0 for a type without a size (string, resource) or an open shape."""
    bits = ITEM_BITS.get(schema.tensor_type_name(tensor), 0) * max(schema.elements(tensor), 0)
    return -(-bits // 8)


def from_interpreter(interpreter: Any, model: schema.ModelT) -> int:
    """Bytes of the main graph's arenas, counted once where tensors share their place.

    Args:
        interpreter: its tensors allocated, and without `experimental_preserve_all_tensors`, which would
            keep them from sharing.
    """
    constants = {
        index for index, tensor in enumerate(model.subgraphs[0].tensors) if schema.has_data(model, tensor)
    }
    spans = []
    for details in interpreter.get_tensor_details():
        index = details["index"]
        # Asking for a resource ends the process.
        if index in constants or not issubclass(details["dtype"], np.number | np.bool_):
            continue
        try:
            values = interpreter.tensor(index)()
        except ValueError:  # not allocated: the interpreter does not use it
            continue
        if values.nbytes:
            start = values.__array_interface__["data"][0]
            spans.append((start, start + values.nbytes + -values.nbytes % ALIGNMENT))
        del values  # a reference would keep the interpreter from running
    total, reached = 0, 0
    for start, end in sorted(spans):
        total += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return total


def from_tensors(model: schema.ModelT) -> int:
    """The least memory in which the main graph's tensors fit: the most that is alive at one operator.

    A tensor lives from the operator that writes it to the last that reads it; inputs, outputs and state
    all the time. The kernels' scratch is not known from the file.
    """
    graph = model.subgraphs[0]
    operators = graph.operators or []
    last = len(operators) - 1
    inputs, outputs = ([i for i in schema.indices(ends) if i >= 0] for ends in (graph.inputs, graph.outputs))
    born: dict[int, int] = dict.fromkeys(inputs, 0)
    dies: dict[int, int] = dict.fromkeys([*inputs, *outputs], last)
    for step, operator in enumerate(operators):
        for index in (*schema.indices(operator.inputs), *schema.indices(operator.outputs)):
            if index >= 0:
                born.setdefault(index, step)
                dies[index] = max(dies.get(index, step), step)
    alive = [0] * max(len(operators), 1)
    for index, start in born.items():
        tensor = graph.tensors[index]
        if schema.has_data(model, tensor):
            continue
        first, end = (0, last) if tensor.isVariable else (start, dies[index])
        for step in range(first, end + 1):
            alive[step] += tensor_bytes(tensor)
    return max(alive)
