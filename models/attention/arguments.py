"""What an attention layer is called with, brought from every form into one."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any, NoReturn

import tensorflow as tf

from models.errors import InputError


def as_list(name: str, query: Any, value: Any, key: Any, mask: Any) -> list[Any]:
    """``[query, value, key]`` or ``[query, value, key, mask]`` of what the layer ``name`` was called with.

    Args:
        query: [batch, queries, size], or a list of up to four in this order.
        value, key: [batch, time, size]; without a key the value is the key.
        mask: [batch, time], or Keras's pair of masks [of the query, of the value].

    Raises:
        InputError: there is no value, something was given twice, or has another shape.
    """
    if isinstance(mask, list | tuple):
        if len(mask) != 2:
            _refuse(name, f"a list of {len(mask)} masks; a pair is [mask of the query, mask of the value]")
        mask = mask[1]
    if isinstance(query, list | tuple):
        if not 1 <= len(query) <= 4:
            _refuse(name, f"a list of {len(query)}")
        query, *listed = query
        value, key, mask = (
            _one(name, role, one, other)
            for role, one, other in zip_longest(("value", "key", "mask"), listed, (value, key, mask))
        )
    if value is None:
        _refuse(name, "a query and no value")
    inputs = [query, value, value if key is None else key, *([] if mask is None else [mask])]
    inputs = [one if hasattr(one, "shape") else tf.convert_to_tensor(one) for one in inputs]
    _check_shapes(name, inputs)
    return inputs


def _one(name: str, role: str, listed: Any, named: Any) -> Any:
    if listed is not None and named is not None:
        _refuse(name, f"a {role} in the list and another beside it")
    return named if listed is None else listed


def _check_shapes(name: str, inputs: list[Any]) -> None:
    """Sizes that are known only when a graph runs fit every shape."""
    shapes = [tf.TensorShape(one.shape) for one in inputs]
    steps = shapes[1][1] if shapes[1].rank == 3 else None
    roles = {
        "query": ("[batch, queries, size]", [None, None, None]),
        "value": ("[batch, time, size]", [None, None, None]),
        "key": ("[batch, time, size], its time the value's", [None, steps, None]),
        "mask": ("[batch, time], its time the value's", [None, steps]),
    }
    for shape, (role, (told, wanted)) in zip(shapes, roles.items(), strict=False):
        if not shape.is_compatible_with(wanted):
            _refuse(name, f"a {role} of shape {shape}; it has to be {told}")


def _refuse(name: str, what: str) -> NoReturn:
    raise InputError(
        f"Attention '{name}' was called with {what}.",
        "Call it as layer(query, value), layer(query, value, key, mask=mask) or with a list, "
        "[query, value], [query, value, key] or [query, value, key, mask].",
    )
