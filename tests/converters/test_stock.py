"""The stock quantizer, in a child process as a build runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters import lint
from converters.child import run_in_child
from converters.summary import summarize
from models.errors import ConversionError

SAVE = """
import sys
sys.path.insert(0, sys.argv[1])
from tiny import attention_model
from converters.export import export_saved_model
from models.classifier import build_model
from models.config import ModelConfig, RecurrentConfig
export_saved_model(attention_model(), sys.argv[2] + "/plain", 6, 3)
told = ModelConfig(6, 3, 3, recurrent=RecurrentConfig((4,)), variable_length=True)
export_saved_model(build_model(told), sys.argv[2] + "/told", 6, 3, variable_length=True)
"""
METADATA: dict[str, Any] = {
    "name": "tiny",
    "class_names": ["a", "b", "c"],
    "channel_names": ["x", "y", "z"],
    "channel_units": ["", "", ""],
    "sample_rate_hz": None,
    "preprocessing": {"mean": [0.0] * 3, "std": [1.0] * 3, "steps": 6, "features": 3, "padding": "none"},
    "provenance": {},
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def saved_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`plain`, and `told`, which takes lengths."""
    folder = tmp_path_factory.mktemp("saved")
    command = [sys.executable, "-c", SAVE, str(Path(__file__).parent), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def convert(saved_model: Path, folder: Path, windows: np.ndarray, lengths: np.ndarray | None = None) -> Path:
    np.save(folder / "windows.npy", windows)
    paths = {"saved_model": str(saved_model), "windows": str(folder / "windows.npy"), "lengths": None}
    metadata = METADATA
    if lengths is not None:
        np.save(folder / "lengths.npy", lengths)
        paths["lengths"] = str(folder / "lengths.npy")
        metadata = {**METADATA, "preprocessing": {**METADATA["preprocessing"], "padding": "end"}}
    arguments = {**paths, "metadata": metadata}
    run_in_child("converters.stock:stock_job", folder, arguments)
    return folder / "model_int8_stock.tflite"


def test_it_is_the_stock_file_with_nothing_repaired(saved_models: Path, tmp_path: Path) -> None:
    windows = np.random.default_rng(0).normal(size=(16, 6, 3)).astype(np.float32)
    path = convert(saved_models / "plain", tmp_path, windows)
    summary = summarize(path)
    (lstm,) = summary.lstms
    assert lstm.kind == "int8 8x8_16"
    assert lstm.cell_clip == 10.0
    assert lint.state_scale_problems(path)
    assert {tensor.dtype for tensor in (*summary.inputs, *summary.outputs)} == {"float32"}
    assert summary.metadata is not None
    assert summary.metadata["name"] == "tiny"


def test_it_is_calibrated_with_the_lengths_of_a_model_that_is_told_them(
    saved_models: Path, tmp_path: Path
) -> None:
    windows = np.random.default_rng(0).normal(size=(16, 6, 3)).astype(np.float32)
    lengths = 1 + np.arange(16, dtype=np.int32) % 6
    summary = summarize(convert(saved_models / "told", tmp_path, windows, lengths))
    assert [lstm.kind for lstm in summary.lstms] == ["int8 8x8_16"]
    assert {(tensor.shape, tensor.dtype) for tensor in summary.inputs} == {
        ((1, 6, 3), "float32"),
        ((1,), "int32"),
    }


def test_a_model_it_cannot_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="SavedModel"):
        convert(tmp_path, tmp_path, np.zeros((2, 6, 3), np.float32))
