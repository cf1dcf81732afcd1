"""Check that a .tflite flatbuffer stays inside itself, before anything unpacks it.

The generated Python unpacker trusts its input: it cuts strings short without a word and follows any length.
The interpreter's C++ verifier is no way out: building an interpreter on a file that passes it can still end
the process (a model without subgraphs does). This one knows the tables that hold a model's structure; what
is not listed (operator options) are small tables in which the unpacker raises by itself.

A table starts with the distance back to its vtable, which lists for every field the distance from the
table's start (0: absent). Vectors, strings and sub-tables are stored as a distance to where they are.
(FlatBuffers, "Internals".)
"""

from __future__ import annotations

import struct

TABLE, TABLES = "table", "tables"  # kinds of fields: one sub-table, a vector of them, else bytes an element

_Field = tuple[str, str] | int
_STRUCTURE: dict[str, dict[int, _Field]] = {
    "Model": {
        1: (TABLES, "OperatorCode"),
        2: (TABLES, "SubGraph"),
        3: 1,  # description
        4: (TABLES, "Buffer"),
        5: 4,  # metadata_buffer
        6: (TABLES, "Metadata"),
        7: (TABLES, "SignatureDef"),
        8: (TABLES, "ExternalBufferGroup"),
        9: (TABLES, "ExternalBuffer"),
    },
    "OperatorCode": {1: 1},  # custom_code
    "SubGraph": {0: (TABLES, "Tensor"), 1: 4, 2: 4, 3: (TABLES, "Operator"), 4: 1},  # in, out, name
    "Tensor": {
        0: 4,  # shape
        3: 1,  # name
        4: (TABLE, "Quantization"),
        6: (TABLE, "Sparsity"),
        7: 4,  # shape_signature
        9: (TABLES, "VariantSubType"),
    },
    "Quantization": {0: 4, 1: 4, 2: 4, 3: 8},  # min, max, scale, zero_point
    "Sparsity": {0: 4, 1: 4, 2: (TABLES, "Dimension")},  # traversal_order, block_map
    "Dimension": {},
    "VariantSubType": {0: 4},  # shape
    "Operator": {1: 4, 2: 4, 5: 1, 7: 1, 8: 4},  # in, out, custom_options, mutating inputs, intermediates
    "Buffer": {0: 1},  # data
    "Metadata": {0: 1},  # name
    "SignatureDef": {0: (TABLES, "TensorMap"), 1: (TABLES, "TensorMap"), 2: 1},  # in, out, key
    "TensorMap": {0: 1},  # name
    "ExternalBufferGroup": {0: 1},  # name
    "ExternalBuffer": {4: 1},  # packing
}

SHARED = 16
"""How often the bytes of a file may be read as vectors and strings, on average. Some writers share equal
ones; without a limit, a small file whose vectors are all the same long one asks for hours and gigabytes."""


class DamagedError(ValueError):
    """The flatbuffer leads outside of itself."""


def verify(content: bytes) -> None:
    """Walk a model's tables, vectors and strings.

    Raises:
        DamagedError: one of them leaves the file, or there are more than the file has room for.
    """
    walk = _Walk(content)
    walk.table(walk.follow(0), "Model")


class _Walk:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._left = len(content) // 4  # tables: each takes 4 bytes at least, and no writer shares them
        self._left_bytes = SHARED * len(content)  # of vectors and strings

    def number(self, place: int, form: str) -> int:
        if not 0 <= place <= len(self._content) - struct.calcsize(form):
            raise DamagedError("it leads outside of itself")
        return int(struct.unpack_from(form, self._content, place)[0])

    def follow(self, place: int) -> int:
        return place + self.number(place, "<I")

    def table(self, table: int, kind: str) -> None:
        self._left -= 1
        if self._left < 0:
            raise DamagedError("it has more tables than room for them")
        vtable = table - self.number(table, "<i")
        size = self.number(vtable, "<H")
        for index, field in _STRUCTURE[kind].items():
            slot = 4 + 2 * index
            distance = self.number(vtable + slot, "<H") if slot < size else 0
            if distance:
                self._field(self.follow(table + distance), field)

    def _field(self, place: int, field: _Field) -> None:
        if not isinstance(field, int) and field[0] == TABLE:
            self.table(place, field[1])
            return
        length = self.number(place, "<I")
        size = length * (field if isinstance(field, int) else 4)
        if place + 4 + size > len(self._content):
            raise DamagedError("a vector reaches beyond its end")
        self._left_bytes -= size
        if self._left_bytes < 0:
            raise DamagedError("it has more vectors than room for them")
        if not isinstance(field, int):
            for element in range(place + 4, place + 4 + 4 * length, 4):
                self.table(self.follow(element), field[1])
