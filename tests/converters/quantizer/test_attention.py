"""An int8 LSTM with an attention in int8, int16 and float, composed and run."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attention_graphs import KINDS, attend, attention_file
from float_graphs import Precision, everything, float_graph, observed, output_index, windows
from op_by_op import check

from converters import schema
from converters.inner_tensors import all_tensors
from converters.lint import (
    check_cell_clip_off,
    check_integer_only,
    check_state_scales_tied,
    integer_only_problems,
)
from converters.lstm_op import FUSED_LSTM, lstm_nodes
from converters.quantizer import quantize

ALL = [(kind, query) for kind in KINDS for query in ("last", "all")]


def attention_in(precision: str) -> Precision:
    """Around it, input, LSTM and head in int8. Normalized vectors have no int16 kernel."""

    def of(kind: str, output: str) -> str:
        around = kind in ("INPUT", FUSED_LSTM, "CONCATENATION") or output == "logits"
        return "int8" if around or (kind == "L2_NORMALIZATION" and precision == "int16") else precision

    return of


def quantized(content: bytes, precision: Precision, io: str = "float32", **options: Any) -> bytes:
    return quantize(content, observed(content, precision, **options), io)[0]


def hidden_and_weights(content: bytes, window: Any) -> tuple[Any, Any]:
    """Dequantized."""
    values = all_tensors(content, window)
    model = schema.read_model(content)
    (node,) = lstm_nodes(model)
    hidden, weights = int(node.operator.outputs[0]), output_index(model, "attention_weights")
    return values[hidden][1], values[weights][1]


@pytest.mark.parametrize("precision", ["int8", "int16"])
@pytest.mark.parametrize(("kind", "query"), ALL)
def test_each_op_of_each_attention_is_its_float_form(kind: str, query: str, precision: str) -> None:
    content = quantized(attention_file(kind, query), attention_in(precision))
    check_integer_only(content)
    check_state_scales_tied(content)
    check_cell_clip_off(content)
    compared = {one for window in windows(10) for one in check(content, window)}
    assert {f"SOFTMAX {precision}", f"BATCH_MATMUL {precision}", "FULLY_CONNECTED int8"} <= compared


@pytest.mark.parametrize(("kind", "query"), ALL)
def test_int16_attention_is_float_attention_on_the_same_hidden_states(kind: str, query: str) -> None:
    """Within 1e-3 = 33 steps of 1/32768, but for cosine.

    Scores of magnitude S have steps of S / 32768, and an error d of a score moves a weight by d / 2 at most
    (p (1 - p) <= 1/4, twice for a pair): 8 roundings of S = 4 move it by 5e-4, and SOFTMAX adds 4.6 steps.
    The directions of cosine are int8, off by 1/256 in each of 8 places: with factor 8 a score is off by
    8 * 8 * (2 * 1/256) * 0.35 (the mean magnitude of a place, 1 / sqrt(8)) = 0.18 at most, a weight by 0.09.
    """
    x = windows(30, seed=4)  # observed too, so that nothing saturates
    content = quantized(attention_file(kind, query), attention_in("int16"), x=x)
    worst = 0.0
    for window in x:
        hidden, weights = hidden_and_weights(content, window)
        _, expected = attend(kind, query, hidden)
        worst = max(worst, float(np.abs(weights - expected).max()))
    assert 0 < worst <= (0.09 if kind == "cosine" else 1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_float_attention_is_float_attention(kind: str) -> None:
    """float32 on both sides: within 1e-5 (sums of 8 products, exp)."""
    content = quantized(attention_file(kind), attention_in("float32"))
    check_state_scales_tied(content)
    assert integer_only_problems(content)
    for window in windows(10, seed=4):
        hidden, weights = hidden_and_weights(content, window)
        np.testing.assert_allclose(weights, attend(kind, "last", hidden)[1], atol=1e-5)
    compared = {one for window in windows(3) for one in check(content, window)}
    assert {"SOFTMAX float32", "FULLY_CONNECTED int8", "DEQUANTIZE float32", "QUANTIZE int8"} <= compared


@pytest.mark.parametrize("precision", ["int16", "float32"])
def test_the_lstm_does_not_notice_what_attention_computes_in(precision: str) -> None:
    files = [quantized(attention_file("dot"), attention_in(p)) for p in ("int8", precision)]
    for window in windows(10):
        first, second = (hidden_and_weights(content, window)[0] for content in files)
        np.testing.assert_array_equal(first, second)


def conversions(content: bytes) -> list[tuple[str, str, str]]:
    """(from, to, name of the result) of each QUANTIZE."""
    model = schema.read_model(content)
    (graph,) = model.subgraphs
    return [
        (
            schema.tensor_type_name(graph.tensors[operator.inputs[0]]),
            schema.tensor_type_name(graph.tensors[operator.outputs[0]]),
            schema.name(graph.tensors[operator.outputs[0]]),
        )
        for operator in schema.operators(model, graph, "QUANTIZE")
    ]


def test_one_conversion_serves_all_who_want_it() -> None:
    """The hidden states, widened, are keys and values; the last of them is widened as the query."""
    content = quantized(attention_file("dot", combine="context"), attention_in("int16"))
    kinds = [pair[:2] for pair in conversions(content)]
    assert sorted(kinds) == [("float32", "int8"), ("int16", "int16"), ("int16", "int16"), ("int16", "int8")]


def test_widening_runs_in_interpreters_that_quantize_int8_to_int8_only() -> None:
    """TensorFlow 2.21's is one; the file has to answer there as in LiteRT, to the last bit."""
    import warnings

    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    content = quantized(attention_file("scaled-dot"), attention_in("int16"))
    assert ("int8", "int16") not in [pair[:2] for pair in conversions(content)]
    answers = []
    for kind in (Interpreter, tf.lite.Interpreter):
        with warnings.catch_warnings(action="ignore"):  # that tf.lite.Interpreter is deprecated
            interpreter = kind(model_content=content)
        interpreter.allocate_tensors()
        interpreter.reset_all_variables()
        answers.append(interpreter.get_signature_runner()(features=windows(1)))
    for name, value in answers[0].items():
        np.testing.assert_array_equal(answers[1][name], value)


