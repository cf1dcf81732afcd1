"""A new model beside the one it is made from: only what is put into it gets written.

Activations share buffer 0, which is empty by convention; equal constants share a buffer.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import schema
from converters.quantizer.constants import Constant
from converters.quantizer.formats import Format
from converters.quantizer.versions import Signature, runtime_of, version_of


class Writer:
    """Collects the tensors, buffers and operators of a quantized model.

    Args:
        source: the float model, which stays as it is.
    """

    def __init__(self, source: schema.ModelT) -> None:
        self._source = source
        (self._graph,) = source.subgraphs
        self._tensors: list[schema.TensorT] = []
        self._operators: list[schema.OperatorT] = []
        self._codes: dict[tuple[int, int], int] = {}
        self._kinds: list[Any] = []
        self._buffers: list[schema.BufferT] = [schema.BufferT()]
        self._constants: dict[bytes, int] = {}
        self._copied: dict[int, int] = {}
        self._names = {schema.name(tensor) for tensor in self._graph.tensors}
        self._named: set[str] = set()
        self._runtime: tuple[int, ...] = (0,)

    def tensor(self, name: str, like: schema.TensorT, number: Format) -> int:
        """Add an activation of another tensor's shape; returns its index."""
        return self._add(_tensor(name, like, number.precision, _record(number)))

    def constant(self, name: str, like: schema.TensorT, values: Constant) -> int:
        """Add a quantized constant of another tensor's shape."""
        record = schema.QuantizationParametersT()
        record.scale = values.scales.astype(np.float32)
        record.zeroPoint = np.full(len(values.scales), values.zero_point, np.int64)
        record.quantizedDimension = values.axis
        made = _tensor(name, like, str(values.values.dtype), record)
        made.buffer = self._buffer(values.values.tobytes())
        return self._add(made)

    def half(self, name: str, like: schema.TensorT, values: NDArray[np.float32]) -> int:
        """Add a float16 constant; halves go to even."""
        made = _tensor(name, like, "float16", None)
        made.buffer = self._buffer(values.astype(np.float16).tobytes())
        return self._add(made)

    def copied(self, index: int) -> int:
        """The source's tensor as it is, with its data if it has any; once, however often it is asked for."""
        if index not in self._copied:
            made = copy.copy(self._graph.tensors[index])
            data = self._source.buffers[made.buffer].data
            made.buffer = 0 if data is None or len(data) == 0 else self._buffer(bytes(data))
            self._copied[index] = self._add(made)
        return self._copied[index]

    def empty(self, name: str, number: Format) -> int:
        """Add a tensor without elements that only lends its record (an LSTM's intermediate)."""
        like = schema.TensorT()
        like.shape = np.zeros(1, np.int32)
        return self._add(_tensor(name, like, number.precision, _record(number)))

    def variable(self, name: str, like: schema.TensorT, number: Format) -> int:
        """Add a state that survives ``invoke``."""
        index = self.tensor(name, like, number)
        self._tensors[index].isVariable = True
        return index

    def new_name(self, wanted: str) -> str:
        """A name that no tensor of the source has, and none that was given out before."""
        name, number = wanted, 1
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name

    def constant_name(self, tensor: schema.TensorT) -> str:
        """The name of a tensor of the source for what is made of it: its own, and a new one from then on."""
        name = schema.name(tensor)
        if name in self._named:
            return self.new_name(name)
        self._named.add(name)
        return name

    def name(self, index: int) -> str:
        """Of a tensor that was added."""
        return schema.name(self._tensors[index])

    def format(self, index: int) -> tuple[float, int] | None:
        """Scale and zero point of a tensor that was added."""
        return schema.scale_and_zero_point(self._tensors[index])

    def scales(self, index: int) -> NDArray[np.float32]:
        """All scales of a tensor that was added, one for each channel."""
        return np.array(self._tensors[index].quantization.scale, np.float32)

    def operator(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        like: schema.OperatorT | None = None,
        options: Any = None,
        intermediates: Sequence[int] = (),
    ) -> None:
        """Add an operator, in the smallest version that knows its signature.

        Args:
            name: of the builtin op.
            inputs, outputs, intermediates: tensor indices, -1 for an absent one.
            like: the source's operator, for its kind of options.
            options: instead of ``like``'s.
        """
        made = schema.OperatorT() if like is None else copy.copy(like)
        if options is not None:
            made.builtinOptions = options
        made.inputs, made.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        made.intermediates = np.array(intermediates, np.int32) if intermediates else None
        version = version_of(name, self._signature(inputs, outputs, made.builtinOptions))
        made.opcodeIndex = self._code(schema.builtin_code(name), version)
        self._runtime = max(self._runtime, runtime_of(name, version))
        self._operators.append(made)

    def untouched(self, operator: schema.OperatorT, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        """Add an operator of the source as it is, in the version it has there."""
        made = copy.copy(operator)
        made.inputs, made.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        code = self._source.operatorCodes[operator.opcodeIndex]
        made.opcodeIndex = self._code(max(code.builtinCode, code.deprecatedBuiltinCode), code.version)
        self._operators.append(made)

    def finish(self, inputs: dict[int, int], outputs: dict[int, int]) -> bytes:
        """Pack the model.

        Args:
            inputs, outputs: the new index of each input and output of the source.
        """
        made, graph = copy.copy(self._source), copy.copy(self._graph)
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs = np.array([inputs[index] for index in schema.indices(self._graph.inputs)], np.int32)
        graph.outputs = np.array([outputs[index] for index in schema.indices(self._graph.outputs)], np.int32)
        made.subgraphs, made.operatorCodes, made.buffers = [graph], self._kinds, self._buffers
        made.signatureDefs = [_renumbered(one, inputs, outputs) for one in self._source.signatureDefs or []]
        made.metadata = [self._metadata(entry) for entry in self._source.metadata or []]
        made.metadataBuffer = None
        return schema.write_model(made)

    def _add(self, tensor: schema.TensorT) -> int:
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _buffer(self, data: bytes) -> int:
        if data not in self._constants:
            self._constants[data] = self._new_buffer(data)
        return self._constants[data]

    def _new_buffer(self, data: bytes) -> int:
        made = schema.BufferT()
        made.data = np.frombuffer(data, np.uint8)
        self._buffers.append(made)
        return len(self._buffers) - 1

    def _metadata(self, entry: schema.MetadataT) -> schema.MetadataT:
        """An entry with a buffer of its own; the runtime it names is the newest that an op asks for."""
        made = copy.copy(entry)
        data = self._source.buffers[entry.buffer].data
        content = b"" if data is None else bytes(data)
        if schema.name(entry) == "min_runtime_version":
            known = tuple(int(part) for part in content.rstrip(b"\0").split(b".") if part.isdigit())
            content = ".".join(map(str, max(self._runtime, known))).encode().ljust(len(content), b"\0")
        made.buffer = self._new_buffer(content)
        return made

    def _signature(self, inputs: Sequence[int], outputs: Sequence[int], options: Any) -> Signature:
        given = [self._tensors[index] if index >= 0 else None for index in inputs]
        output = self._tensors[outputs[0]]
        scales = [*(_scale(tensor) for tensor in given[:2]), 0.0, 0.0][:2]
        return Signature(
            tuple("" if tensor is None else schema.tensor_type_name(tensor) for tensor in given),
            schema.tensor_type_name(output),
            tuple(0 if tensor is None else len(schema.shape(tensor)) for tensor in given),
            (scales[0], scales[1], _scale(output)),
            any(tensor is not None and len(schema.quantization(tensor)[0]) > 1 for tensor in given[:2]),
            options,
        )

    def _code(self, builtin: int, version: int) -> int:
        key = (builtin, version)
        if key not in self._codes:
            self._codes[key] = len(self._kinds)
            self._kinds.append(schema.operator_code(builtin, version))
        return self._codes[key]


def _tensor(
    name: str, like: schema.TensorT, type_name: str, record: schema.QuantizationParametersT | None
) -> schema.TensorT:
    made = schema.TensorT()
    made.name, made.shape, made.shapeSignature = name, like.shape, like.shapeSignature
    made.hasRank = like.hasRank
    made.type, made.quantization, made.buffer = schema.tensor_type(type_name), record, 0
    return made


def _record(number: Format) -> schema.QuantizationParametersT | None:
    if number.precision == "float32":
        return None
    record = schema.QuantizationParametersT()
    record.scale = np.array([number.scale], np.float32)
    record.zeroPoint = np.array([number.zero_point], np.int64)
    return record


def _scale(tensor: schema.TensorT | None) -> float:
    record = None if tensor is None else schema.scale_and_zero_point(tensor)
    return 0.0 if record is None else record[0]


def _renumbered(signature: Any, inputs: dict[int, int], outputs: dict[int, int]) -> Any:
    """A signature that names the new tensors."""
    made = copy.copy(signature)
    for side, numbers in (("inputs", inputs), ("outputs", outputs)):
        entries = []
        for entry in getattr(signature, side) or []:
            changed = copy.copy(entry)
            changed.tensorIndex = numbers[entry.tensorIndex]
            entries.append(changed)
        setattr(made, side, entries)
    return made
