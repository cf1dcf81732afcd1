"""Ranges of what no quantity covers, and ops that stay in float."""

from typing import Any

import numpy as np
import pytest
from float_graphs import FEATURES, STEPS, float_graph, windows
from op_by_op import check

from converters import schema
from converters.lint import check_integer_only
from converters.quantizer import quantize
from converters.quantizer.formats import Format
from converters.quantizer.observation import Seen, observe
from converters.ranges import Quantity, RangeTable
from models.errors import ConversionError
from models.quantization.number_formats import Range


def tf() -> Any:
    import tensorflow

    return tensorflow


def no_table() -> RangeTable:
    return RangeTable(windows()[0], ())


def kinds(content: bytes) -> list[str]:
    model = schema.read_model(content)
    return [schema.operator_name(model, operator) for operator in model.subgraphs[0].operators]


def test_the_range_is_that_of_all_windows() -> None:
    x = np.zeros((3, STEPS, FEATURES), np.float32)
    x[0, 0, 0], x[1, 1, 1], x[2, 2, 2] = -2.0, 5.0, 1.0
    content = float_graph(lambda features: {"y": features * 3.0})
    seen = observe(content, x)
    assert set(seen.ranges.values()) == {Range(-2.0, 5.0), Range(-6.0, 15.0)}


def test_a_kernel_that_writes_one_format_has_its_range() -> None:
    """1/256 from -128 is 0 to 255/256, whatever was seen."""
    seen = Seen({3: "softmax"}, {3: Range(0.2, 0.4)})
    quantity = seen.quantity(3, Format("int8", 1 / 256, -128))
    assert (quantity.name, quantity.range) == ("observed/softmax", Range(0.0, 255 / 256))
    assert seen.quantity(3).range == Range(0.2, 0.4)


def test_a_value_that_is_not_finite_is_refused() -> None:
    content = float_graph(lambda features: {"y": tf().math.log(features)})
    with pytest.raises(ConversionError, match="not finite on a window"):
        observe(content, windows())


def test_a_model_without_a_quantity_becomes_integer_only() -> None:
    content = float_graph(
        lambda features: {"y": tf().nn.softmax(tf().nn.relu(features[:, 1:]) + 2.0 * features[:, :-1])}
    )
    made, assigned = quantize(content, no_table(), "float32", windows(40))
    check_integer_only(made)
    assert {one.left_in_float for one in assigned} == {""}
    assert all(one.quantity.startswith("observed/") for one in assigned)
    for window in windows(5):
        check(made, window)


def test_without_windows_an_unknown_op_is_refused() -> None:
    content = float_graph(lambda features: {"y": tf().exp(features)})
    with pytest.raises(ConversionError, match="matches no quantity"):
        quantize(content, no_table())


def normalized(x: Any) -> Any:
    """Over the channels, as a layer normalization does it, then a product."""
    mean = tf().reduce_mean(x, -1, keepdims=True)
    variance = tf().reduce_mean(tf().math.squared_difference(x, mean), -1, keepdims=True)
    return tf().matmul((x - mean) * tf().math.rsqrt(variance + 1e-3), x, transpose_b=True)


def test_an_unknown_op_stays_in_float_until_the_next_product() -> None:
    content = float_graph(lambda features: {"y": normalized(features)})
    made, assigned = quantize(content, no_table(), "float32", windows(40))
    left = [one.left_in_float for one in assigned if one.left_in_float]
    assert left[0] == "SQUARED_DIFFERENCE"
    assert {"MEAN", "ADD", "RSQRT", "MUL"} <= set(left)
    assert "BATCH_MATMUL" not in left
    model = schema.read_model(made)
    (product,) = schema.operators(model, model.subgraphs[0], "BATCH_MATMUL")
    types = [schema.tensor_type_name(model.subgraphs[0].tensors[i]) for i in schema.indices(product.inputs)]
    assert types == ["int8", "int8"]


def test_an_op_of_several_results_may_stay_in_float() -> None:
    content = float_graph(lambda features: {"y": tf().concat(tf().split(features, 2, 1)[::-1], 1)})
    assert "SPLIT" in kinds(content)
    made, assigned = quantize(content, no_table(), "float32", windows(40))
    assert [one.left_in_float for one in assigned].count("SPLIT") == 2
    assert kinds(made).count("SPLIT") == 1


def test_what_is_joined_of_two_formats_gets_the_range_seen() -> None:
    content = float_graph(lambda features: {"y": tf().concat([features, 9.0 * features], -1)})
    made, assigned = quantize(content, no_table(), "float32", windows(40))
    joined = assigned[-1]
    assert joined.range.maximum == pytest.approx(9.0 * windows(40).max(), rel=1e-6)
    check_integer_only(made)


def test_a_kernel_of_one_format_does_not_take_the_range_that_the_next_layer_observed() -> None:
    x = windows(40)
    content = float_graph(
        lambda features: {"y": tf().matmul(tf().tanh(features), features, transpose_b=True)}
    )
    values = np.tanh(x[0])[np.newaxis]
    table = RangeTable(x[0], (Quantity("next/input", Range(-0.9, 0.99), values),))
    made, assigned = quantize(content, table, "float32", x)
    (tanh,) = (one for one in assigned if one.format == Format("int8", 1 / 128, 0))
    assert tanh.quantity.startswith("observed/")
    with pytest.raises(ConversionError, match="The TANH kernel writes"):
        quantize(content, RangeTable(x[0], (*table.quantities, Quantity("in", Range(-4, 4), x[:1]))))
    check(made, x[1])
