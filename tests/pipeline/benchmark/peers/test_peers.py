"""The registered peers: they make models that agree with the float file, or say why they cannot."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from float_lstm_file import random_lstm
from hand_made import hand_made

from pipeline.benchmark.peers import PEERS, Missing, load
from pipeline.benchmark.subjects import Subject, read_subjects
from pipeline.progress import Silence

HAS_ONNX = all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))


def subject(folder: Path, content: bytes) -> Subject:
    folder.mkdir(exist_ok=True)
    (folder / "model_float32.tflite").write_bytes(content)
    return read_subjects([folder])[0]


@pytest.mark.parametrize("name", PEERS)
def test_each_is_where_the_registry_says(name: str) -> None:
    assert callable(load(name).make)


@pytest.mark.skipif(not HAS_ONNX, reason="onnx and onnxruntime are not installed")
def test_onnxruntime_makes_a_float_and_an_int8_model(tmp_path: Path) -> None:
    given = subject(tmp_path / "build", random_lstm(3, 8, 6))
    exact, int8 = load("onnxruntime").make(given, tmp_path, Silence())
    assert [exact.name, int8.name] == ["onnxruntime float32", "onnxruntime dynamic int8"]
    assert exact.largest_error <= 6 * 2.0**-18
    assert exact.largest_error < int8.largest_error < 1  # int8 weights do move the outputs
    assert int8.path.stat().st_size < exact.path.stat().st_size


@pytest.mark.skipif(not HAS_ONNX, reason="onnx and onnxruntime are not installed")
def test_onnxruntime_says_what_it_does_not_apply_to(tmp_path: Path) -> None:
    given = subject(tmp_path / "build", hand_made(lengths=True))
    with pytest.raises(Missing, match=r"does not apply to model_float32.tflite. It has the operator CAST"):
        load("onnxruntime").make(given, tmp_path, Silence())


def test_onnxruntime_says_what_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_onnx(name: str, *more: Any) -> Any:
        return None if name == "onnx" else object()  # as if all others were there

    monkeypatch.setattr(importlib.util, "find_spec", without_onnx)
    with pytest.raises(Missing, match=r"not installed\. Try: pip install onnx$"):
        load("onnxruntime").make(subject(tmp_path / "build", hand_made()), tmp_path, Silence())


def test_unfused_needs_a_build_folder(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"needs the build folder of model_float32.tflite"):
        load("unfused").make(subject(tmp_path / "build", hand_made()), tmp_path, Silence())


@pytest.mark.slow
def test_unfused_has_the_same_outputs_and_a_loop(tmp_path: Path) -> None:
    from converters import schema
    from converters.convert import convert_float
    from converters.export import export_saved_model
    from models.classifier import build_model
    from models.config import ModelConfig, RecurrentConfig, lstm_layer_names
    from models.training import set_seed

    set_seed(0)
    config = ModelConfig(6, 3, 3, recurrent=RecurrentConfig((5,)))
    saved = tmp_path / "build" / "stages" / "train" / "saved_model"
    saved.parent.mkdir(parents=True)
    export_saved_model(build_model(config), saved, 6, 3)
    given = subject(tmp_path / "build", convert_float(saved, lstm_layer_names(config.recurrent)))
    (made,) = load("unfused").make(given, tmp_path, Silence())
    assert made.largest_error <= 6 * 2.0**-18
    model = schema.read_model(made.path)
    assert [schema.operator_name(model, one) for one in model.subgraphs[0].operators].count("WHILE") == 1
