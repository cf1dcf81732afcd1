"""Small .tflite files that ask for hours or gigabytes: the same long part named over and over.

Every table here keeps to the schema; only that they are shared so often is out of the ordinary.
"""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as generated

MANY, LONG = 20_000, 1_000_000


def shared_names() -> bytes:
    """20,000 metadata entries are one table, whose name is a megabyte long: 20 GB of names."""
    builder = flatbuffers.Builder(1 << 21)
    name = builder.CreateString("x" * LONG)
    entry = _table(builder, "Metadata", Name=name)
    return _model(builder, Metadata=_vector(builder, [entry] * MANY), Subgraphs=_graphs(builder))


def shared_inputs() -> bytes:
    """20,000 operators are one table, whose inputs are 250,000 times the first tensor."""
    builder = flatbuffers.Builder(1 << 21)
    inputs = builder.CreateNumpyVector(np.zeros(LONG // 4, np.int32))
    return _model(builder, **_operators(builder, Inputs=inputs))


def shared_option_strings() -> bytes:
    """20,000 operators are one table, whose options hold a string a megabyte long."""
    builder = flatbuffers.Builder(1 << 21)
    text = builder.CreateString("x" * LONG)
    options = _table(builder, "VarHandleOptions", Container=text)
    kind = generated.BuiltinOptions.VarHandleOptions
    return _model(builder, **_operators(builder, BuiltinOptionsType=kind, BuiltinOptions=options))


def shared_sparsity() -> bytes:
    """20,000 tensors share a sparsity of 20,000 dimensions."""
    builder = flatbuffers.Builder(1 << 21)
    dimensions = _vector(builder, [_table(builder, "DimensionMetadata")] * MANY)
    sparsity = _table(builder, "SparsityParameters", DimMetadata=dimensions)
    tensors = _vector(builder, [_table(builder, "Tensor", Sparsity=sparsity)] * MANY)
    return _model(builder, Subgraphs=_graphs(builder, Tensors=tensors))


def many_signatures() -> bytes:
    """10,000 subgraphs and 10,000 signatures: a hundred million pairs."""
    builder = flatbuffers.Builder(1 << 21)
    signatures = _vector(builder, [_table(builder, "SignatureDef")] * (MANY // 2))
    return _model(builder, Subgraphs=_graphs(builder, MANY // 2), SignatureDefs=signatures)


def many_loops() -> bytes:
    """5000 WHILE operators, whose bodies are the graph they stand in."""
    builder = flatbuffers.Builder(1 << 20)
    kind = generated.BuiltinOptions.WhileOptions
    options = {"BuiltinOptionsType": kind, "BuiltinOptions": _table(builder, "WhileOptions")}
    return _model(builder, **_operators(builder, MANY // 4, generated.BuiltinOperator.WHILE, **options))


def _operators(builder: Any, count: int = MANY, code: int = 0, **fields: int) -> dict[str, int]:
    """One operator, over and over, on one tensor and one buffer."""
    operator = _table(builder, "Operator", **fields)
    tensors = _vector(builder, [_table(builder, "Tensor")])
    graphs = _graphs(builder, Operators=_vector(builder, [operator] * count), Tensors=tensors)
    codes = _vector(builder, [_table(builder, "OperatorCode", BuiltinCode=code)])
    buffers = _vector(builder, [_table(builder, "Buffer")])
    return {"Subgraphs": graphs, "OperatorCodes": codes, "Buffers": buffers}


def _graphs(builder: Any, count: int = 1, **fields: int) -> int:
    return _vector(builder, [_table(builder, "SubGraph", **fields)] * count)


def _model(builder: Any, **fields: int) -> bytes:
    builder.Finish(_table(builder, "Model", **fields), b"TFL3")
    return bytes(builder.Output())


def _table(builder: Any, name: str, **fields: int) -> int:
    getattr(generated, f"{name}Start")(builder)
    for field, value in fields.items():
        getattr(generated, f"{name}Add{field}")(builder, value)
    return int(getattr(generated, f"{name}End")(builder))


def _vector(builder: Any, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in offsets:
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


BOMBS = (
    shared_names,
    shared_inputs,
    shared_option_strings,
    shared_sparsity,
    many_signatures,
    many_loops,
)
