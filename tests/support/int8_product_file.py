"""Builds .tflite files that hold one int8 FULLY_CONNECTED or BATCH_MATMUL, straight from the schema.

Both multiply int8 values into int32 sums and bring these to the output's scale; how they round there is
what such a file is for.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as generated

from converters import schema

Affine = tuple[float, int]
"""Scale and zero point."""


@dataclass(frozen=True)
class Int8Product:
    """What such a file computes: x [1, depth] times a constant, or a [1, rows, depth] times b, both given.

    Attributes:
        x, y: formats of the (first) input and of the output.
        weights: int8 [units, depth]; None: a BATCH_MATMUL of two inputs.
        weight_scales: [units]; of a BATCH_MATMUL one, that of the second input, whose zero point is 0.
        bias: int32 [units], in FULLY_CONNECTED only.
        shapes: of the inputs of a BATCH_MATMUL.
    """

    x: Affine
    y: Affine
    weight_scales: np.ndarray
    weights: np.ndarray | None = None
    bias: np.ndarray | None = None
    shapes: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())

    @property
    def factors(self) -> np.ndarray:
        """s_x * s_w / s_y, float64 of the float32 scales in the file."""
        x, y = np.float32(self.x[0]), np.float32(self.y[0])
        return np.float64(x) * self.weight_scales.astype(np.float32).astype(np.float64) / np.float64(y)


def build(product: Int8Product) -> bytes:
    """The file; all of its inputs and its output are int8."""
    model = generated.ModelT()
    model.version, model.buffers = 3, [generated.BufferT()]
    graph = generated.SubGraphT()
    graph.name, graph.tensors = "main", []

    def tensor(
        name: str, shape: tuple[int, ...], scales: Any, zero_point: int = 0, values: np.ndarray | None = None
    ) -> int:
        made = generated.TensorT()
        made.name, made.shape, made.hasRank, made.buffer = name, list(shape), True, 0
        made.type = generated.TensorType.INT32 if name == "bias" else generated.TensorType.INT8
        made.quantization = generated.QuantizationParametersT()
        made.quantization.scale = [float(one) for one in np.atleast_1d(scales)]
        made.quantization.zeroPoint = [zero_point] * len(made.quantization.scale)
        if values is not None:
            made.buffer = len(model.buffers)
            model.buffers.append(generated.BufferT())
            model.buffers[-1].data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    operator, code = generated.OperatorT(), generated.OperatorCodeT()
    if product.weights is None:
        (_, rows, depth), (_, _, columns) = product.shapes
        inputs = [tensor("a", (1, rows, depth), *product.x)]
        inputs.append(tensor("b", (1, depth, columns), product.weight_scales[0]))
        graph.inputs, shape = list(inputs), (1, rows, columns)
        code.builtinCode = generated.BuiltinOperator.BATCH_MATMUL
        operator.builtinOptionsType = generated.BuiltinOptions.BatchMatMulOptions
        operator.builtinOptions = generated.BatchMatMulOptionsT()
    else:
        assert product.bias is not None
        units, depth = product.weights.shape
        inputs = [tensor("x", (1, depth), *product.x)]
        inputs.append(tensor("weights", (units, depth), product.weight_scales, 0, product.weights))
        inputs.append(
            tensor("bias", (units,), product.weight_scales * product.x[0], 0, product.bias.astype(np.int32))
        )
        graph.inputs, shape = inputs[:1], (1, units)
        code.builtinCode = generated.BuiltinOperator.FULLY_CONNECTED
        operator.builtinOptionsType = generated.BuiltinOptions.FullyConnectedOptions
        operator.builtinOptions = generated.FullyConnectedOptionsT()
    code.deprecatedBuiltinCode, code.version = code.builtinCode, 4
    output = tensor("y", shape, product.y[0], product.y[1])
    operator.inputs, operator.outputs = inputs, [output]
    graph.operators, graph.outputs = [operator], [output]
    model.operatorCodes, model.subgraphs = [code], [graph]
    return schema.write_model(model)
