import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from tiny_classifier import (
    CLASSES,
    FEATURES,
    STEPS,
    convert_float,
    float_file,
    int8_file,
    model,
    table,
    twin,
    windows,
)

from converters import convert, schema
from converters.child import run_in_child
from converters.lstm_op import lstm_nodes
from converters.quantizer import quantize
from models.errors import ConversionError
from models.quantization.number_formats import affine_format


def run(content: bytes, x: Any) -> dict[str, Any]:
    """Every window from the zero state; int8 outputs as they are."""
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    signature = interpreter.get_signature_runner("serving_default")
    answers = []
    for window in x:
        interpreter.reset_all_variables()
        answers.append(signature(features=window[np.newaxis]))
    return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}


def recurrent(**options: Any) -> Any:
    """A model whose LSTM, named "encoder", has options that keep it from fusing."""
    import tf_keras

    x = tf_keras.Input((STEPS, FEATURES), name="features")
    hidden = tf_keras.layers.LSTM(4, return_sequences=True, name="encoder", **options)(x)
    return tf_keras.Model(x, {"hidden": hidden})


def refusing(*_: Any, **__: Any) -> Any:
    raise AssertionError("the quantizer was reached")


# --- The float file --------------------------------------------------------------------------------


def test_the_float_file_is_keras() -> None:
    x = windows(8, seed=1)
    answers, expected = run(float_file(), x), model()(x)
    np.testing.assert_allclose(answers["logits"], expected["logits"], atol=1e-5)
    np.testing.assert_allclose(answers["attention_weights"], expected["attention_weights"], atol=1e-6)


def test_the_lstm_is_one_op_without_a_clip() -> None:
    (node,) = lstm_nodes(schema.read_model(float_file()))
    assert (node.kind, node.cell_clip) == ("float32", 0.0)


@pytest.mark.parametrize(
    ("options", "reason"), [({"recurrent_dropout": 0.1}, "recurrent_dropout"), ({"unroll": True}, "unroll")]
)
def test_an_lstm_that_did_not_fuse_is_told_before_any_calibration(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], reason: str
) -> None:
    monkeypatch.setattr(convert, "quantize_int8", refusing)
    with pytest.raises(ConversionError, match="Layer 'encoder' was not fused") as error:
        convert_float(recurrent(**options), ["encoder"])
    assert reason in error.value.message


def test_an_lstm_that_is_missing_is_told() -> None:
    with pytest.raises(ConversionError, match=r"has 1 UNIDIRECTIONAL_SEQUENCE_LSTM, expected 2"):
        convert_float(model(), ["lower", "upper"])


def test_what_tflite_cannot_do_is_told() -> None:
    import tensorflow as tf
    import tf_keras

    x = tf_keras.Input((3, 3), name="features")
    with pytest.raises(ConversionError, match=r"the model: 'tf\.MatrixInverse' op is neither") as error:
        convert_float(tf_keras.Model(x, {"inverse": tf_keras.layers.Lambda(tf.linalg.inv)(x)}), [])
    assert "builtin" in error.value.tip


# --- The int8 file ---------------------------------------------------------------------------------


def test_the_int8_file_is_the_training_forward() -> None:
    """The LSTM to the last bit, so the context is off by one step at most, and the rest by two."""
    x = windows(8, seed=1)
    answers, expected = run(int8_file(), x), twin()(x)
    steps = np.abs(answers["attention_weights"] - expected["attention_weights"]) * 256
    assert steps.max() <= 1
    scale = affine_format(table()["logits/output"].range).scale
    assert np.abs(answers["logits"] - expected["logits"]).max() <= 2.01 * scale


def test_the_file_has_the_scales_it_was_told_to_have() -> None:
    content, ranges = convert.quantize_int8(float_file(), table())
    file = schema.read_model(content)
    (node,) = lstm_nodes(file)
    hidden = node.effective_hidden_scale_intermediate
    assert hidden is not None
    for tensor in (hidden, node.hidden_state, node.output):
        assert schema.scale_and_zero_point(tensor) == (1 / 128, 0)
    assert schema.scale_and_zero_point(node.cell_state) == (table()["lstm/cell"].range.maximum / 32768, 0)
    number = affine_format(table()["lstm/input"].range)
    assert schema.scale_and_zero_point(node.input) == (number.scale, number.zero_point)
    assert node.cell_clip == 0.0
    assert node.kind == "int8 8x8_16"
    told = {one["quantity"]: one for one in ranges}
    assert told["lstm/input"]["scale"] == number.scale
    assert set(told["lstm/input"]) == {
        "tensor", "quantity", "minimum", "maximum", "precision", "scale", "zero_point", "left_in_float",
    }  # fmt: skip


@pytest.mark.parametrize("io", ["float32", "int8"])
def test_only_the_border_may_be_float(io: str) -> None:
    file = schema.read_model(int8_file(io))
    graph = file.subgraphs[0]
    border = {*schema.indices(graph.inputs), *schema.indices(graph.outputs)}
    floats = {
        index
        for index, tensor in enumerate(graph.tensors)
        if schema.is_float(tensor) and schema.elements(tensor) > 0
    }
    assert floats == (border if io == "float32" else set())
    assert {schema.tensor_type_name(graph.tensors[index]) for index in border} == {io}


def test_both_kinds_of_border_answer_alike() -> None:
    x = windows(8, seed=1)
    number = affine_format(table()["lstm/input"].range)
    integers = np.clip(np.rint(x / np.float32(number.scale)) + number.zero_point, -128, 127).astype(np.int8)
    ours, floats = run(int8_file("int8"), integers), run(int8_file(), x)
    weights = (ours["attention_weights"].astype(int) + 128) / 256
    np.testing.assert_array_equal(weights, floats["attention_weights"])
    logits = affine_format(table()["logits/output"].range)
    np.testing.assert_allclose(
        (ours["logits"].astype(int) - logits.zero_point) * logits.scale, floats["logits"], rtol=1e-6
    )
    assert ours["logits"].shape == (8, CLASSES)


