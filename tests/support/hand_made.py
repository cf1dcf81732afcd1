"""A .tflite with logits and attention weights that nobody trained or converted: three ops, made in a moment.

    logits = sum over time of the features            [1, classes = features]
    attention_weights = softmax(beta * sum over features)   [1, steps]
"""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as generated

from converters import schema
from converters.metadata import attach_metadata

STEPS, FEATURES = 5, 3
OUTPUTS = ("logits", "attention_weights")


def metadata(**changes: Any) -> dict[str, Any]:
    """What a file of ours would say about itself; raw windows are twice the features plus one."""
    document: dict[str, Any] = {
        "name": "hand made",
        "class_names": ["left", "middle", "right"],
        "channel_names": ["x", "y", "z"],
        "channel_units": ["g", "g", "g"],
        "sample_rate_hz": 10.0,
        "preprocessing": {
            "mean": [1.0] * FEATURES,
            "std": [2.0] * FEATURES,
            "steps": STEPS,
            "features": FEATURES,
            "padding": "front",
        },
        "provenance": {},
    }
    return {**document, **changes}


def padded_at_end(**changes: Any) -> dict[str, Any]:
    """Metadata of a file that takes lengths."""
    document = metadata(**changes)
    return {**document, "preprocessing": {**document["preprocessing"], "padding": "end"}}


VALUES = ("values", "attention_weights")


def regression_metadata(padding: str = "front") -> dict[str, Any]:
    """Of a file with the outputs `VALUES`: raw targets are ten times the values plus the target's number."""
    document = metadata(task="regression", class_names=["u", "v", "w"], target_units=["m", "", "s"])
    rule = {"target_mean": [0.0, 1.0, 2.0], "target_std": [10.0] * FEATURES, "padding": padding}
    return {**document, "preprocessing": {**document["preprocessing"], **rule}}


def hand_made(
    outputs: tuple[str, ...] = OUTPUTS,
    *,
    beta: float = 1.0,
    steps: int = STEPS,
    features: int = FEATURES,
    shape: tuple[int, ...] | None = None,
    probabilities: str | None = None,
    per_channel: bool = False,
    per_step: bool = False,
    lengths: bool = False,
    signature: str | None = "serving_default",
    described: dict[str, Any] | None = None,
) -> bytes:
    """The content of such a file.

    Args:
        outputs: names of logits and, if there are two, of the attention weights.
        beta: of the attention's softmax; another one is another attention map.
        shape: of the input as the file states it, where that is not [1, steps, features].
        probabilities: after the logits a "SOFTMAX" or "LOGISTIC", a sigmoid.
        per_channel: attention_weights = softmax(beta * features) of each channel, [1, features, steps], and
            inside the file a context: these weights times the features, [1, features, features].
        per_step: logits = features, [1, steps, classes = features].
        lengths: a second input, lengths [1] int32, which is added to the logits.
        signature: its key; None: the file has none, and tensors go by their own names.
        described: metadata, for a file of ours.
    """
    model = generated.ModelT()
    model.version, model.description = 3, "hand made"
    model.buffers = [generated.BufferT()]
    model.operatorCodes = [
        _code(generated.BuiltinOperator.SUM),
        _code(generated.BuiltinOperator.SOFTMAX),
        _code(generated.BuiltinOperator.TRANSPOSE),
        _code(generated.BuiltinOperator.BATCH_MATMUL),
        _code(generated.BuiltinOperator.CAST),
        _code(generated.BuiltinOperator.ADD),
        _code(generated.BuiltinOperator.LOGISTIC),
    ]
    graph = generated.SubGraphT()
    graph.tensors, graph.operators, graph.name = [], [], "main"
    given = _tensor(model, graph, "features", shape or (1, steps, features))
    time, channel = (_axes(model, graph, axis) for axis in (1, 2))
    logits = _tensor(model, graph, outputs[0], (1, steps, features) if per_step else (1, features))
    if per_step:
        same = _axes(model, graph, 0, 1, 2)
        graph.operators.append(_operator(2, [given, same], logits, _transpose()))
    else:
        graph.operators.append(_operator(0, [given, time], logits, _sum()))
    taken = {"features": given}
    if lengths:
        taken["lengths"] = _tensor(model, graph, "lengths", (1,))
        graph.tensors[taken["lengths"]].type = generated.TensorType.INT32
        length, before = _tensor(model, graph, "length", (1,)), logits
        graph.operators.append(_operator(4, [taken["lengths"]], length, _cast()))
        graph.tensors[before].name = "logits without length"
        logits = _tensor(model, graph, outputs[0], graph.tensors[before].shape)
        graph.operators.append(_operator(5, [before, length], logits, _add()))
    if probabilities:
        before, graph.tensors[logits].name = logits, "scores of classes"
        logits = _tensor(model, graph, outputs[0], (1, features))
        end = _operator(1, [before], logits, _softmax(1.0))
        if probabilities == "LOGISTIC":
            end = _operator(6, [before], logits, (generated.BuiltinOptions.NONE, None))
        graph.operators.append(end)
    results = [logits]
    if len(outputs) > 1:
        rows = (1, features, steps) if per_channel else (1, steps)
        scores, weights = (_tensor(model, graph, name, rows) for name in ("scores", outputs[1]))
        if per_channel:
            order = _axes(model, graph, 0, 2, 1)
            graph.operators.append(_operator(2, [given, order], scores, _transpose()))
        else:
            graph.operators.append(_operator(0, [given, channel], scores, _sum()))
        graph.operators.append(_operator(1, [scores], weights, _softmax(beta)))
        if per_channel:
            context = _tensor(model, graph, "context", (1, features, features))
            graph.operators.append(_operator(3, [weights, given], context, _product()))
        results.append(weights)
    graph.inputs, graph.outputs = list(taken.values()), results
    model.subgraphs = [graph]
    if signature is not None:
        model.signatureDefs = [_signature(signature, taken, dict(zip(outputs, results, strict=True)))]
    content = schema.write_model(model)
    return content if described is None else attach_metadata(content, described)


