"""The quantizer against TensorFlow's own, on a model that both can quantize: integers, scales and outputs.

The one file that knows TensorFlow's private call `tensorflow.lite.python.convert.mlir_quantize`
(TensorFlow 2.21). It takes ranges from the float tensors' records.
"""

from functools import cache
from typing import Any

import numpy as np
import pytest
from tiny_classifier import CLASSES, FEATURES, STEPS, convert_float, float_file, range_table, table, windows

from converters import schema
from converters.inner_tensors import all_tensors
from converters.lstm_op import FUSED_LSTM, LstmInput, LstmIntermediate, lstm_nodes
from converters.quantizer import quantize
from converters.quantizer.graph import Rewrite
from converters.ranges import RangeTable

pytestmark = pytest.mark.slow

WINDOWS = 300


def with_ranges(content: bytes, of: RangeTable) -> bytes:
    """The float model with the range of each value, and of each LSTM's state, in its tensor's record."""
    model = schema.read_model(content)
    (graph,) = model.subgraphs
    observed = {index: value for index, (_, value) in all_tensors(content, of.probe_window).items()}
    rewrite = Rewrite(model, observed, of, "float32")
    rewrite.run()
    for index, value in rewrite.values.items():
        record(graph.tensors[index], value.quantity.range)
    for node in lstm_nodes(model):
        (output,) = schema.indices(node.operator.outputs)
        hidden = rewrite.values[output].quantity
        record(node.hidden_state, hidden.range)
        record(node.cell_state, of[hidden.name.replace("/hidden", "/cell")].range)
        first = len(graph.tensors)
        for place in LstmIntermediate:
            tensor = schema.TensorT()
            tensor.name, tensor.shape, tensor.type = place.name, np.zeros(1, np.int32), node.output.type
            graph.tensors.append(tensor)
        node.operator.intermediates = np.arange(first, first + len(LstmIntermediate), dtype=np.int32)
        record(graph.tensors[first + LstmIntermediate.EFFECTIVE_HIDDEN_SCALE], hidden.range)
    return schema.write_model(model)


def record(tensor: schema.TensorT, value_range: Any) -> None:
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.min = np.array([value_range.minimum], np.float32)
    tensor.quantization.max = np.array([value_range.maximum], np.float32)


@cache
def large() -> tuple[bytes, RangeTable]:
    """64 units, all biases other than 0: 40,000 weights, where a wrong rounding shows in one of 10,000."""
    from models.classifier import build_model
    from models.config import ModelConfig, RecurrentConfig
    from models.quantization import calibrate, quantize_model
    from models.training import set_seed

    set_seed(0)
    model = build_model(ModelConfig(STEPS, FEATURES, CLASSES, recurrent=RecurrentConfig((64,))))
    random = np.random.default_rng(0)
    model.set_weights([w + random.normal(size=w.shape, scale=0.1) for w in model.get_weights()])
    twin = quantize_model(model)
    calibrate(twin, windows(), "min-max")
    return convert_float(model), range_table(twin, windows()[0])


@cache
def sources(size: str) -> tuple[bytes, RangeTable]:
    return large() if size == "large" else (float_file(), table())


@cache
def of_mlir(size: str, io: str) -> bytes:
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    kind = tf.dtypes.as_dtype(io)
    content = mlir_quantize(
        with_ranges(*sources(size)),
        fully_quantize=io == "int8",
        input_data_type=kind,
        output_data_type=kind,
    )
    return bytes(content)


@cache
def ours(size: str, io: str) -> bytes:
    return quantize(*sources(size), io)[0]


def operands(content: bytes) -> list[tuple[str, list[Any]]]:
    """Each op with the scales, zero points and integers of its operands, in the order in which they run."""
    model = schema.read_model(content)
    (graph,) = model.subgraphs

    def described(index: int) -> Any:
        if index < 0:
            return None
        tensor = graph.tensors[index]
        data = model.buffers[tensor.buffer].data
        constant = None if data is None else bytes(data)
        return schema.shape(tensor), schema.tensor_type_name(tensor), schema.quantization(tensor), constant

    return [
        (
            schema.operator_name(model, operator),
            [
                described(index)
                for part in (operator.inputs, operator.outputs, operator.intermediates)
                for index in schema.indices(part)
            ],
        )
        for operator in graph.operators
    ]


def versions(content: bytes) -> dict[str, int]:
    """The highest version of each kind of op: what a runtime needs."""
    model = schema.read_model(content)
    found: dict[str, int] = {}
    for operator in model.subgraphs[0].operators:
        name = schema.operator_name(model, operator)
        found[name] = max(found.get(name, 0), model.operatorCodes[operator.opcodeIndex].version)
    return found


@pytest.mark.parametrize(("size", "io"), [("tiny", "float32"), ("tiny", "int8"), ("large", "float32")])
def test_every_op_has_the_same_version_scales_and_integers(size: str, io: str) -> None:
    """Compared as sets of ops: MLIR puts a DEQUANTIZE elsewhere in the order. Two FULLY_CONNECTED of which
    one keeps its axes have a version each in ours; MLIR writes the higher one for both."""
    expected, got = operands(of_mlir(size, io)), operands(ours(size, io))
    assert len(got) == len(expected)
    assert sorted(got, key=repr) == sorted(expected, key=repr)
    assert versions(ours(size, io)) == versions(of_mlir(size, io))


@pytest.mark.parametrize(("size", "io"), [("tiny", "float32"), ("tiny", "int8"), ("large", "float32")])
def test_every_answer_is_the_same_to_the_last_bit(size: str, io: str) -> None:
    from ai_edge_litert.interpreter import Interpreter

    x = windows(WINDOWS, seed=3)
    if io == "int8":
        x = np.random.default_rng(3).integers(-128, 128, (WINDOWS, STEPS, FEATURES)).astype(np.int8)
    answers = []
    for content in (of_mlir(size, io), ours(size, io)):
        interpreter = Interpreter(model_content=content)
        interpreter.allocate_tensors()
        signature = interpreter.get_signature_runner("serving_default")
        rows = []
        for window in x:
            interpreter.reset_all_variables()
            rows.append(signature(features=window[np.newaxis]))
        answers.append(rows)
    for expected, got in zip(*answers, strict=True):
        assert set(expected) == set(got)
        for name, value in expected.items():
            np.testing.assert_array_equal(got[name], value)


def test_there_are_weights_and_biases_to_compare() -> None:
    """A comparison of nothing would pass."""
    (lstm,) = [parts for name, parts in operands(ours("tiny", "int8")) if name.startswith(FUSED_LSTM)]
    for place in (LstmInput.INPUT_TO_INPUT_WEIGHTS, LstmInput.OUTPUT_GATE_BIAS):
        assert len(lstm[place][3]) > 0


