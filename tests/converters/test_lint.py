import copy

import numpy as np
import pytest

from converters import schema
from converters.lint import (
    check_integer_only,
    check_scales,
    check_state_scales_tied,
    integer_only_problems,
    scale_problems,
    state_scale_problems,
)
from converters.lstm_op import LstmIntermediate, lstm_nodes
from models.errors import ConversionError

HIDDEN = (1 / 128, 0)  # h in [-1, 127/128]


def set_scale(tensor: schema.TensorT, scale: float, zero_point: int) -> None:
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale = np.array([scale], np.float32)
    tensor.quantization.zeroPoint = np.array([zero_point], np.int64)


def tied(content: bytes) -> schema.ModelT:
    """The stock int8 model with one scale on everything that has to share it."""
    model = schema.read_model(content)
    (node,) = lstm_nodes(model)
    tensors = node.subgraph.tensors
    (first_cut,) = (
        tensors[operator.outputs[0]]
        for operator in schema.operators(model, node.subgraph, "STRIDED_SLICE")
        if tensors[operator.inputs[0]] is node.output
    )
    for tensor in (node.effective_hidden_scale_intermediate, node.hidden_state, node.output, first_cut):
        set_scale(tensor, *HIDDEN)
    return model


def test_the_untied_scales_of_the_stock_converter_are_caught(tiny: dict[str, bytes]) -> None:
    with pytest.raises(ConversionError, match="scales of an LSTM's hidden state are not tied") as caught:
        check_state_scales_tied(tiny["int8"])
    hidden = lstm_nodes(schema.read_model(tiny["int8"]))[0].effective_hidden_scale_intermediate
    scale, zero_point = schema.scale_and_zero_point(hidden) or (0, 0)
    assert (
        f"'effective_hidden_scale_intermediate': scale {scale:.9g}, zero point {zero_point}"
        in caught.value.message
    )
    assert "'tfl.unidirectional_sequence_lstm'" in caught.value.message
    assert "CONCATENATION" in caught.value.tip


def test_tied_scales_pass(tiny: dict[str, bytes]) -> None:
    check_state_scales_tied(schema.write_model(tied(tiny["int8"])))
    check_state_scales_tied(tiny["float"])  # nothing to tie


@pytest.mark.parametrize("role", ["hidden", "state", "output", "cut"])
@pytest.mark.parametrize("wrong", [(np.nextafter(np.float32(1 / 128), np.float32(1)), 0), (1 / 128, 1)])
def test_each_role_is_looked_at(tiny: dict[str, bytes], role: str, wrong: tuple[float, int]) -> None:
    model = tied(tiny["int8"])
    (node,) = lstm_nodes(model)
    cut = next(
        operator
        for operator in schema.operators(model, node.subgraph, "STRIDED_SLICE")
        if node.subgraph.tensors[operator.inputs[0]] is node.output
    )
    tensor = {
        "hidden": node.effective_hidden_scale_intermediate,
        "state": node.hidden_state,
        "output": node.output,
        "cut": node.subgraph.tensors[cut.outputs[0]],
    }[role]
    set_scale(tensor, *wrong)
    (problem,) = state_scale_problems(model)
    assert schema.name(tensor) in problem.message


def test_a_missing_record_is_caught(tiny: dict[str, bytes]) -> None:
    model = tied(tiny["int8"])
    (node,) = lstm_nodes(model)
    hidden = node.effective_hidden_scale_intermediate
    assert hidden is not None
    hidden.quantization = None
    (problem,) = state_scale_problems(model)
    assert "'effective_hidden_scale_intermediate': no single scale" in problem.message
    node.operator.intermediates = node.operator.intermediates[: LstmIntermediate.EFFECTIVE_HIDDEN_SCALE]
    (problem,) = state_scale_problems(model)
    assert "the hidden value (intermediate 4) is missing" in problem.message


@pytest.mark.parametrize("name", ["int8", "int8_io"])
def test_an_int8_file_is_integer_only(tiny: dict[str, bytes], name: str) -> None:
    check_integer_only(tiny[name])


