"""Values inside a model: run it with an interpreter that keeps every tensor.

What ships runs through pipeline/runtime.py; an interpreter that may reuse memory (and does) cannot show
inner tensors. This one keeps them, without delegates, which would hide the tensors they fuse away.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from converters import schema
from converters.lint import SAME_VALUES
from models.errors import InputError, VerificationError


def context_vectors(
    model: bytes | str | os.PathLike[str], features: np.ndarray, **others: np.ndarray
) -> np.ndarray:
    """The attention's context vector of each window.

    It is found by structure: the one product that takes the softmax's output, sum_t weights_t * h_t. With
    several heads or queries it has one vector for each.

    Args:
        model: path or content of a .tflite, with float32 or int8 input.
        features: [n, time, features] float32, as the float input takes them.
        others: further inputs by their names in the signature, [n, ...] each, as the model takes them.

    Returns:
        [n, units], or [n, ..., units] of several heads or queries: axes of one element are left out.
        float32, dequantized.

    Raises:
        InputError: the model cannot be read, or the features do not fit its input.
        VerificationError: the model has no such product, or several.
    """
    content = schema.read_bytes(model)
    unpacked = schema.read_model(content)
    index = _context_index(unpacked)
    shape = schema.shape(unpacked.subgraphs[0].tensors[index])
    axes = [size for size in shape[:-1] if size != 1] + [*shape[-1:]]
    found = np.empty((len(features), *axes), np.float32)
    for row, interpreter in enumerate(_runs(content, unpacked, features, others)):
        found[row] = _value(interpreter, unpacked, index).reshape(axes)
    return found


def all_tensors(
    model: bytes | str | os.PathLike[str], features: np.ndarray, **others: np.ndarray
) -> dict[int, tuple[str, np.ndarray]]:
    """Every value the model computes for one window.

    Args:
        model: path or content of a .tflite, with float32 or int8 input.
        features: [time, features] float32, one window.
        others: further inputs by their names in the signature, [1, ...] or [1] each (``lengths=[7]``).

    Returns:
        name and value by tensor index: float32 where it is float or quantized, else as stored. Constants and
        tensors without elements are left out; a state holds what the last step left in it.

    Raises:
        InputError: the model cannot be read, or the features do not fit its input.
    """
    content = schema.read_bytes(model)
    unpacked = schema.read_model(content)
    (interpreter,) = _runs(content, unpacked, features[np.newaxis], others)
    return {
        index: (schema.name(tensor), _value(interpreter, unpacked, index))
        for index, tensor in enumerate(unpacked.subgraphs[0].tensors)
        if schema.elements(tensor) > 0 and not schema.has_data(unpacked, tensor)
    }


def values_by_window(
    model: bytes | str | os.PathLike[str], features: np.ndarray, places: Sequence[int]
) -> Iterator[dict[int, np.ndarray]]:
    """Some tensors of a model with one input, window by window, by index; values as of ``all_tensors``.

    Args:
        features: [n, time, features] float32.
        places: indices of tensors.
    """
    content = schema.read_bytes(model)
    unpacked = schema.read_model(content)
    for interpreter in _runs(content, unpacked, features, {}):
        yield {index: _value(interpreter, unpacked, index) for index in places}


def _runs(
    content: bytes, model: schema.ModelT, features: np.ndarray, others: Mapping[str, np.ndarray]
) -> Iterator[Any]:
    """Run the windows one by one, each from the zero state; yield the interpreter after each.

    The iterator has to be read in step: the next window overwrites the tensors.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    graph = model.subgraphs[0]
    place, *rest = _places(model, list(others))
    tensor = graph.tensors[place]
    shape = schema.shape(tensor)
    if shape != (1, *features.shape[1:]):
        raise InputError(f"The model takes windows of shape {shape[1:]}, got {features.shape[1:]}.")
    try:
        interpreter = Interpreter(
            model_content=content,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise InputError(f"The interpreter refuses the model: {error}") from error
    for number, window in enumerate(features):
        interpreter.reset_all_variables()  # the LSTM's state survives invoke()
        interpreter.set_tensor(place, _quantize(window[np.newaxis], tensor))
        for other, given in zip(rest, others.values(), strict=True):
            interpreter.set_tensor(other, np.asarray(given[number : number + 1]))
        interpreter.invoke()
        yield interpreter


def _places(model: schema.ModelT, others: list[str]) -> list[int]:
    """Tensor indices of the input ``features`` and of the others, which the signature names."""
    places = schema.indices(model.subgraphs[0].inputs)
    named = {
        schema.name(entry): entry.tensorIndex
        for signature in (model.signatureDefs or [])[:1]
        for entry in signature.inputs or []
    }
    unknown = [name for name in others if name not in named]
    if unknown:
        raise InputError(
            f"The model has no input named {', '.join(unknown)}; it has {', '.join(named) or 'no names'}."
        )
    chosen = [named[name] for name in others]
    features = [place for place in places if place not in chosen]
    if len(features) != 1:
        raise InputError(
            f"The model has {len(places)} inputs, {1 + len(others)} are expected: one of features"
            + "".join(f", '{name}'" for name in others)
            + "."
        )
    return [*features, *chosen]


def _quantize(values: np.ndarray, tensor: schema.TensorT) -> np.ndarray:
    """q = clip(round(x / scale) + zero_point), int8, ties to even as in pipeline/runtime.py; float passes."""
    if schema.is_float(tensor):
        return values.astype(np.float32)
    record = schema.scale_and_zero_point(tensor)
    if record is None or schema.tensor_type_name(tensor) != "int8":
        kind = schema.tensor_type_name(tensor)
        raise InputError(f"The model's input is {kind} without one scale; float32 and int8 are known.")
    scale, zero_point = record
    steps = np.rint(values.astype(np.float32) / np.float32(scale)) + np.float32(zero_point)
    return np.asarray(np.clip(steps, -128, 127), np.int8)


def _value(interpreter: Any, model: schema.ModelT, index: int) -> np.ndarray:
    """A tensor's value after a run: x = scale * (q - zero_point) where it is quantized."""
    value = np.asarray(interpreter.get_tensor(index))
    record = schema.scale_and_zero_point(model.subgraphs[0].tensors[index])
    if record is None or value.dtype.kind == "f":
        return value
    scale, zero_point = record
    return np.asarray((value.astype(np.float32) - np.float32(zero_point)) * np.float32(scale))


def _context_index(model: schema.ModelT) -> int:
    """The tensor index of the one BATCH_MATMUL output that is computed from a SOFTMAX output."""
    graph = model.subgraphs[0]
    weights: set[int] = set()
    found = []
    kinds = ("SOFTMAX", "BATCH_MATMUL", "QUANTIZE", "SELECT_V2", *SAME_VALUES)
    for operator in schema.operators(model, graph, *kinds):
        kind = schema.operator_name(model, operator)
        source = operator.inputs[1 if kind == "SELECT_V2" else 0]  # a SELECT_V2 takes its condition first
        if kind == "SOFTMAX" or (kind != "BATCH_MATMUL" and source in weights):
            weights.update(schema.indices(operator.outputs))
        elif kind == "BATCH_MATMUL" and weights & set(schema.indices(operator.inputs)):
            found.append(int(operator.outputs[0]))
    if len(found) != 1:
        raise VerificationError(
            f"The context vector cannot be found: {len(found)} BATCH_MATMULs take a SOFTMAX's output, not 1.",
            "Known are attentions whose weighted sum is one product.",
        )
    return found[0]
