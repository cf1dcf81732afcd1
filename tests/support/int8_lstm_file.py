"""Builds .tflite files that hold one fused int8 LSTM and nothing else, straight from the schema.

The file is what the stock converter writes around that op (operator version 1, 24 inputs, 5 intermediates),
so a thousand shapes and scales cost no converter run.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as generated

from converters import schema
from converters.lstm_op import LstmInput

Affine = tuple[float, int]
"""Scale and zero point."""


@dataclass(frozen=True, eq=False)
class Int8Lstm:
    """What such a file holds; gates i, f, g, o."""

    input_weights: np.ndarray  # int8 [4, units, features]
    recurrent_weights: np.ndarray  # int8 [4, units, units]
    bias: np.ndarray  # int32 [4, units]
    input_weight_scales: tuple[float, ...]
    recurrent_weight_scales: tuple[float, ...]
    input: Affine = (1 / 32, 0)
    state: Affine = (1 / 128, 0)
    hidden: Affine = (1 / 128, 0)
    output: Affine = (1 / 128, 0)
    cell_scale: float = 2.0**-12
    cell_clip: float = 0.0
    steps: int = 1
    batch: int = 1
    time_major: bool = False
    extra: dict[LstmInput, np.ndarray] = field(default_factory=dict)

    @property
    def units(self) -> int:
        return self.input_weights.shape[1]

    @property
    def features(self) -> int:
        return self.input_weights.shape[2]


class _Model:
    def __init__(self) -> None:
        self.tensors: list[Any] = []
        self.buffers: list[Any] = [generated.BufferT()]

    def tensor(self, name: str, shape: tuple[int, ...], kind: str, scale: Affine | None, **more: Any) -> int:
        tensor = generated.TensorT()
        tensor.name, tensor.shape, tensor.hasRank = name, list(shape), True
        tensor.type = getattr(generated.TensorType, kind)
        if scale is not None:
            tensor.quantization = generated.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [[value] for value in scale]
        tensor.isVariable = more.get("variable", False)
        values = more.get("values")
        tensor.buffer = 0
        if values is not None:
            tensor.buffer = len(self.buffers)
            self.buffers.append(generated.BufferT())
            self.buffers[-1].data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.tensors.append(tensor)
        return len(self.tensors) - 1


def build(lstm: Int8Lstm) -> bytes:
    """The file: input 0 is x int8, output 0 the hidden states int8."""
    model = _Model()
    units, features = lstm.units, lstm.features
    time_and_batch = (lstm.steps, lstm.batch) if lstm.time_major else (lstm.batch, lstm.steps)
    inputs = [-1] * 24
    inputs[LstmInput.INPUT] = model.tensor("x", (*time_and_batch, features), "INT8", lstm.input)
    for gate in range(4):
        for first, weights, scales in (
            (LstmInput.INPUT_TO_INPUT_WEIGHTS, lstm.input_weights, lstm.input_weight_scales),
            (LstmInput.RECURRENT_TO_INPUT_WEIGHTS, lstm.recurrent_weights, lstm.recurrent_weight_scales),
        ):
            inputs[first + gate] = model.tensor(
                f"weights{first + gate}", weights[gate].shape, "INT8", (scales[gate], 0), values=weights[gate]
            )
        scale = float(np.float32(lstm.input[0]) * np.float32(lstm.input_weight_scales[gate]))
        inputs[LstmInput.INPUT_GATE_BIAS + gate] = model.tensor(
            f"bias{gate}", (units,), "INT32", (scale, 0), values=lstm.bias[gate]
        )
    state = (lstm.batch, units)
    inputs[LstmInput.HIDDEN_STATE] = model.tensor("h", state, "INT8", lstm.state, variable=True)
    inputs[LstmInput.CELL_STATE] = model.tensor("c", state, "INT16", (lstm.cell_scale, 0), variable=True)
    for place, values in lstm.extra.items():
        inputs[place] = model.tensor(place.name, values.shape, "INT16", (2.0**-15, 0), values=values)
    intermediates = [model.tensor(f"intermediate{n}", (0,), "FLOAT32", None) for n in range(4)]
    intermediates.append(model.tensor("effective_hidden_scale", (0,), "INT8", lstm.hidden))
    output = model.tensor("y", (*time_and_batch, units), "INT8", lstm.output)

    options = generated.UnidirectionalSequenceLSTMOptionsT()
    options.fusedActivationFunction = generated.ActivationFunctionType.TANH
    options.cellClip, options.timeMajor = lstm.cell_clip, lstm.time_major
    operator = generated.OperatorT()
    operator.inputs, operator.outputs, operator.intermediates = inputs, [output], intermediates
    operator.builtinOptionsType = generated.BuiltinOptions.UnidirectionalSequenceLSTMOptions
    operator.builtinOptions = options
    code = generated.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = generated.BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_LSTM
    code.version = 1
    graph = generated.SubGraphT()
    graph.name, graph.tensors, graph.operators = "main", model.tensors, [operator]
    graph.inputs, graph.outputs = [inputs[LstmInput.INPUT]], [output]
    file = generated.ModelT()
    file.version, file.operatorCodes, file.subgraphs, file.buffers = 3, [code], [graph], model.buffers
    return schema.write_model(file)


def with_lengths(content: bytes) -> bytes:
    """The same file with a second input, `lengths` int32 [batch], which nothing in it reads."""
    model = schema.read_model(content)
    (graph,) = model.subgraphs
    told = generated.TensorT()
    told.name, told.type, told.buffer = "lengths", generated.TensorType.INT32, 0
    told.shape, told.hasRank = schema.shape(graph.tensors[graph.inputs[0]])[:1], True
    graph.tensors.append(told)
    signature = generated.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    places = {"features": int(graph.inputs[0]), "lengths": len(graph.tensors) - 1}
    signature.inputs, signature.outputs = [], []
    graph.inputs = list(places.values())
    for ends, named in ((signature.inputs, places), (signature.outputs, {"hidden": int(graph.outputs[0])})):
        for name, place in named.items():
            entry = generated.TensorMapT()
            entry.name, entry.tensorIndex = name, place
            ends.append(entry)
    model.signatureDefs = [signature]
    return schema.write_model(model)
