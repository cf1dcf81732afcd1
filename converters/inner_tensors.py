"""Values inside a model: run it with an interpreter that keeps every tensor.

What ships runs through pipeline/runtime.py; an interpreter that may reuse memory (and does) cannot show
inner tensors. This one keeps them, without delegates, which would hide the tensors they fuse away.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from converters import schema
from converters.lint import SAME_VALUES
from models.errors import InputError, VerificationError


def context_vectors(
    model: bytes | str | os.PathLike[str], features: np.ndarray, lengths: np.ndarray | None = None
) -> np.ndarray:
    """The attention's context vector of each window.

    It is found by structure: the one product that takes the softmax's output, sum_t weights_t * h_t. With
    several heads or queries it has one vector for each.

    Args:
        model: path or content of a .tflite, with float32 or int8 input.
        features: [n, time, features] float32, as the float input takes them.
        lengths: [n], how many steps of a window count, where the model has an input for it; None: all.

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
    for row, interpreter in enumerate(_runs(content, unpacked, features, lengths)):
        found[row] = _value(interpreter, unpacked, index).reshape(axes)
    return found


def all_tensors(
    model: bytes | str | os.PathLike[str], features: np.ndarray
) -> dict[int, tuple[str, np.ndarray]]:
    """Every value the model computes for one window.

    Args:
        model: path or content of a .tflite, with float32 or int8 input.
        features: [time, features] float32, one window.

    Returns:
        name and value by tensor index: float32 where it is float or quantized, else as stored. Constants and
        tensors without elements are left out; a state holds what the last step left in it.

    Raises:
        InputError: the model cannot be read, or the features do not fit its input.
    """
    content = schema.read_bytes(model)
    unpacked = schema.read_model(content)
    (interpreter,) = _runs(content, unpacked, features[np.newaxis])
    return {
        index: (schema.name(tensor), _value(interpreter, unpacked, index))
        for index, tensor in enumerate(unpacked.subgraphs[0].tensors)
        if schema.elements(tensor) > 0 and not schema.has_data(unpacked, tensor)
    }


def _runs(
    content: bytes, model: schema.ModelT, features: np.ndarray, lengths: np.ndarray | None = None
) -> Iterator[Any]:
    """Run the windows one by one, each from the zero state; yield the interpreter after each.

    The iterator has to be read in step: the next window overwrites the tensors.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    places = schema.indices(model.subgraphs[0].inputs)
    told = [index for index in places if _is_length(model.subgraphs[0].tensors[index])]
    places = [index for index in places if index not in told]
    if len(places) != 1 or len(told) > 1:
        raise InputError(f"The model has {len(places) + len(told)} inputs, one is expected.")
    tensor = model.subgraphs[0].tensors[places[0]]
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
    for row, window in enumerate(features):
        interpreter.reset_all_variables()  # the LSTM's state survives invoke()
        for index in told:
            length = len(window) if lengths is None else int(lengths[row])
            interpreter.set_tensor(index, np.array([length], np.int32))
        interpreter.set_tensor(places[0], _quantize(window[np.newaxis], tensor))
        interpreter.invoke()
        yield interpreter


def _is_length(tensor: schema.TensorT) -> bool:
    """Whether an input says how many steps of a window count: one whole number."""
    return (schema.shape(tensor), schema.tensor_type_name(tensor)) == ((1,), "int32")


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
    for operator in schema.operators(model, graph, "SOFTMAX", "BATCH_MATMUL", "QUANTIZE", *SAME_VALUES):
        kind = schema.operator_name(model, operator)
        if kind == "SOFTMAX" or (kind != "BATCH_MATMUL" and operator.inputs[0] in weights):
            weights.update(schema.indices(operator.outputs))
        elif kind == "BATCH_MATMUL" and weights & set(schema.indices(operator.inputs)):
            found.append(int(operator.outputs[0]))
    if len(found) != 1:
        raise VerificationError(
            f"The context vector cannot be found: {len(found)} BATCH_MATMULs take a SOFTMAX's output, not 1.",
            "Known are attentions whose weighted sum is one product.",
        )
    return found[0]
