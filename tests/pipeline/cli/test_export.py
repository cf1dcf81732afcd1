"""`pipeline export`: what is written is told, what cannot be is exit code 2, and TensorFlow is not needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from built_files import build_folder, config, files, raw_windows
from hand_made import hand_made, metadata

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_folder(tmp_path_factory.mktemp("built"), config(), files(config())["int8"])


def test_python(invoke: Any, build: Path, tmp_path: Path) -> None:
    done = invoke("export", "python", tmp_path / "out", "--from", build, "--streaming")
    assert done.code == 0, done.err
    written = {str(file) for file in (tmp_path / "out").iterdir() if file.name != "export.json"}
    assert set(done.out.splitlines()) == written
    assert str(tmp_path / "out" / "streaming.tflite") in written
    again = invoke("export", "python", tmp_path / "out", "--from", build)
    assert again.code == 0
    assert not (tmp_path / "out" / "streaming.tflite").exists()


def test_c(invoke: Any, build: Path, tmp_path: Path) -> None:
    done = invoke("export", "c", tmp_path / "out", "--from", build, "--model", "model_int8.tflite")
    assert done.code == 0, done.err
    assert str(tmp_path / "out" / "fuselage_model.h") in done.out.splitlines()


@pytest.mark.parametrize("kind", ["python", "c"])
def test_a_folder_of_someone_else(invoke: Any, build: Path, tmp_path: Path, kind: str) -> None:
    (tmp_path / "mine").write_text("mine")
    refused = invoke("export", kind, tmp_path, "--from", build)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(f"Error: The folder '{tmp_path}' is not empty, and no export.\nTip: ")
    assert invoke("export", kind, tmp_path, "--from", build, "--force").code == 0
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize("kind", ["python", "c"])
def test_no_build(invoke: Any, tmp_path: Path, kind: str) -> None:
    done = invoke("export", kind, tmp_path / "out", "--from", tmp_path)
    assert done.code == 2
    assert "is no finished build" in done.err
    assert not (tmp_path / "out").exists()


def test_a_model_that_cannot_stream(invoke: Any, tmp_path: Path) -> None:
    build_folder(tmp_path, config(), hand_made(described=metadata()))
    np.savez(tmp_path / "golden.npz", raw_features=raw_windows(3, steps=5))  # the file's own windows
    done = invoke("export", "python", tmp_path / "out", "--from", tmp_path, "--streaming")
    assert done.code == 2
    assert "cannot stream: The model has no fused LSTM" in done.err


@pytest.mark.parametrize("kind", ["python", "c"])
def test_tensorflow_is_not_needed(build: Path, tmp_path: Path, kind: str) -> None:
    script = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('tensorflow', 'tf_keras', 'keras', 'aeon')))\n"
        "from pipeline.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", script, "export", kind, str(tmp_path / "out"), "--from", str(build)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