def test_an_unknown_border_is_refused() -> None:
    with pytest.raises(ConversionError, match=r"Unknown io type 'int16'\. Known: float32, int8\."):
        convert.quantize_int8(float_file(), table(), "int16")


# --- What is written wrong is caught ---------------------------------------------------------------


def tampered(change: Callable[[schema.ModelT], None]) -> Callable[..., Any]:
    """The quantizer, with its file changed behind its back."""

    def write(content: bytes, ranges: Any, io: str, more: Any) -> Any:
        content, assigned = quantize(content, ranges, io, more)
        unpacked = schema.read_model(content)
        change(unpacked)
        return schema.write_model(unpacked), assigned

    return write


def set_scale(file: schema.ModelT, end: str, scale: float) -> None:
    (tensor,) = [one for one in file.subgraphs[0].tensors if schema.name(one).endswith(end)]
    tensor.quantization.scale = np.array([scale], np.float32)


def other_state(file: schema.ModelT) -> None:
    lstm_nodes(file)[0].hidden_state.quantization.scale = np.array([1 / 256], np.float32)


def other_slice(file: schema.ModelT) -> None:
    set_scale(file, "strided_slice", 1 / 256)


@pytest.mark.parametrize("change", [other_state, other_slice])
def test_scales_that_are_not_tied_are_caught(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[schema.ModelT], None]
) -> None:
    monkeypatch.setattr(convert, "quantize", tampered(change))
    with pytest.raises(ConversionError, match="scales of an LSTM's hidden state are not tied"):
        convert.quantize_int8(float_file(), table())


def test_a_scale_that_is_not_the_one_wanted_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "quantize", tampered(lambda file: set_scale(file, "MatMul_1", 0.78)))
    with pytest.raises(ConversionError, match=r"MatMul_1' has scale 0\.77.*, expected"):
        convert.quantize_int8(float_file(), table())


def test_a_tensor_that_stayed_float_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def float_scores(file: schema.ModelT) -> None:
        (scores,) = [t for t in file.subgraphs[0].tensors if schema.name(t).endswith("MatMul_1")]
        scores.type = schema.tensor_type("float32")

    monkeypatch.setattr(convert, "quantize", tampered(float_scores))
    with pytest.raises(ConversionError, match="works on float values"):
        convert.quantize_int8(float_file(), table())


def test_a_clip_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def clipped(file: schema.ModelT) -> None:
        lstm_nodes(file)[0].operator.builtinOptions.cellClip = 10.0

    monkeypatch.setattr(convert, "quantize", tampered(clipped))
    with pytest.raises(ConversionError, match="clips its cell state at 10"):
        convert.quantize_int8(float_file(), table())


# --- In the child process --------------------------------------------------------------------------


JOB = "converters.convert:convert_job"
METADATA = {
    "name": "tiny",
    "class_names": ["a", "b", "c"],
    "channel_names": ["x", "y", "z"],
    "preprocessing": {
        "mean": [0.0] * 3, "std": [1.0] * 3, "steps": STEPS, "features": FEATURES, "padding": "none",
    },
    "provenance": {},
}  # fmt: skip


def job(folder: Path, **changes: Any) -> dict[str, Any]:
    """What the convert stage hands to the child, with the weights of one model for all files."""
    from converters.export import export_saved_model

    if not (folder / "saved_model").exists():
        export_saved_model(model(), folder / "saved_model", STEPS, FEATURES)
        table().save(folder / "ranges.npz")
    return {
        "float_saved_model": str(folder / "saved_model"),
        "schemes": {
            name: {"file": f"model_{name}.tflite", "conversion": name, "attention": name == "int8" and name}
            for name in ("float32", "dynamic", "int8")
        },
        "quantized": {
            "int8": {"saved_model": str(folder / "saved_model"), "ranges": str(folder / "ranges.npz")}
        },
        "io": "float32",
        "lstm_layers": ["lstm"],
        "metadata": METADATA,
        **changes,
    }


@pytest.mark.slow
def test_the_job_writes_a_file_for_each_scheme(tmp_path: Path) -> None:
    result = run_in_child(JOB, tmp_path / "work", job(tmp_path))
    assert [one["quantity"] for one in result["int8"]["ranges"]][:2] == ["lstm/input", "lstm/hidden"]
    assert result["float32"] == result["dynamic"] == {"ranges": []}
    assert (tmp_path / "work" / "model_dynamic.tflite").is_file()
    x = windows(3, seed=1)
    for name, content in (("float32", float_file()), ("int8", int8_file())):
        answers = run((tmp_path / "work" / f"model_{name}.tflite").read_bytes(), x)
        for output, expected in run(content, x).items():
            np.testing.assert_array_equal(answers[output], expected)


@pytest.mark.slow
def test_an_error_in_the_child_arrives_as_it_was(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="has 1 UNIDIRECTIONAL_SEQUENCE_LSTM, expected 2"):
        run_in_child(JOB, tmp_path / "work", job(tmp_path, lstm_layers=["a", "b"]))
    assert not (tmp_path / "work" / "model_float32.tflite").exists()


@pytest.mark.slow
def test_a_saved_model_that_is_cut_short_is_a_conversion_error(tmp_path: Path) -> None:
    arguments = job(tmp_path)
    os.truncate(tmp_path / "saved_model" / "saved_model.pb", 100)
    with pytest.raises(ConversionError, match="conversion process"):
        run_in_child(JOB, tmp_path / "work", arguments)
