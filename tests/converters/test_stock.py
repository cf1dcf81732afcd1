"""The stock quantizer, in a child process as a build runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from converters import lint
from converters.child import run_in_child
from converters.summary import summarize
from models.errors import ConversionError

SAVE = """
import sys
sys.path.insert(0, sys.argv[1])
from tiny import attention_model, tf
from converters.export import export_saved_model
export_saved_model(attention_model(), sys.argv[2], 6, 3)
"""
METADATA = {
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
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    command = [sys.executable, "-c", SAVE, str(Path(__file__).parent), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def convert(saved_model: Path, folder: Path, windows: np.ndarray) -> Path:
    np.save(folder / "windows.npy", windows)
    paths = {"saved_model": str(saved_model), "windows": str(folder / "windows.npy")}
    arguments = {**paths, "metadata": METADATA}
    run_in_child("converters.stock:stock_job", folder, arguments)
    return folder / "model_int8_stock.tflite"


def test_it_is_the_stock_file_with_nothing_repaired(saved_model: Path, tmp_path: Path) -> None:
    windows = np.random.default_rng(0).normal(size=(16, 6, 3)).astype(np.float32)
    path = convert(saved_model, tmp_path, windows)
    summary = summarize(path)
    (lstm,) = summary.lstms
    assert lstm.kind == "int8 8x8_16"
    assert lstm.cell_clip == 10.0
    assert lint.state_scale_problems(path)
    assert {tensor.dtype for tensor in (*summary.inputs, *summary.outputs)} == {"float32"}
    assert summary.metadata is not None
    assert summary.metadata["name"] == "tiny"


def test_a_model_it_cannot_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="SavedModel"):
        convert(tmp_path, tmp_path, np.zeros((2, 6, 3), np.float32))
