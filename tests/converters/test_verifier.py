import struct

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as generated

from converters.schema import read_model, write_model
from converters.verifier import DamagedError, verify


def test_whole_files_pass(tiny: dict[str, bytes]) -> None:
    for content in tiny.values():
        verify(content)
        verify(write_model(read_model(content)))


def test_a_vector_and_a_string_may_not_leave_the_file() -> None:
    """By hand: the table at 8, its vtable at 12, its one field at 24, the string or vector at 28."""

    def model(length: int, kind: int = 3) -> bytes:
        offsets = [0, 0, 0, 0]
        offsets[kind] = 16
        vtable = struct.pack("<HHHHHH", 12, 20, *offsets)
        table = struct.pack("<i", -4) + vtable + struct.pack("<I", 4)
        return struct.pack("<I4s", 8, b"TFL3") + table + struct.pack("<I", length) + b"abc\0"

    verify(model(3))
    verify(model(4))
    with pytest.raises(DamagedError, match="beyond its end"):
        verify(model(5))
    with pytest.raises(DamagedError, match="beyond its end"):
        verify(model(0xFFFFFFFF))
    with pytest.raises(DamagedError, match="beyond its end"):
        verify(model(2, kind=2))  # two subgraphs take 8 bytes, 4 are left
    with pytest.raises(DamagedError, match="outside of itself"):
        verify(model(1, kind=2))  # one subgraph, "abc" further on


@pytest.mark.parametrize("length", [0, 3, 8, 11])
def test_what_has_no_room_for_a_table_is_refused(length: int) -> None:
    with pytest.raises(DamagedError, match="outside of itself"):
        verify((struct.pack("<I4s", 8, b"TFL3") + b"\0" * 4)[:length])


def test_tables_that_are_shared_over_and_over_are_refused() -> None:
    """60 times the same subgraph of 60 times the same tensor: 3660 tables in a file of some 600 bytes."""
    builder = flatbuffers.Builder(64)
    generated.TensorStart(builder)
    tensor = generated.TensorEnd(builder)
    tensors = vector(builder, [tensor] * 60)
    generated.SubGraphStart(builder)
    generated.SubGraphAddTensors(builder, tensors)
    graph = generated.SubGraphEnd(builder)
    graphs = vector(builder, [graph] * 60)
    generated.ModelStart(builder)
    generated.ModelAddSubgraphs(builder, graphs)
    builder.Finish(generated.ModelEnd(builder), b"TFL3")
    with pytest.raises(DamagedError, match="more tables than room"):
        verify(bytes(builder.Output()))


def vector(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in offsets:
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def test_each_listed_field_is_what_the_schema_says(tiny: dict[str, bytes]) -> None:
    """A wrong place in the verifier's list would overlook this vector's length."""
    content = tiny["int8"]
    model = generated.Model.GetRootAs(content, 0)
    graph, signature = model.Subgraphs(0), model.SignatureDefs(0)
    tensor = next(
        tensor
        for tensor in map(graph.Tensors, range(graph.TensorsLength()))
        if tensor.Quantization().ScaleLength()
    )
    operator = next(
        one for one in map(graph.Operators, range(graph.OperatorsLength())) if one.IntermediatesLength()
    )
    buffer = next(one for one in map(model.Buffers, range(model.BuffersLength())) if one.DataLength())
    places = [(model._tab, place) for place in (1, 2, 4, 6, 7)]
    places += [(graph._tab, place) for place in range(5)]
    places += [(tensor._tab, place) for place in (0, 3)]
    places += [(tensor.Quantization()._tab, place) for place in (2, 3)]
    places += [(operator._tab, place) for place in (1, 2, 8)]
    places += [(buffer._tab, 0), (model.Metadata(0)._tab, 0)]
    places += [(signature._tab, place) for place in range(3)]
    places += [(signature.Inputs(0)._tab, 0)]
    for table, place in places:
        distance = table.Offset(4 + 2 * place)
        assert distance, place
        length = table.Vector(distance) - 4
        damaged = bytearray(content)
        damaged[length : length + 4] = struct.pack("<I", 2**29 - 1)
        with pytest.raises(DamagedError):
            verify(bytes(damaged))