def test_a_value_with_a_zero_point_is_widened_by_quantize() -> None:
    """Only LiteRT 2.3 runs that; the input of the int16 op is exact."""
    content = float_graph(lambda features: {"y": features * 2.0 + features})
    rule: Precision = lambda kind, output: "int8" if kind == "INPUT" else "int16"  # noqa: E731
    wide = quantized(content, rule)
    assert ("int8", "int16") in [pair[:2] for pair in conversions(wide)]
    for window in windows(5):
        check(wide, window)


def test_a_context_for_the_head_is_narrowed_on_its_edge() -> None:
    """Attention computes it in int16, the head reads it in int8, and nothing stands between the two."""
    content = quantized(attention_file("dot", combine="context"), attention_in("int16"))
    assert [pair[:2] for pair in conversions(content)].count(("int16", "int8")) == 1
    check_integer_only(content)
    check(content, windows(1)[0])


def test_int8_outputs_of_an_int16_attention() -> None:
    """The softmax's int8 format is its kernel's, 1/256 and -128, and the values are within half a step."""
    wide = quantized(attention_file("dot"), attention_in("int16"))
    narrow = quantized(attention_file("dot"), attention_in("int16"), io="int8")
    model = schema.read_model(narrow)
    for index in (*model.subgraphs[0].inputs, *model.subgraphs[0].outputs):
        assert schema.tensor_type_name(model.subgraphs[0].tensors[index]) == "int8"
    weights = output_index(model, "attention_weights")
    assert schema.scale_and_zero_point(model.subgraphs[0].tensors[weights]) == (1 / 256, -128)
    for window in windows(10):
        off = np.abs(hidden_and_weights(narrow, window)[1] - hidden_and_weights(wide, window)[1])
        assert off.max() <= 0.5 / 256 + 1e-6 or hidden_and_weights(wide, window)[1].max() > 255.5 / 256


def test_int8_outputs_of_a_float_attention() -> None:
    narrow = quantized(attention_file("dot"), attention_in("float32"), io="int8")
    model = schema.read_model(narrow)
    (graph,) = model.subgraphs
    for index in (*graph.inputs, *graph.outputs):
        assert schema.tensor_type_name(graph.tensors[index]) == "int8"
    assert {"SOFTMAX float32", "QUANTIZE int8"} <= set(check(narrow, windows(1)[0]))


@pytest.mark.slow
def test_a_long_diffuse_attention_sums_to_one() -> None:
    """T = 400: each of T weights is off by half a step of 1/32768 at most in the mean."""
    steps = 400
    content = quantized(
        attention_file("dot", steps=steps), attention_in("int16"), x=windows(2, steps=steps)
    )
    for window in windows(2, seed=1, steps=steps):
        _, weights = hidden_and_weights(content, window)
        assert abs(weights.sum() - 1) <= steps / 65536


@pytest.mark.parametrize("precision", ["int8", "int16"])
def test_a_whole_model_in_one_precision(precision: str) -> None:
    """The LSTM stays int8 either way; input and head follow."""
    content = quantized(attention_file("scaled-dot"), everything(precision))
    check_integer_only(content)
    assert f"FULLY_CONNECTED {precision}" in check(content, windows(1)[0])


def test_there_is_one_operator_code_for_a_version() -> None:
    model = schema.read_model(quantized(attention_file("multi-head"), attention_in("int16")))
    codes = [(max(c.builtinCode, c.deprecatedBuiltinCode), c.version) for c in model.operatorCodes]
    assert len(set(codes)) == len(codes)
    names = [(schema.builtin_name(code), version) for code, version in codes]
    assert {version for name, version in names if name == "QUANTIZE"} == {1, 2}


def test_nothing_unused_is_left() -> None:
    content = quantized(attention_file("additive"), attention_in("int16"))
    model = schema.read_model(content)
    (graph,) = model.subgraphs
    used = {*graph.inputs, *graph.outputs}
    for operator in graph.operators:
        for part in (operator.inputs, operator.outputs, operator.intermediates):
            used.update(schema.indices(part))
    assert used - {-1} == set(range(len(graph.tensors)))
    assert {t.buffer for t in graph.tensors} | {e.buffer for e in model.metadata} == set(
        range(len(model.buffers))
    )
    names = [schema.name(tensor) for tensor in graph.tensors]
    assert len(set(names)) == len(names)
    floats: Callable[[Any], bool] = schema.is_float
    assert [t for t in graph.tensors if floats(t) and schema.has_data(model, t)] == []
