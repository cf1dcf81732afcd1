"""The stage `convert` around its child processes: what is asked of them, and what their failures mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.config import ModelConfig, RecurrentConfig
from models.errors import ConversionError
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.data.preprocessing import Preprocessing
from pipeline.progress import Silence
from pipeline.stages import StageContext, convert, load

FLOAT, INT8, STOCK = "model_float32.tflite", "model_int8.tflite", "model_int8_stock.tflite"


class Converter:
    """Stands in for the child process: writes what it would write."""

    def __init__(self) -> None:
        self.calls: dict[str, dict[str, Any]] = {}
        self.error: ConversionError | None = None

    def __call__(self, job: str, folder: Path, arguments: dict[str, Any], progress: Any) -> dict[str, Any]:
        self.calls[job] = arguments
        if job == "converters.convert:convert_job":
            folder.mkdir()
            for scheme in arguments["schemes"].values():
                (folder / scheme["file"]).write_text(scheme["name"])
            return {"int8": {"ranges": []}}
        self.windows = np.load(arguments["windows"], allow_pickle=False)
        told = arguments["lengths"]
        self.lengths = None if told is None else np.load(told, allow_pickle=False)
        if self.error:
            raise self.error
        (folder / STOCK).write_text("stock")
        return {}


@pytest.fixture
def converter(monkeypatch: pytest.MonkeyPatch) -> Converter:
    fake = Converter()
    monkeypatch.setattr(convert, "run_in_child", fake)
    return fake


def run(
    tmp_path: Path, compare: bool, padding: str = "none", **sections: Any
) -> tuple[Path, dict[str, Any]]:
    """The stage's folder and its conversion.json."""
    (tmp_path / "data").mkdir()
    folder = tmp_path / "convert"
    folder.mkdir()
    windows, labels = np.arange(12, dtype=np.float32).reshape(2, 3, 2), np.array([0, 1])
    rule = Preprocessing((0.0, 0.0), (1.0, 1.0), 3, 2, padding)
    PreparedData(
        windows, labels, windows[:1], labels[:1], windows[:1], labels[:1], windows[:1], rule,
        ("a", "b"), ("x", "y"), ("", ""), None, "tiny", "", lengths_train=np.array([2, 3]),
    ).save(tmp_path / "data")  # fmt: skip
    (tmp_path / "train").mkdir()
    recurrent = RecurrentConfig((8,), bidirectional=True)
    model = ModelConfig(steps=3, features=2, outputs=2, recurrent=recurrent)
    (tmp_path / "train" / "model.json").write_text(json.dumps(model.to_dict()))
    config = BuildConfig.model_validate({"convert": {"compare_stock": compare}, **sections})
    load("convert").run(StageContext(config, folder, tmp_path.joinpath, Silence()))
    return folder, json.loads((folder / "conversion.json").read_text())


def test_the_stock_quantizer_is_left_alone_unless_asked_for(tmp_path: Path, converter: Converter) -> None:
    folder, conversion = run(tmp_path, compare=False)
    assert list(converter.calls) == ["converters.convert:convert_job"]
    assert sorted(path.name for path in folder.iterdir()) == ["conversion.json", FLOAT, INT8]
    assert conversion == {"schemes": {"int8": {"ranges": []}}}


def test_each_scheme_is_asked_for_with_its_twin_and_every_lstm_by_name(
    tmp_path: Path, converter: Converter
) -> None:
    schemes = {"scheme": ["dynamic", "int8"], "attention_precision": ["int16", "float32"]}
    folder, _ = run(tmp_path, compare=False, quantize=schemes)
    asked = converter.calls["converters.convert:convert_job"]
    assert {name: (one["conversion"], one["attention"]) for name, one in asked["schemes"].items()} == {
        "float32": ("float32", None),
        "dynamic": ("dynamic", None),
        "int8-attention-int16": ("int8", "int16"),
        "int8-attention-float32": ("int8", "float32"),
    }
    assert {name: one["ranges"] for name, one in asked["quantized"].items()} == {
        precision: str(tmp_path / "quantize" / precision / "ranges.npz") for precision in ("int16", "float32")
    }
    assert asked["lstm_layers"] == ["lstm_forward", "lstm_backward"]
    assert sorted(path.name for path in folder.glob("*.tflite")) == sorted(
        one["file"] for one in asked["schemes"].values()
    )


def test_the_stock_quantizer_gets_the_float_model_and_the_training_windows(
    tmp_path: Path, converter: Converter
) -> None:
    folder, conversion = run(tmp_path, compare=True)
    asked = converter.calls["converters.stock:stock_job"]
    assert asked["saved_model"] == str(tmp_path / "train" / "saved_model")
    assert converter.windows.tolist() == np.arange(12).reshape(2, 3, 2).tolist()
    assert converter.lengths is None
    assert asked["metadata"] == converter.calls["converters.convert:convert_job"]["metadata"]
    assert (folder / STOCK).read_text() == "stock"
    assert conversion["stock"] == ""
    assert not (folder / "work").exists()


def test_the_stock_quantizer_gets_lengths_where_the_model_takes_them(
    tmp_path: Path, converter: Converter
) -> None:
    run(tmp_path, compare=True, padding="end")
    assert converter.lengths is not None
    assert (converter.lengths.tolist(), converter.lengths.dtype) == ([2, 3], np.int32)


def test_a_stock_quantizer_that_fails_does_not_fail_the_build(tmp_path: Path, converter: Converter) -> None:
    converter.error = ConversionError("The conversion process was ended by SIGSEGV.")
    folder, conversion = run(tmp_path, compare=True)
    assert conversion["stock"] == "The conversion process was ended by SIGSEGV."
    assert sorted(path.name for path in folder.iterdir()) == ["conversion.json", FLOAT, INT8]


def test_asking_for_it_is_an_option_of_the_stage() -> None:
    compared = BuildConfig.model_validate({"convert": {"compare_stock": True}})
    assert load("convert").options(compared) != load("convert").options(BuildConfig())