def windows(count: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Standardized windows [n, 5, 3] that the file decides rightly, and their labels [n]."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % FEATURES
    features = 0.3 * random.normal(size=(count, STEPS, FEATURES)) + np.eye(FEATURES)[labels][:, np.newaxis]
    return features.astype(np.float32), labels


def _code(builtin: int) -> Any:
    code = generated.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, builtin, 1
    return code


def _tensor(model: Any, graph: Any, name: str, shape: tuple[int, ...]) -> int:
    tensor = generated.TensorT()
    tensor.name, tensor.shape, tensor.type = name, list(shape), generated.TensorType.FLOAT32
    tensor.buffer = len(model.buffers)
    model.buffers.append(generated.BufferT())
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _axes(model: Any, graph: Any, *axes: int) -> int:
    index = _tensor(model, graph, f"axes {axes}", (len(axes),))
    graph.tensors[index].type = generated.TensorType.INT32
    values = np.array(axes, np.int32)
    model.buffers[graph.tensors[index].buffer].data = np.frombuffer(values.tobytes(), np.uint8)
    return index


def _operator(code: int, inputs: list[int], output: int, options: tuple[int, Any]) -> Any:
    operator = generated.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, inputs, [output]
    operator.builtinOptionsType, operator.builtinOptions = options
    return operator


def _sum() -> tuple[int, Any]:
    return generated.BuiltinOptions.ReducerOptions, generated.ReducerOptionsT()


def _transpose() -> tuple[int, Any]:
    return generated.BuiltinOptions.TransposeOptions, generated.TransposeOptionsT()


def _product() -> tuple[int, Any]:
    return generated.BuiltinOptions.BatchMatMulOptions, generated.BatchMatMulOptionsT()


def _cast() -> tuple[int, Any]:
    options = generated.CastOptionsT()
    options.inDataType, options.outDataType = generated.TensorType.INT32, generated.TensorType.FLOAT32
    return generated.BuiltinOptions.CastOptions, options


def _add() -> tuple[int, Any]:
    return generated.BuiltinOptions.AddOptions, generated.AddOptionsT()


def _softmax(beta: float) -> tuple[int, Any]:
    options = generated.SoftmaxOptionsT()
    options.beta = beta
    return generated.BuiltinOptions.SoftmaxOptions, options


def _signature(key: str, taken: dict[str, int], results: dict[str, int]) -> Any:
    def entry(name: str, index: int) -> Any:
        one = generated.TensorMapT()
        one.name, one.tensorIndex = name, index
        return one

    signature = generated.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = key, 0
    signature.inputs = [entry(name, index) for name, index in taken.items()]
    signature.outputs = [entry(name, index) for name, index in results.items()]
    return signature
