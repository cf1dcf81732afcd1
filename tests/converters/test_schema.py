import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from converters import schema
from converters.schema import read_model, write_model
from converters.summary import summarize
from models.errors import InputError


def test_a_model_survives_reading_and_writing(tiny: dict[str, bytes]) -> None:
    features = np.random.default_rng(3).normal(size=(1, 6, 3)).astype(np.float32)
    results = []
    for content in (tiny["int8"], write_model(read_model(tiny["int8"]))):
        interpreter = Interpreter(model_content=content)
        interpreter.allocate_tensors()
        interpreter.reset_all_variables()
        runner = interpreter.get_signature_runner("serving_default")
        results.append(runner(features=features))
    assert set(results[0]) == {"logits", "attention_weights"}
    for name in results[0]:
        np.testing.assert_array_equal(results[0][name], results[1][name])
    before, after = summarize(tiny["int8"]), summarize(write_model(read_model(tiny["int8"])))
    assert (before.ops, before.lstms, before.signatures) == (after.ops, after.lstms, after.signatures)


def test_tensor_data_is_aligned_to_16_bytes(tiny: dict[str, bytes]) -> None:
    content = write_model(read_model(tiny["float"]))
    datas = [bytes(buffer.data) for buffer in read_model(content).buffers if buffer.data is not None]
    long = [data for data in datas if len(data) >= 48 and content.count(data) == 1]
    assert len(long) >= 6
    assert [content.index(data) % 16 for data in long] == [0] * len(long)


def test_path_bytes_and_unpacked_model_are_taken(tiny: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(tiny["float"])
    model = read_model(path)
    assert read_model(model) is model
    assert len(read_model(str(path)).subgraphs[0].operators) == len(model.subgraphs[0].operators)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 not a model at all", "identifier"),
        (b"\x1c\0\0\0TFL3", "damaged or cut short"),
        (b"\x1c\0\0\0TFL3" + b"\xff" * 200, "damaged or cut short"),
        (b"\x08\0\0\0TFL3" + b"\0" * 200, "no subgraph"),
    ],
)
def test_what_is_no_model_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_model(content)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.tflite.*No such file"):
        read_model(tmp_path / "absent.tflite")
    with pytest.raises(InputError, match="directory"):
        read_model(tmp_path)


def test_a_file_cut_short_is_refused(tiny: dict[str, bytes]) -> None:
    content = tiny["int8"]
    for length in [
        *range(64),
        *range(64, len(content) - 64, 97),
        *range(len(content) - 64, len(content) - 16),
    ]:
        with pytest.raises(InputError):
            read_model(content[:length])


def test_flipped_bytes_end_in_a_model_or_an_input_error(tiny: dict[str, bytes]) -> None:
    random = np.random.default_rng(0)
    refused = 0
    for name in ("int8", "use_bias"):
        for _ in range(200):
            content = bytearray(tiny[name])
            for place in random.integers(0, len(content), size=random.integers(1, 5)):
                content[place] = random.integers(0, 256)
            try:
                summarize(bytes(content))
            except InputError:
                refused += 1
    assert 0 < refused < 400


def _damage_opcode(model: schema.ModelT) -> None:
    model.subgraphs[0].operators[0].opcodeIndex = 99


def _damage_buffer(model: schema.ModelT) -> None:
    model.subgraphs[0].tensors[0].buffer = 999


def _damage_input(model: schema.ModelT) -> None:
    operator = model.subgraphs[0].operators[0]
    operator.inputs = np.array([999, *operator.inputs[1:]], np.int32)


def _damage_signature(model: schema.ModelT) -> None:
    model.signatureDefs[0].inputs[0].tensorIndex = 999


def _damage_signature_graph(model: schema.ModelT) -> None:
    model.signatureDefs[0].subgraphIndex = 9


def _damage_metadata(model: schema.ModelT) -> None:
    model.metadata[0].buffer = 999


def _damage_loop(model: schema.ModelT) -> None:
    next(schema.operators(model, model.subgraphs[0], "WHILE")).builtinOptions.bodySubgraphIndex = 9


def _damage_graphs(model: schema.ModelT) -> None:
    model.subgraphs = []
    model.signatureDefs = []


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_damage_opcode, "operator code 99"),
        (_damage_buffer, "names buffer 999"),
        (_damage_input, "outside of its"),
        (_damage_signature, "outside of its"),
        (_damage_signature_graph, "names subgraph 9"),
        (_damage_metadata, "'min_runtime_version' names buffer 999"),
        (_damage_loop, "a WHILE names subgraphs"),
        (_damage_graphs, "no subgraph"),
    ],
)
def test_an_index_outside_of_its_list_is_refused(tiny: dict[str, bytes], damage: object, words: str) -> None:
    model = read_model(tiny["use_bias"])
    assert callable(damage)
    damage(model)
    with pytest.raises(InputError, match=words):
        read_model(write_model(model))


def test_names() -> None:
    assert schema.builtin_name(44) == "UNIDIRECTIONAL_SEQUENCE_LSTM"
    assert schema.builtin_name(99999) == "BUILTIN_99999"
    tensor = schema.TensorT()
    tensor.type = 9
    assert schema.tensor_type_name(tensor) == "int8"
    assert not schema.is_float(tensor)
    tensor.type = 1
    assert schema.is_float(tensor)
    tensor.type = 111
    assert schema.tensor_type_name(tensor) == "type_111"


def test_elements_and_scales_of_a_tensor() -> None:
    tensor = schema.TensorT()
    assert (schema.shape(tensor), schema.elements(tensor)) == ((), 1)  # a scalar
    assert schema.quantization(tensor) == ([], [])
    tensor.shape = np.array([0])
    assert schema.elements(tensor) == 0
    tensor.shape = np.array([2, 3])
    assert schema.elements(tensor) == 6
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale, tensor.quantization.zeroPoint = np.array([0.5], np.float32), np.array([-3])
    assert schema.scale_and_zero_point(tensor) == (0.5, -3)
    tensor.quantization.scale, tensor.quantization.zeroPoint = np.ones(2, np.float32), np.zeros(2, int)
    assert schema.scale_and_zero_point(tensor) is None


def test_tensorflow_is_not_imported() -> None:
    code = "import sys, converters.summary, converters.inner_tensors, converters.child; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "converters.lint" in done.stdout.split()
    assert not {"tensorflow", "tf_keras", "keras"} & set(done.stdout.split())
