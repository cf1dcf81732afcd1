"""Read and write the TFLite flatbuffer: the only import of its generated schema.

`ai_edge_litert.schema_py_generated` (2.3) is what `flatc` makes of TFLite's schema.fbs. It is public but
carries no promise between versions, and it trusts its input: so `converters.verifier` looks first, and the
indices between the tables are checked after.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
from ai_edge_litert import schema_py_generated as generated

from converters.verifier import SHARED, DamagedError, verify
from models.errors import InputError

ModelT: TypeAlias = generated.ModelT
SubGraphT: TypeAlias = generated.SubGraphT
TensorT: TypeAlias = generated.TensorT
OperatorT: TypeAlias = generated.OperatorT
BufferT: TypeAlias = generated.BufferT
MetadataT: TypeAlias = generated.MetadataT
QuantizationParametersT: TypeAlias = generated.QuantizationParametersT

Source: TypeAlias = bytes | str | os.PathLike[str] | ModelT
"""A model to look at: its bytes, its path, or the unpacked model itself."""

IDENTIFIER = b"TFL3"
BUFFER_ALIGNMENT = 16
"""Bytes. What schema.fbs asks of `Buffer.data` (`force_align: 16`); the generated packer leaves 4."""

_OPERATOR_NAMES: dict[int, str] = {
    code: name for name, code in vars(generated.BuiltinOperator).items() if not name.startswith("_")
}
_TENSOR_TYPE_NAMES: dict[int, str] = {
    code: name.lower() for name, code in vars(generated.TensorType).items() if not name.startswith("_")
}
_UNPACKING_ERRORS = (
    struct.error,
    ValueError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
)
_TRY_AGAIN = "Is the file whole? Copy it again, or build it again."


class _Strings(bytes):
    """A file from which the unpacker cuts strings: each whole, and in all not many times the file."""

    def __init__(self, content: bytes) -> None:
        self._left = SHARED * len(content)

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        if isinstance(key, slice):
            self._left -= len(found)
            if len(found) != key.stop - key.start:
                raise DamagedError("a string reaches beyond its end")
            if self._left < 0:
                raise DamagedError("it has more strings than room for them")
        return found


class _AlignedBuilder(flatbuffers.Builder):  # type: ignore[misc]
    """A builder whose byte vectors start at multiples of 16, as the schema asks for tensor data."""

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> Any:
        return super().StartVector(elemSize, numElems, BUFFER_ALIGNMENT if elemSize == 1 else alignment)


def read_bytes(source: bytes | str | os.PathLike[str]) -> bytes:
    """Return the content of a model file; bytes pass through.

    Raises:
        InputError: the file cannot be read.
    """
    if isinstance(source, bytes):
        return source
    try:
        with open(source, "rb") as file:
            return file.read()
    except OSError as error:
        raise InputError(f"Cannot read the model '{os.fspath(source)}': {error.strerror}.") from error


def read_model(source: Source) -> ModelT:
    """Unpack a .tflite into the schema's object API; an unpacked model passes through.

    Raises:
        InputError: the file cannot be read, is empty, cut short, damaged, or no TFLite file.
    """
    if isinstance(source, generated.ModelT):
        return source
    content = read_bytes(source)
    called = "The model" if isinstance(source, bytes) else f"'{os.fspath(source)}'"
    if not content:
        raise InputError(f"{called} is empty.", _TRY_AGAIN)
    if content[4:8] != IDENTIFIER:
        raise InputError(f"{called} is not a .tflite file: its identifier is not 'TFL3'.", _TRY_AGAIN)
    try:
        verify(content)
        model = ModelT.InitFromPackedBuf(_Strings(content), 0)
    except _UNPACKING_ERRORS as error:
        raise InputError(f"{called} is damaged or cut short: {error}.", _TRY_AGAIN) from error
    problem = _broken_index(model)
    if problem:
        raise InputError(f"{called} is damaged: {problem}.", _TRY_AGAIN)
    return model


def write_model(model: ModelT) -> bytes:
    """Pack a model; its tensor data is aligned to 16 bytes."""
    builder = _AlignedBuilder(1024)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _broken_index(model: ModelT) -> str:
    """Return what points outside of its list, "" if nothing does."""
    parts = (model.operatorCodes, model.buffers, model.subgraphs)
    codes, buffers, graphs = (len(part or []) for part in parts)
    if graphs == 0:
        return "it has no subgraph"
    for entry in model.metadata or []:
        if entry.buffer >= buffers:
            return f"metadata entry {name(entry)!r} names buffer {entry.buffer} of {buffers}"
    signed: list[list[int]] = [[] for _ in range(graphs)]  # what the signatures name of each subgraph
    for signature in model.signatureDefs or []:
        if signature.subgraphIndex >= graphs:
            key = text(signature.signatureKey)
            return f"signature {key!r} names subgraph {signature.subgraphIndex} of {graphs}"
        for side in (signature.inputs, signature.outputs):
            signed[signature.subgraphIndex] += [entry.tensorIndex for entry in side or []]
    for graph, named in zip(model.subgraphs, signed, strict=True):
        tensors = len(graph.tensors or [])
        for tensor in graph.tensors or []:
            if tensor.buffer >= buffers:
                return f"tensor {name(tensor)!r} names buffer {tensor.buffer} of {buffers}"
        for operator in graph.operators or []:
            if operator.opcodeIndex >= codes:
                return f"an operator names operator code {operator.opcodeIndex} of {codes}"
        if any(index < -1 or index >= tensors for index in (*named, *_named_tensors(graph))):
            return f"subgraph {name(graph)!r} names a tensor outside of its {tensors}"
        for loop in operators(model, graph, "WHILE"):
            if not all(0 <= body < graphs for body in loop_subgraphs(loop)):
                return f"a WHILE names subgraphs {loop_subgraphs(loop)} of {graphs}"
    return ""


def _named_tensors(graph: SubGraphT) -> Iterator[int]:
    """Every tensor index that a subgraph or its operators name; -1 stands for absent."""
    yield from indices(graph.inputs)
    yield from indices(graph.outputs)
    for operator in graph.operators or []:
        for part in (operator.inputs, operator.outputs, operator.intermediates):
            yield from indices(part)


def indices(vector: Any) -> list[int]:
    """A flatbuffer vector of indices as a list; an absent vector is empty."""
    return [] if vector is None else [int(index) for index in vector]


def text(value: bytes | str | None) -> str:
    """A flatbuffer string as text; what is not UTF-8 is shown as a replacement character."""
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value or ""


def name(named: Any) -> str:
    """The name of a tensor, subgraph or metadata entry."""
    return text(named.name)


def builtin_name(code: int) -> str:
    """The name of a builtin operator code, such as "SOFTMAX"; "BUILTIN_999" if this schema has none."""
    return _OPERATOR_NAMES.get(code, f"BUILTIN_{code}")


def builtin_code(name: str) -> int:
    """The code of a builtin operator, such as "SOFTMAX"."""
    return int(getattr(generated.BuiltinOperator, name))


def operator_code(builtin: int, version: int) -> Any:
    """An entry of a model's list of operator codes."""
    code = generated.OperatorCodeT()
    code.builtinCode, code.version = builtin, version
    # The old one-byte field; readers take the larger of the two.
    code.deprecatedBuiltinCode = min(builtin, generated.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
    return code


def signature(key: str, subgraph: int, inputs: Mapping[str, int], outputs: Mapping[str, int]) -> Any:
    """A signature of a subgraph: names for the tensors, by index, that go in and come out."""
    made = generated.SignatureDefT()
    made.signatureKey, made.subgraphIndex = key, subgraph
    for side, named in (("inputs", inputs), ("outputs", outputs)):
        entries = []
        for called, index in named.items():
            entry = generated.TensorMapT()
            entry.name, entry.tensorIndex = called, index
            entries.append(entry)
        setattr(made, side, entries)
    return made


def cast(source: str, result: str) -> OperatorT:
    """A CAST between two tensor types, without its operands."""
    operator = OperatorT()
    operator.builtinOptionsType = generated.BuiltinOptions.CastOptions
    operator.builtinOptions = generated.CastOptionsT()
    operator.builtinOptions.inDataType = tensor_type(source)
    operator.builtinOptions.outDataType = tensor_type(result)
    return operator


def operator_name(model: ModelT, operator: OperatorT) -> str:
    """The operator's builtin name, or the name of a custom operator ("FlexErf", for example)."""
    code = model.operatorCodes[operator.opcodeIndex]
    # Codes up to 127 stand in the old one-byte field; converters fill both or the old one alone.
    builtin = builtin_name(max(code.builtinCode, code.deprecatedBuiltinCode))
    return text(code.customCode) or builtin if builtin == "CUSTOM" else builtin


def is_custom(model: ModelT, operator: OperatorT) -> bool:
    """True for an operator that is not one of TFLite's own, Flex operators included."""
    code = model.operatorCodes[operator.opcodeIndex]
    return bool(max(code.builtinCode, code.deprecatedBuiltinCode) == generated.BuiltinOperator.CUSTOM)


def operators(model: ModelT, graph: SubGraphT, *names: str) -> Iterator[OperatorT]:
    """The operators of a subgraph, in their order; only those of the given names if any are given."""
    for operator in graph.operators or []:
        if not names or operator_name(model, operator) in names:
            yield operator


def loop_subgraphs(loop: OperatorT) -> tuple[int, int]:
    """Indices of a WHILE's condition and body; (-1, -1) where its options are missing."""
    options = loop.builtinOptions
    if not isinstance(options, generated.WhileOptionsT):
        return -1, -1
    return options.condSubgraphIndex, options.bodySubgraphIndex


def tensor_type_name(tensor: TensorT) -> str:
    """The tensor's type in lower case, such as "int8"; "type_99" if this schema has none."""
    return _TENSOR_TYPE_NAMES.get(tensor.type, f"type_{tensor.type}")


def tensor_type(name: str) -> int:
    """The code of a tensor type, such as "int8"."""
    return int(getattr(generated.TensorType, name.upper()))


def constant(model: ModelT, tensor: TensorT) -> np.ndarray:
    """The values of a constant, in the tensor's type and shape."""
    data = model.buffers[tensor.buffer].data
    return np.frombuffer(bytes(data), tensor_type_name(tensor)).reshape(shape(tensor))


def shape(tensor: TensorT) -> tuple[int, ...]:
    """The tensor's shape; () for a scalar."""
    return tuple(indices(tensor.shape))


def elements(tensor: TensorT) -> int:
    """How many numbers the tensor holds; 0 for the fused LSTM's unused intermediates."""
    return int(np.prod(shape(tensor), dtype=np.int64))


def is_float(tensor: TensorT) -> bool:
    """True for a tensor of floating point or complex numbers."""
    return tensor_type_name(tensor).startswith(("float", "bfloat", "complex"))


def has_data(model: ModelT, tensor: TensorT) -> bool:
    """True for a constant: its values stand in the file."""
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0


def quantization(tensor: TensorT) -> tuple[list[float], list[int]]:
    """Scales and zero points, real = scale * (q - zero_point); one of each per tensor or per channel."""
    record = tensor.quantization
    if record is None or record.scale is None or len(record.scale) == 0:
        return [], []
    return [float(value) for value in record.scale], indices(record.zeroPoint)


def scale_and_zero_point(tensor: TensorT) -> tuple[float, int] | None:
    """The pair of a tensor with one scale; None where it has none or one per channel."""
    scales, zero_points = quantization(tensor)
    return (scales[0], zero_points[0]) if len(scales) == len(zero_points) == 1 else None