def test_a_float_file_is_not_integer_only(tiny: dict[str, bytes]) -> None:
    with pytest.raises(ConversionError, match="SOFTMAX works on float values"):
        check_integer_only(tiny["float"])


def test_a_float_island_is_caught(tiny: dict[str, bytes]) -> None:
    """DEQUANTIZE -> SOFTMAX -> QUANTIZE in the middle of the int8 model."""
    model = schema.read_model(tiny["int8"])
    graph = model.subgraphs[0]
    (softmax,) = schema.operators(model, graph, "SOFTMAX")
    place = graph.operators.index(softmax)
    dequantize, quantize = (
        copy.deepcopy(next(schema.operators(model, graph, name))) for name in ("DEQUANTIZE", "QUANTIZE")
    )
    scores, weights = int(softmax.inputs[0]), int(softmax.outputs[0])
    island = []
    for around in (scores, weights):
        tensor = copy.deepcopy(graph.tensors[around])
        tensor.name, tensor.type, tensor.quantization = f"island_{around}", 0, None
        island.append(len(graph.tensors))
        graph.tensors.append(tensor)
    dequantize.inputs, dequantize.outputs = np.array([scores]), np.array(island[:1])
    softmax.inputs, softmax.outputs = np.array(island[:1]), np.array(island[1:])
    quantize.inputs, quantize.outputs = np.array(island[1:]), np.array([weights])
    graph.operators[place : place + 1] = [dequantize, softmax, quantize]
    with pytest.raises(ConversionError) as caught:
        check_integer_only(schema.write_model(model))
    lines = caught.value.message.splitlines()
    first, second = f"'island_{scores}'", f"'island_{weights}'"
    assert lines == [
        f"DEQUANTIZE works on float values: {first}.",
        f"SOFTMAX works on float values: {first}, {second}.",
        f"QUANTIZE works on float values: {second}.",
        f"Tensor {first} is float.",
        f"Tensor {second} is float.",
    ]


def test_a_float_constant_that_no_op_uses_is_caught(tiny: dict[str, bytes]) -> None:
    model = schema.read_model(tiny["int8"])
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.shape = "leftover", 0, np.array([2], np.int32)
    model.subgraphs[0].tensors.append(tensor)
    assert [problem.message for problem in integer_only_problems(model)] == ["Tensor 'leftover' is float."]


def test_an_op_that_reads_the_float_input_beside_its_quantize_is_caught(tiny: dict[str, bytes]) -> None:
    model = schema.read_model(tiny["int8"])
    (softmax,) = schema.operators(model, model.subgraphs[0], "SOFTMAX")
    softmax.inputs = np.array(model.subgraphs[0].inputs)
    (problem,) = integer_only_problems(model)
    assert problem.message == "SOFTMAX works on float values: 'serving_default_features:0'."


def test_expected_scales(tiny: dict[str, bytes]) -> None:
    content = tiny["int8"]
    (node,) = lstm_nodes(schema.read_model(content))
    name = schema.name(node.hidden_state)
    scale, zero_point = schema.scale_and_zero_point(node.hidden_state) or (0.0, 0)
    check_scales(content, {name: (scale * (1 + 5e-7), zero_point)})
    with pytest.raises(ConversionError, match=f"Tensor '{name}' has scale .*, expected scale"):
        check_scales(content, {name: (scale * (1 + 5e-6), zero_point)})
    check_scales(content, {name: (scale * (1 + 5e-6), zero_point)}, relative_tolerance=1e-5)
    with pytest.raises(ConversionError, match="zero point"):
        check_scales(content, {name: (scale, zero_point + 1)})
    with pytest.raises(ConversionError, match="scale nan"):
        check_scales(content, {name: (float("nan"), zero_point)})
    problems = scale_problems(content, {"absent": (1.0, 0), "arith.constant": (1.0, 0)})
    assert [problem.message for problem in problems] == [
        "There is no tensor 'absent' whose scale could be checked.",
        "Tensor 'arith.constant' has no single scale, expected scale 1, zero point 0.",
    ]
