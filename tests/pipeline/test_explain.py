"""Any file under the microscope: which windows, which float side, what is refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from int8_lstm_file import Int8Lstm, build, with_lengths

from converters import schema
from converters.lstm_op import lstm_nodes
from models.errors import InputError
from pipeline.data.given import GivenWindows
from pipeline.explain import SCHEMA, explain

STEPS, FEATURES, UNITS = 6, 3, 4


def given(count: int = 12, steps: int = STEPS) -> GivenWindows:
    random = np.random.default_rng(0)
    return GivenWindows("noise", features=random.normal(size=(count, steps, FEATURES)).astype(np.float32))


def int8_file(path: Path, **changes: Any) -> Path:
    random = np.random.default_rng(1)
    lstm = Int8Lstm(
        random.integers(-127, 128, (4, UNITS, FEATURES)).astype(np.int8),
        random.integers(-127, 128, (4, UNITS, UNITS)).astype(np.int8),
        random.integers(-900, 900, (4, UNITS)).astype(np.int32),
        (0.005,) * 4,
        (0.005,) * 4,
        **{"steps": STEPS, "cell_scale": 2.0**-13, **changes},
    )
    path.write_bytes(build(lstm))
    return path


def float_file(
    source: Path, path: Path, change: Callable[[np.ndarray], np.ndarray] = lambda one: one
) -> Path:
    """The float file that an int8 one might come from: the same op with its dequantized constants."""
    model = schema.read_model(source)
    types = {"float32": 0}
    for tensor in model.subgraphs[0].tensors:
        record, data = schema.scale_and_zero_point(tensor), model.buffers[tensor.buffer].data
        if data is not None and len(data) and record is not None:
            stored = np.frombuffer(
                bytes(data), {"int8": "i1", "int32": "<i4"}[schema.tensor_type_name(tensor)]
            )
            real = change((stored * record[0]).astype(np.float32).reshape(schema.shape(tensor)))
            model.buffers[tensor.buffer].data = np.frombuffer(real.tobytes(), np.uint8)
        tensor.type, tensor.quantization = types["float32"], None
    (node,) = lstm_nodes(model)
    node.operator.intermediates = None
    path.write_bytes(schema.write_model(model))
    return path


def test_padding_is_left_out_of_a_file_that_is_told_lengths(tmp_path: Path) -> None:
    """Whatever stands behind the steps that count; the float file is told the same."""
    path = tmp_path / "a.tflite"
    for file in (path, float_file(int8_file(path), tmp_path / "model_float32.tflite")):
        file.write_bytes(with_lengths(file.read_bytes()))
    lengths = 1 + np.arange(12) % 4
    windows = replace(given(), lengths=lengths)
    assert windows.features is not None
    behind = np.arange(STEPS) >= lengths[:, np.newaxis]
    other = replace(windows, features=np.where(behind[..., np.newaxis], np.float32(3), windows.features))
    found, same = (explain(path, one).to_dict() for one in (windows, other))
    assert found == same
    (lstm,) = found["lstms"]
    assert (lstm["steps"], len(lstm["hidden"]["error_rms"])) == (4, 4)
    assert len(lstm["focus"]["float_side"]["hidden"]) == lengths[lstm["focus"]["window"]]
    assert found["notes"] == [
        "12 of 12 windows are shorter than 6 steps; padding is left out, so later steps are judged on fewer "
        "windows. The longest window has 4 steps."
    ]
    every = explain(path, given())
    assert every.lstms[0].attribution.total != lstm["attribution"]["total"]
    assert every.notes == ()


def test_shorter_windows_are_refused_by_a_file_that_is_not_told(tmp_path: Path) -> None:
    windows = replace(given(), lengths=np.full(12, 5))
    with pytest.raises(InputError, match="has no input 'lengths', and 12 of the 12 windows are shorter"):
        explain(int8_file(tmp_path / "a.tflite"), windows)


def test_keys_that_were_not_read_are_told(tmp_path: Path) -> None:
    windows = replace(given(), unread=("subject",))
    assert explain(int8_file(tmp_path / "a.tflite"), windows).notes[0] == "Not read in 'noise': subject."


def test_without_a_reference_the_float_side_has_the_file_s_own_weights(tmp_path: Path) -> None:
    found = explain(int8_file(tmp_path / "a.tflite"), given())
    assert found.reference is None
    assert "own weights, dequantized: there is no model_float32.tflite" in found.notes[0]
    (lstm,) = found.lstms
    assert lstm.float_weights == "own"
    names = {source.name for source in lstm.attribution.roundings}
    assert "input" in names
    assert "input weights" not in names
    assert lstm.attribution.total > 0


def test_the_usual_reference_beside_the_file_is_taken_and_named(tmp_path: Path) -> None:
    path = int8_file(tmp_path / "a.tflite")
    float_file(path, tmp_path / "model_float32.tflite")
    found = explain(path, given())
    assert found.reference == "model_float32.tflite"
    (lstm,) = found.lstms
    assert lstm.float_weights == "reference"
    by_name = {source.name: source for source in lstm.attribution.roundings}
    assert by_name["input weights"].alone < 1e-6  # the reference is the dequantized file
    assert lstm.attribution.total == pytest.approx(lstm.attribution.own_weights, rel=1e-3)
    assert found.notes == ()


def test_the_file_itself_as_reference_means_its_own_weights(tmp_path: Path) -> None:
    path = int8_file(tmp_path / "a.tflite")
    float_file(path, tmp_path / "model_float32.tflite")
    found = explain(path, given(), reference_path=path)
    assert found.reference is None
    assert "as asked for" in found.notes[0]


def test_weights_that_training_moved_are_noted(tmp_path: Path) -> None:
    path = int8_file(tmp_path / "a.tflite")
    moved = float_file(path, tmp_path / "f.tflite", lambda one: one * np.float32(1.1))
    found = explain(path, given(), reference_path=moved)
    assert "training moved them" in found.notes[0]


def test_an_unrelated_reference_is_refused(tmp_path: Path) -> None:
    path = int8_file(tmp_path / "a.tflite")
    float_file(path, tmp_path / "model_float32.tflite", lambda one: -one)
    with pytest.raises(InputError, match="not the float version") as caught:
        explain(path, given())
    assert "the model itself" in caught.value.tip


def test_a_reference_for_other_windows_is_refused(tmp_path: Path) -> None:
    path = int8_file(tmp_path / "a.tflite")
    other = float_file(int8_file(tmp_path / "b.tflite", steps=9), tmp_path / "f.tflite")
    with pytest.raises(InputError, match=r"takes windows of \[9, 3\], the model of \[6, 3\]"):
        explain(path, given(), reference_path=other)


def test_an_int8_reference_is_refused(tmp_path: Path) -> None:
    path, other = int8_file(tmp_path / "a.tflite"), int8_file(tmp_path / "b.tflite")
    with pytest.raises(InputError, match="a reference is a float32 file"):
        explain(path, given(), reference_path=other)


def test_a_float_file_has_nothing_to_explain(tmp_path: Path) -> None:
    path = float_file(int8_file(tmp_path / "a.tflite"), tmp_path / "f.tflite")
    with pytest.raises(InputError, match="is a float file: its LSTMs round nothing"):
        explain(path, given())


def test_a_hybrid_file_has_nothing_to_explain(tmp_path: Path) -> None:
    path = int8_file(tmp_path / "a.tflite")
    model = schema.read_model(path)
    for place in (0, 18, 19):
        model.subgraphs[0].tensors[lstm_nodes(model)[0].operator.inputs[place]].type = 0
    path.write_bytes(schema.write_model(model))
    with pytest.raises(InputError, match="compute in float"):
        explain(path, given())


def test_a_file_without_a_fused_lstm(tmp_path: Path) -> None:
    path = int8_file(tmp_path / "a.tflite")
    model = schema.read_model(path)
    model.subgraphs[0].operators = []
    path.write_bytes(schema.write_model(model))
    with pytest.raises(InputError, match="no fused LSTM"):
        explain(path, given())


def test_an_lstm_of_an_unknown_kind(tmp_path: Path) -> None:
    path = int8_file(tmp_path / "a.tflite")
    model = schema.read_model(path)
    lstm_nodes(model)[0].cell_state.type = lstm_nodes(model)[0].input.type
    path.write_bytes(schema.write_model(model))
    with pytest.raises(InputError, match="LSTMs of kind int8 int8; only int8 8x8_16"):
        explain(path, given())


def test_windows_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\[7, 3\] \[time, channels\]; the model takes \[6, 3\]"):
        explain(int8_file(tmp_path / "a.tflite"), given(steps=7))


def test_no_windows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="0 windows were asked for"):
        explain(int8_file(tmp_path / "a.tflite"), given(), windows=0)


def test_a_sample_is_taken_and_the_focus_is_counted_as_in_the_data(tmp_path: Path) -> None:
    path, windows = int8_file(tmp_path / "a.tflite"), given(20)
    assert windows.features is not None
    windows.features[:13] = 0.0
    windows.features[13:] *= 3  # these are further off
    found = explain(path, windows, windows=7)
    assert (found.windows, found.available, found.lstms[0].windows) == (7, 20, 7)
    assert 13 <= found.lstms[0].focus.window < 20
    assert explain(path, windows, windows=7).to_dict() == found.to_dict()
    assert explain(path, windows, windows=100).windows == 20


def test_the_document_has_its_schema(tmp_path: Path) -> None:
    document = explain(int8_file(tmp_path / "a.tflite"), given(3)).to_dict()
    assert document["schema"] == SCHEMA
    assert [lstm["name"] for lstm in document["lstms"]] == ["y"]


def fields_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(fields_of, value.values()))
    return set().union(*map(fields_of, value)) if isinstance(value, list) else set()


def test_every_field_is_documented(tmp_path: Path) -> None:
    path = int8_file(tmp_path / "a.tflite")
    float_file(path, tmp_path / "model_float32.tflite")
    document = explain(path, given(3)).to_dict()
    text = (Path(__file__).parents[2] / "docs" / "explain.md").read_text()
    assert not [name for name in fields_of(document) if f"`{name}`" not in text]
