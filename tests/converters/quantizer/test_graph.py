"""The rewrite as a whole: further inputs, several LSTMs, borders, and what it refuses."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from attention_graphs import UNITS, attend, attention_file, lstm, matrix, variable_length_file
from float_graphs import STEPS, everything, float_graph, observed, output_index, windows
from op_by_op import check

from converters import schema
from converters.inner_tensors import all_tensors
from converters.lint import check_integer_only, check_state_scales_tied
from converters.lstm_op import LstmInput, lstm_nodes
from converters.quantizer import quantize
from converters.quantizer.operators import REGISTRY
from converters.ranges import RangeTable
from models.errors import ConversionError
from models.quantization.number_formats import Range

INT8 = everything("int8")


def tf() -> Any:
    import tensorflow

    return tensorflow


# --- Further inputs --------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["int8", "int16"])
@pytest.mark.parametrize("length", [1, 4, STEPS])
def test_masked_steps_get_no_weight(length: int, precision: str) -> None:
    """exp(-12 - the largest score) of the rest: 6e-6 and less, below half a step of either format."""
    table = observed(variable_length_file(), everything(precision), length=4)
    content, _ = quantize(variable_length_file(), table)
    check_integer_only(content)
    window, lengths = windows(1, seed=6)[0], np.array([length], np.int32)
    compared = check(content, window, lengths=lengths)
    assert {f"SELECT_V2 {precision}", f"SOFTMAX {precision}"} <= set(compared)
    index = output_index(schema.read_model(content), "attention_weights")
    _, weights = all_tensors(content, window, lengths=lengths)[index]
    assert np.abs(weights[0, 0, length:]).max(initial=0) <= 2 / 32768
    assert weights[0, 0, :length].min() >= 0


def test_integer_inputs_and_their_ops_pass_through() -> None:
    table = observed(variable_length_file(), INT8, length=4)
    content, assigned = quantize(variable_length_file(), table, "int8")
    model = schema.read_model(content)
    (graph,) = model.subgraphs
    (signature,) = model.signatureDefs
    kinds = {schema.name(e): schema.tensor_type_name(graph.tensors[e.tensorIndex]) for e in signature.inputs}
    assert kinds == {"features": "int8", "lengths": "int32"}
    assert "lengths" not in {one.quantity for one in assigned}
    assert list(schema.operators(model, graph, "LESS"))


# --- Several LSTMs ---------------------------------------------------------------------------------


@cache
def two_ways() -> bytes:
    """Two layers, the second in both directions."""
    from attention_graphs import FEATURES

    forward, backward = second("forward"), second("backward_")

    def serve(features: Any) -> dict[str, Any]:
        lower = lstm()(features)
        upper = backward(tf().reverse(lower, [1]))
        joined = tf().concat([forward(lower), tf().reverse(upper, [1])], -1)
        return {"logits": tf().matmul(joined[:, -1], matrix("logits", 2 * UNITS, 3))}

    assert FEATURES < UNITS
    return float_graph(serve, [*lstm().variables, *forward.variables, *backward.variables])


@cache
def second(name: str) -> Any:
    import tf_keras

    layer = tf_keras.layers.LSTM(UNITS, return_sequences=True, name=name)
    layer.build((1, STEPS, UNITS))
    return layer


def test_layers_and_directions_are_tied_each_for_itself() -> None:
    content, _ = quantize(two_ways(), observed(two_ways(), INT8))
    check_integer_only(content)
    check_state_scales_tied(content)
    model = schema.read_model(content)
    nodes = lstm_nodes(model)
    assert [node.kind for node in nodes] == ["int8 8x8_16"] * 3
    names = [schema.name(tensor) for tensor in model.subgraphs[0].tensors]
    assert len(set(names)) == len(names)
    check(content, windows(1)[0])


def test_parts_of_one_format_are_joined_in_it() -> None:
    """Without a quantity for the joined value; both directions have the range of a hidden state."""
    table = observed(two_ways(), INT8)
    shared = replace(
        table, quantities=tuple(q for q in table.quantities if not q.name.startswith("concatenation"))
    )
    content, assigned = quantize(two_ways(), shared)
    (joined,) = [one for one in assigned if "concat" in one.tensor]
    assert joined.format.scale == 1 / 128
    assert not [t for t in schema.read_model(content).subgraphs[0].tensors if "concat_int8" in schema.name(t)]


# --- What is refused -------------------------------------------------------------------------------


def changed(table: RangeTable, part: str, **values: Any) -> RangeTable:
    """The table with the quantities of a kind of op changed."""
    return replace(
        table, quantities=tuple(replace(q, **values) if part in q.name else q for q in table.quantities)
    )


def dot_table(**options: Any) -> RangeTable:
    return observed(attention_file("dot"), INT8, **options)


def test_a_value_that_no_quantity_matches() -> None:
    table = dot_table()
    fewer = replace(table, quantities=tuple(q for q in table.quantities if "softmax" not in q.name))
    with pytest.raises(ConversionError, match=r"'StatefulPartitionedCall:.* matches no quantity") as error:
        quantize(attention_file("dot"), fewer)
    assert "twin" in error.value.tip


def test_a_cell_state_without_a_range() -> None:
    table = dot_table()
    fewer = replace(table, quantities=tuple(q for q in table.quantities if "/cell" not in q.name))
    with pytest.raises(ConversionError, match=r"no observed quantity 'unidirectional_sequence_.*/cell'"):
        quantize(attention_file("dot"), fewer)


def test_parts_of_different_formats_without_a_quantity() -> None:
    table = changed(dot_table(), "batch_matmul", range=Range(-40.0, 40.0))
    fewer = replace(table, quantities=tuple(q for q in table.quantities if "concatenation" not in q.name))
    with pytest.raises(ConversionError, match="joins values of different formats, and matches no") as error:
        quantize(attention_file("dot"), fewer)
    assert "scale 0.0078125" in error.value.message
    assert "observe its input" in error.value.tip


def test_an_op_that_is_not_known() -> None:
    content = float_graph(lambda features: {"y": tf().exp(features)})
    with pytest.raises(ConversionError, match=r"EXP, which computes 'PartitionedCall:0', works on") as error:
        quantize(content, observed(content, INT8))
    for name in REGISTRY:
        assert name in error.value.message


def test_an_op_without_a_kernel_for_what_is_asked() -> None:
    content = attention_file("cosine")
    table = changed(observed(content, INT8), "l2_normalization", precision="int16")
    with pytest.raises(ConversionError, match="L2_NORMALIZATION has no int16 kernel, and its") as error:
        quantize(content, table)
    assert "one of int8, float32" in error.value.tip


def test_a_range_that_is_not_the_kernels() -> None:
    table = changed(dot_table(), "softmax", range=Range(0.0, 1.0))
    with pytest.raises(ConversionError, match=r"SOFTMAX kernel writes .* \(scale 0\.00390625, zero"):
        quantize(attention_file("dot"), table)


def test_weights_that_are_computed() -> None:
    """A FULLY_CONNECTED of two activations is legal in float; its int8 weights have to be constant."""


    def squared(operator: schema.OperatorT) -> None:
        operator.inputs[1] = operator.inputs[0]

    content = edited(attention_file("dot"), "FULLY_CONNECTED", squared)
    with pytest.raises(ConversionError, match="Operand 1 of a FULLY_CONNECTED has to be constant"):
        quantize(content, observed(content, INT8))


def test_an_lstm_that_is_not_keras() -> None:
    def peephole(operator: schema.OperatorT) -> None:
        operator.inputs[LstmInput.CELL_TO_INPUT_WEIGHTS] = operator.inputs[LstmInput.INPUT_GATE_BIAS]

    content = edited(attention_file("dot"), "UNIDIRECTIONAL_SEQUENCE_LSTM", peephole)
    with pytest.raises(ConversionError, match=r"other operands than a Keras LSTM: CELL_TO_INPUT_WEIGHTS"):
        quantize(content, dot_table())


def test_several_subgraphs() -> None:
    model = schema.read_model(attention_file("dot"))
    model.subgraphs = [model.subgraphs[0], model.subgraphs[0]]
    with pytest.raises(ConversionError, match="has 2 subgraphs, one is expected"):
        quantize(schema.write_model(model), dot_table())


def test_an_unknown_border() -> None:
    with pytest.raises(ConversionError, match=re.escape("Unknown io type 'int16'. Known: float32, int8.")):
        quantize(attention_file("dot"), dot_table(), "int16")


def edited(content: bytes, name: str, change: Callable[[Any], None]) -> bytes:
    """A file with one op changed."""
    model = schema.read_model(content)
    operator = next(schema.operators(model, model.subgraphs[0], name))
    operator.inputs = np.array(operator.inputs, np.int32)
    change(operator)
    return schema.write_model(model)


# --- What stays ------------------------------------------------------------------------------------


@pytest.mark.parametrize("io", ["float32", "int8"])
def test_names_signature_and_metadata_stay(io: str) -> None:
    before = schema.read_model(attention_file("dot"))
    after = schema.read_model(quantize(attention_file("dot"), dot_table(), io)[0])

    def described(model: schema.ModelT) -> Any:
        (signature,) = model.signatureDefs
        tensors = model.subgraphs[0].tensors
        return (
            [
                (schema.name(entry), schema.name(tensor), schema.shape(tensor))
                for side in (signature.inputs, signature.outputs)
                for entry in side
                for tensor in [tensors[entry.tensorIndex]]
            ],
            [schema.name(entry) for entry in model.metadata],
            model.description,
        )

    assert described(after) == described(before)


@pytest.mark.parametrize(
    ("precision", "runtime"), [("float32", b"2.3.0"), ("int8", b"2.3.0"), ("int16", b"2.8.0")]
)
def test_the_file_names_the_runtime_it_needs(precision: str, runtime: bytes) -> None:
    """BATCH_MATMUL is of 2.3, the CAST that widens int8 of 2.8; 16 bytes, as the converter writes it."""
    content = attention_file("dot")
    model = schema.read_model(quantize(content, observed(content, everything(precision)))[0])
    (entry,) = [e for e in model.metadata if schema.name(e) == "min_runtime_version"]
    assert bytes(model.buffers[entry.buffer].data) == runtime.ljust(16, b"\0")


def test_the_float_model_is_not_changed() -> None:
    model = schema.read_model(attention_file("dot"))
    before = schema.write_model(model)
    quantize(attention_file("dot"), dot_table())
    assert schema.write_model(schema.read_model(attention_file("dot"))) == before


def test_two_quantities_of_one_value_are_both_served() -> None:
    """The context: int16 for attention (wider), int8 for the head, whose own range the edge takes."""
    content = attention_file("dot", combine="context")
    table = observed(content, lambda kind, output: "int16" if kind == "BATCH_MATMUL" else "int8")
    (context,) = [q for q in table.quantities if q.name.startswith("batch_matmul") and q.probe.size == UNITS]
    head = replace(context, name="logits/input", range=Range(-1.0, 127 / 128), precision="int8")
    narrowed, _ = quantize(content, replace(table, quantities=(*table.quantities, head)))
    model = schema.read_model(narrowed)
    (graph,) = model.subgraphs
    (edge,) = [
        graph.tensors[operator.outputs[0]]
        for operator in schema.operators(model, graph, "QUANTIZE")
        if schema.tensor_type_name(graph.tensors[operator.inputs[0]]) == "int16"
        and schema.tensor_type_name(graph.tensors[operator.outputs[0]]) == "int8"
        and schema.elements(graph.tensors[operator.outputs[0]]) == UNITS
    ]
    assert schema.scale_and_zero_point(edge) == (1 / 128, 0)
    check(narrowed, windows(1)[0])
    assert attend("dot", "last", np.zeros((1, 2, UNITS), np.float32))[1].shape == (1, 1, 2)
