"""Builds .tflite files that hold one fused float LSTM and nothing else, straight from the schema."""

import numpy as np
from ai_edge_litert import schema_py_generated as generated

from converters import schema
from converters.lstm_op import LstmInput


def build(
    weights: np.ndarray,
    recurrent: np.ndarray,
    bias: np.ndarray,
    steps: int,
    *,
    time_major: bool = False,
    cell_clip: float = 0.0,
    peephole: bool = False,
) -> bytes:
    """The file: input 0 is x [1, steps, features], output 0 the hidden states [1, steps, units].

    Args:
        weights: [4, units, features], gates i, f, c, o; recurrent: [4, units, units]; bias: [4, units].
    """
    tensors, buffers = [], [generated.BufferT()]

    def tensor(
        name: str, shape: tuple[int, ...], values: np.ndarray | None = None, state: bool = False
    ) -> int:
        made = generated.TensorT()
        made.name, made.shape, made.hasRank = name, list(shape), True
        made.type, made.isVariable, made.buffer = generated.TensorType.FLOAT32, state, 0
        if values is not None:
            made.buffer = len(buffers)
            buffers.append(generated.BufferT())
            buffers[-1].data = np.frombuffer(values.astype(np.float32).tobytes(), np.uint8)
        tensors.append(made)
        return len(tensors) - 1

    _, units, features = weights.shape
    sides = (steps, 1) if time_major else (1, steps)
    inputs = [-1] * 24
    inputs[LstmInput.INPUT] = tensor("x", (*sides, features))
    for gate in range(4):
        for first, values in (
            (LstmInput.INPUT_TO_INPUT_WEIGHTS, weights),
            (LstmInput.RECURRENT_TO_INPUT_WEIGHTS, recurrent),
            (LstmInput.INPUT_GATE_BIAS, bias),
        ):
            inputs[first + gate] = tensor(f"{first.name} {gate}", values[gate].shape, values[gate])
    inputs[LstmInput.HIDDEN_STATE] = tensor("h", (1, units), state=True)
    inputs[LstmInput.CELL_STATE] = tensor("c", (1, units), state=True)
    if peephole:
        inputs[LstmInput.CELL_TO_INPUT_WEIGHTS] = tensor("peephole", (units,), np.zeros(units))
    options = generated.UnidirectionalSequenceLSTMOptionsT()
    options.fusedActivationFunction = generated.ActivationFunctionType.TANH
    options.cellClip, options.timeMajor = cell_clip, time_major
    operator = generated.OperatorT()
    operator.inputs, operator.outputs = inputs, [tensor("y", (*sides, units))]
    operator.builtinOptionsType = generated.BuiltinOptions.UnidirectionalSequenceLSTMOptions
    operator.builtinOptions = options
    code = generated.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = generated.BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_LSTM
    code.version = 1
    graph = generated.SubGraphT()
    graph.name, graph.tensors, graph.operators = "main", tensors, [operator]
    graph.inputs, graph.outputs = [inputs[LstmInput.INPUT]], list(operator.outputs)
    file = generated.ModelT()
    file.version, file.operatorCodes, file.subgraphs, file.buffers = 3, [code], [graph], buffers
    return schema.write_model(file)


def random_lstm(features: int, units: int, steps: int, seed: int = 0, time_major: bool = False) -> bytes:
    """Such a file with weights and biases of normal noise."""
    random = np.random.default_rng(seed)
    parts = (random.normal(size=shape) for shape in ((4, units, features), (4, units, units), (4, units)))
    return build(*parts, steps, time_major=time_major)
