"""Every op of the registry in every precision it has, alone in a model, against its float form."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from float_graphs import FEATURES, STEPS, everything, float_graph, observed, windows
from op_by_op import check

from converters import schema
from converters.lint import check_integer_only
from converters.lstm_op import FUSED_LSTM
from converters.quantizer import quantize
from converters.quantizer.operators import REGISTRY

random = np.random.default_rng(5)
MATRIX = random.normal(size=(FEATURES, 3)).astype(np.float32)
VECTOR = random.normal(size=3).astype(np.float32)
FILTER = random.normal(size=(3, FEATURES, 2)).astype(np.float32)
EACH = random.normal(size=(1, 3, FEATURES, 1)).astype(np.float32)


def tf() -> Any:
    import tensorflow

    return tensorflow


def l2_normalized(x: Any) -> Any:
    """Over the last axis, as the converter recognizes it."""
    return tf().nn.l2_normalize(x, -1)


def masked(x: Any) -> Any:
    """Steps 4 and 5 of the first channel are masked."""
    scores = tf().transpose(x, [0, 2, 1])[:, :1]
    return tf().where(tf().range(STEPS) < 4, scores * 2.0, tf().fill(scores.shape, -3.0))


def depthwise(x: Any) -> Any:
    """A filter for each channel, of 3 steps, two of them apart."""
    return tf().nn.depthwise_conv2d(x[:, None], EACH, [1, 1, 1, 1], "VALID", dilations=[1, 2])


GRAPHS: dict[str, Callable[[Any], Any]] = {
    "ADD": lambda x: x[:, :, None, :] + x[:, None, :, :],
    "AVERAGE_POOL_2D": lambda x: tf().nn.avg_pool1d(x, 3, 2, "SAME"),
    "BROADCAST_TO": lambda x: tf().broadcast_to(x[:, :1], [1, STEPS, FEATURES]),
    "CONV_2D": lambda x: tf().nn.relu(tf().nn.conv1d(x, FILTER, 1, "SAME") + VECTOR[:2]),
    "DEPTHWISE_CONV_2D": lambda x: depthwise(x) + VECTOR[0],
    "LEAKY_RELU": lambda x: tf().nn.leaky_relu(x, 0.3),
    "MAXIMUM": lambda x: tf().maximum(x, x[:, ::-1]),
    "MAX_POOL_2D": lambda x: tf().nn.max_pool1d(x, 2, 2, "VALID"),
    "MINIMUM": lambda x: tf().minimum(x, 0.4),
    "PAD": lambda x: tf().pad(x, [[0, 0], [2, 1], [0, 0]]),
    "REDUCE_MAX": lambda x: tf().reduce_max(x, 1),
    "RELU": lambda x: tf().nn.relu(x),
    "RELU6": lambda x: tf().nn.relu6(x),
    "SUB": lambda x: x - 2.0 * x[:, :1],
    "SUM": lambda x: tf().reduce_sum(x, 1),
    "TILE": lambda x: tf().tile(x, [1, 2, 1]),
    "BATCH_MATMUL": lambda x: tf().matmul(x, x, transpose_b=True),
    "CONCATENATION": lambda x: tf().concat([x, x[:, :, :2]], -1),
    "EXPAND_DIMS": lambda x: tf().expand_dims(x, 1),
    "FULLY_CONNECTED": lambda x: tf().matmul(x, MATRIX) + VECTOR,
    "GATHER": lambda x: tf().gather(x, [5, 0, 3], axis=1),
    "L2_NORMALIZATION": l2_normalized,
    "LOGISTIC": lambda x: tf().sigmoid(4.0 * x),
    "MEAN": lambda x: tf().reduce_mean(x, 1),
    "MUL": lambda x: x * 0.3,
    "RESHAPE": lambda x: tf().reshape(x, [1, STEPS, 2, FEATURES // 2]),
    "REVERSE_V2": lambda x: tf().reverse(x, [1]),
    "SELECT_V2": masked,
    "SLICE": lambda x: tf().slice(x, [0, 1, 0], [1, 3, FEATURES]),
    "SOFTMAX": lambda x: tf().nn.softmax(4.0 * x),
    "SQUEEZE": lambda x: tf().squeeze(x, 0),
    "STRIDED_SLICE": lambda x: x[:, -1, ::2],
    "TANH": lambda x: tf().tanh(4.0 * x),
    "TRANSPOSE": lambda x: tf().transpose(x, [0, 2, 1]),
}


@cache
def graph(name: str) -> bytes:
    content = float_graph(lambda features: {"y": GRAPHS[name](features)})
    return as_it_was(content, name) if name in ("EXPAND_DIMS", "SQUEEZE") else content


def as_it_was(content: bytes, name: str) -> bytes:
    """The file with its RESHAPE turned back into what the converter makes it from."""
    model = schema.read_model(content)
    (graph,) = model.subgraphs
    (operator,) = schema.operators(model, graph, "RESHAPE")
    model.operatorCodes[operator.opcodeIndex] = schema.operator_code(schema.builtin_code(name), 1)
    operator.builtinOptions, operator.builtinOptionsType = None, 0
    if name == "SQUEEZE":  # without options: all axes of length 1
        operator.inputs = operator.inputs[:1]
    else:
        axis = graph.tensors[operator.inputs[1]]
        axis.shape = np.array([1], np.int32)
        model.buffers[axis.buffer].data = np.frombuffer(np.int32(1).tobytes(), np.uint8)
    return schema.write_model(model)


def cases() -> list[Any]:
    return [
        (name, precision)
        for name, row in REGISTRY.items()
        for precision in row.precisions
        if name != FUSED_LSTM  # see test_attention.py
    ]


@pytest.mark.parametrize(("name", "precision"), cases())
def test_an_op_computes_what_its_float_form_does(name: str, precision: str) -> None:
    rule = (lambda kind, output: precision) if name == "L2_NORMALIZATION" else everything(precision)
    content, _ = quantize(graph(name), observed(graph(name), rule))
    if precision != "float32":
        check_integer_only(content)
    compared = {one for window in windows(20) for one in check(content, window)}
    assert f"{name} {precision}" in compared, compared


def test_every_row_has_a_case_and_a_line_in_the_documentation() -> None:
    assert set(GRAPHS) == set(REGISTRY) - {FUSED_LSTM}
    text = (Path(__file__).parents[3] / "docs" / "quantizer.md").read_text("utf-8")
    for row in REGISTRY.values():
        assert f"`{row.name}`" in text
        assert f"`{row.kernel}`" in text


def test_a_scalar_factor_is_exact() -> None:
    """0.3 is the integer 127 with scale 0.3 / 127, or 32767 with 0.3 / 32767."""
    for precision, largest in (("int8", 127), ("int16", 32767)):
        content, _ = quantize(graph("MUL"), observed(graph("MUL"), everything(precision)))
        model = schema.read_model(content)
        (factor,) = [t for t in model.subgraphs[0].tensors if schema.has_data(model, t)]
        assert schema.constant(model, factor).item() == largest
        assert schema.scale_and_zero_point(factor) == (float(np.float32(0.3) / np.float32(largest)), 0)
