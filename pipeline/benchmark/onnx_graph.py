"""A float .tflite as an ONNX graph: the same weights, the same function, for onnxruntime to run.

Which operators are known, and how each is said in ONNX, is in `onnx_operators`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from converters import schema
from converters.lstm_op import LstmNode
from models.errors import InputError

OPSET, IR_VERSION = 20, 10
_FLOAT, _INT32, _INT64, _BOOL = 1, 6, 7, 9
_TYPES = {"float32": _FLOAT, "int32": _INT32, "int64": _INT64, "bool": _BOOL}
"""`onnx.TensorProto.DataType` by tensor type."""


class OnnxGraph:
    """A graph that grows: tensors of the .tflite by their index, new ones by names made here.

    Attributes:
        model, graph: the .tflite and its main graph.
    """

    def __init__(self, model: schema.ModelT) -> None:
        self.model, self.graph = model, model.subgraphs[0]
        self._nodes: list[Any] = []
        self._initializers: dict[str, Any] = {}

    def shape(self, index: int) -> tuple[int, ...]:
        """Of a tensor of the .tflite."""
        return schema.shape(self.graph.tensors[index])

    def is_constant(self, index: int) -> bool:
        """Whether its values stand in the file."""
        return schema.has_data(self.model, self.graph.tensors[index])

    def values(self, index: int) -> np.ndarray:
        """Of a tensor that has to be a constant.

        Raises:
            InputError: it is not.
        """
        if not self.is_constant(index):
            name = schema.name(self.graph.tensors[index])
            raise InputError(f"'{name}' is computed where a constant is expected.")
        return schema.constant(self.model, self.graph.tensors[index])

    def of(self, index: int) -> str:
        """The ONNX name of a tensor of the .tflite; a constant enters the graph with it."""
        name = f"t{index}"
        if self.is_constant(index) and name not in self._initializers:
            self._initializers[name] = self._tensor(self.values(index), name)
        return name

    def constant(self, values: np.ndarray) -> str:
        """A new constant."""
        name = f"c{len(self._initializers)}"
        self._initializers[name] = self._tensor(values, name)
        return name

    def integers(self, *values: int) -> str:
        """A new constant [n] of the type in which ONNX takes shapes and axes."""
        return self.constant(np.array(values, np.int64))

    def add(self, operator: str, *inputs: str, to: int | None = None, **attributes: Any) -> str:
        """A node with one output, which is the .tflite's tensor `to` or a new one; returns its name."""
        from onnx import helper

        name = f"n{len(self._nodes)}" if to is None else f"t{to}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def cast_to_int64(self, name: str) -> str:
        """The type in which GatherND takes places."""
        from onnx import helper

        made = f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node("Cast", [name], [made], to=_INT64))
        return made

    def finish(self) -> Any:
        """The checked `onnx.ModelProto`, with inputs and outputs in the order of the .tflite."""
        import onnx
        from onnx import helper

        inputs, outputs = (
            [self._described(index) for index in schema.indices(side)]
            for side in (self.graph.inputs, self.graph.outputs)
        )
        graph = helper.make_graph(self._nodes, "main", inputs, outputs, list(self._initializers.values()))
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        made.ir_version = IR_VERSION
        onnx.checker.check_model(made, full_check=True)
        return made

    def _described(self, index: int) -> Any:
        from onnx import helper

        kind = schema.tensor_type_name(self.graph.tensors[index])
        return helper.make_tensor_value_info(f"t{index}", _TYPES[kind], self.shape(index))

    @staticmethod
    def _tensor(values: np.ndarray, name: str) -> Any:
        from onnx import numpy_helper

        return numpy_helper.from_array(np.ascontiguousarray(values).reshape(values.shape), name)


def to_onnx(model: schema.ModelT) -> Any:
    """The same model as an `onnx.ModelProto`.

    Raises:
        InputError: the model is not all float, or has an operator (or a variant of one) that is not known.
    """
    from pipeline.benchmark.onnx_operators import translate

    if len(model.subgraphs) != 1:
        raise InputError("It has control flow, which is not translated.")
    graph = OnnxGraph(model)
    kinds = {schema.tensor_type_name(tensor) for tensor in graph.graph.tensors}
    if not kinds <= set(_TYPES):
        other = ", ".join(sorted(kinds - set(_TYPES)))
        raise InputError(f"It has tensors of {other}; only float is translated.")
    for operator in graph.graph.operators:
        translate(graph, operator)
    return graph.finish()


def gates_stacked(graph: OnnxGraph, node: LstmNode, places: Sequence[int]) -> np.ndarray:
    """Constants of four gates at places in TFLite's order i, f, c, o, stacked in ONNX's i, o, f, c."""
    at = schema.indices(node.operator.inputs)
    given, forget, cell, output = (graph.values(at[place]) for place in places)
    return np.concatenate([given, output, forget, cell])
