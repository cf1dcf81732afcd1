"""What TensorFlow Lite Micro has to be told about a model: its ops by name, and how much memory it takes."""

from __future__ import annotations

from converters import schema
from converters.findings.memory import from_tensors, tensor_bytes
from converters.lstm_op import lstm_nodes
from models.errors import InputError

RESOLVER = {
    "ADD": "Add",
    "AVERAGE_POOL_2D": "AveragePool2D",
    "BATCH_MATMUL": "BatchMatMul",
    "BROADCAST_TO": "BroadcastTo",
    "CAST": "Cast",
    "CONCATENATION": "Concatenation",
    "CONV_2D": "Conv2D",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2D",
    "EXPAND_DIMS": "ExpandDims",
    "FULLY_CONNECTED": "FullyConnected",
    "GATHER": "Gather",
    "L2_NORMALIZATION": "L2Normalization",
    "LEAKY_RELU": "LeakyRelu",
    "LESS": "Less",
    "LOGISTIC": "Logistic",
    "MAXIMUM": "Maximum",
    "MAX_POOL_2D": "MaxPool2D",
    "MEAN": "Mean",
    "MINIMUM": "Minimum",
    "MUL": "Mul",
    "PAD": "Pad",
    "QUANTIZE": "Quantize",
    "REDUCE_MAX": "ReduceMax",
    "RELU": "Relu",
    "RELU6": "Relu6",
    "RESHAPE": "Reshape",
    "REVERSE_V2": "ReverseV2",
    "SELECT_V2": "SelectV2",
    "SLICE": "Slice",
    "SOFTMAX": "Softmax",
    "SQUEEZE": "Squeeze",
    "STRIDED_SLICE": "StridedSlice",
    "SUB": "Sub",
    "SUM": "Sum",
    "TANH": "Tanh",
    "TRANSPOSE": "Transpose",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
}
"""The ops of our files, by what follows `Add` in the method of MicroMutableOpResolver that registers them.

Source: `tensorflow/lite/micro/micro_mutable_op_resolver.h` of tflite-micro, August 2026."""

_ALIGNMENT = 16  # bytes: MicroArenaBufferAlignment()


def resolver_ops(model: schema.ModelT) -> list[str]:
    """The methods that register a model's ops, without their `Add`, each once, in alphabetical order.

    Raises:
        InputError: an op that is not known to be in TensorFlow Lite Micro.
    """
    names = {schema.operator_name(model, one) for one in schema.operators(model, model.subgraphs[0])}
    unknown = sorted(names - set(RESOLVER))
    if unknown:
        raise InputError(
            f"TensorFlow Lite Micro is not known to have {', '.join(unknown)}.",
            f"It runs models of {', '.join(sorted(RESOLVER))}.",
        )
    return sorted(RESOLVER[name] for name in names)


def arena_bytes(model: schema.ModelT) -> int:
    """An upper estimate of the tensor arena, in bytes, a multiple of 16; nothing is run.

    The sum of

    * what is alive at once (`converters.findings.memory.from_tensors`, the state included), each of these
      tensors rounded up to 16 bytes, and as scratch of an LSTM four gates of int16;
    * what the interpreter keeps: 24 bytes a tensor, 96 an input or output, 64 + 160 an op, 1000 beside;
    * of an LSTM 1000 bytes, and 40 a unit for its biases with the zero points folded in, which is 8 gate
      products of int32 and 8 for good measure; of an int16 softmax 2 tables of 513 int16, doubled.

    The sizes are those of a 64-bit machine, where pointers take 8 bytes; a 32-bit chip needs less. What the
    interpreter of the tflite-micro package of October 2026 allocates on x86-64 was 65 to 83 % of this, over
    every kind of attention.
    """
    (graph,) = model.subgraphs[:1]
    values = [one for one in graph.tensors if not schema.has_data(model, one) and tensor_bytes(one)]
    operators, ends = list(schema.operators(model, graph)), len(graph.inputs) + len(graph.outputs)
    units = [schema.elements(node.cell_state) for node in lstm_nodes(model)]
    wide = [
        one
        for one in schema.operators(model, graph, "SOFTMAX")
        if schema.tensor_type_name(graph.tensors[one.outputs[0]]) == "int16"
    ]
    planned = (
        from_tensors(model) + _ALIGNMENT * len(values) + max((4 * 2 * size for size in units), default=0)
    )
    kept = 1000 + 24 * len(graph.tensors) + 96 * ends + 224 * len(operators)
    own = sum(1000 + 40 * size for size in units) + 2 * 2 * 2 * 513 * len(wide)
    return -(-(planned + kept + own) // _ALIGNMENT) * _ALIGNMENT
