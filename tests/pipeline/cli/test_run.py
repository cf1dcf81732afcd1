"""`pipeline run`: windows in, JSON lines out. The classifier here is a stand-in."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sounds import write_wav

from pipeline import runtime


class StandIn:
    """Answers with the mean of the window, and refuses windows longer than 3 steps."""

    def __init__(self, model: Path, kernels: str = "builtin") -> None:
        if not model.is_file():
            raise runtime.ModelFileError(f"Cannot read the model '{model}'.")
        if kernels == "fuselage":
            raise runtime.KernelsError("The package fuselage-kernels is not installed.")
        self.kernels_note = f"{kernels} it is."
        self.metadata = {"class_names": ["[red]no[/red]", "</script>"], "channel_names": ["x", "y"]}

    def features_of(self, samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
        if sample_rate_hz != 8000:
            raise runtime.WindowError(f"The samples have {sample_rate_hz} Hz.")
        return samples[:4].reshape(2, 2)

    def predict(self, window: np.ndarray) -> runtime.Prediction:
        if len(window) > 3:
            raise runtime.WindowError("The window has 4 steps; the model takes 1 to 3.")
        probabilities = np.array([0.25, 0.75], np.float32)
        return runtime.Prediction(
            "</script>", 1, probabilities, probabilities, window.mean(axis=1).astype(np.float32)
        )


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(runtime, "load_model", StandIn)
    path = tmp_path / "model.tflite"
    path.touch()
    return path


def test_each_window_is_one_line_of_json(invoke: Any, model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.array([[[0.1, 0.1], [2, 4]], [[1, 1], [0, 0]]], np.float32))
    done = invoke("run", model, "--input", tmp_path / "w.npy")
    assert done.code == 0
    first, second = map(json.loads, done.out.splitlines())
    assert first == {
        "window": 0,
        "label": "</script>",
        "class_index": 1,
        "probabilities": {"[red]no[/red]": 0.25, "</script>": 0.75},
        "attention_weights": [0.1, 3.0],  # 0.1 as float32, in its shortest form
    }
    assert (second["window"], second["attention_weights"]) == (1, [1.0, 0.0])


def test_a_window_that_does_not_fit_is_named(invoke: Any, model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.zeros((1, 4, 2), np.float32))
    done = invoke("run", model, "--input", tmp_path / "w.npy")
    assert done.code == 2
    assert done.err == "Error: Window 0 of 'w.npy': The window has 4 steps; the model takes 1 to 3.\n"


def test_a_recording_is_one_window(invoke: Any, model: Path, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "w.wav", np.array([1, 3, 2, 4], np.int16))
    done = invoke("run", model, "--input", path)
    assert done.code == 0, done.err
    assert json.loads(done.out)["attention_weights"] == [2.0, 3.0]


@pytest.mark.parametrize(("rate", "channels", "why"), [(16000, 1, "have 16000 Hz"), (8000, 2, "2 channels")])
def test_a_recording_that_does_not_fit(
    invoke: Any, model: Path, tmp_path: Path, rate: int, channels: int, why: str
) -> None:
    path = write_wav(tmp_path / "w.wav", np.zeros((50, channels) if channels > 1 else 50, np.int16), rate)
    done = invoke("run", model, "--input", path)
    assert done.code == 2
    assert why in done.err
    assert "w.wav" in done.err


@pytest.mark.parametrize(("missing", "told"), [("model", "Cannot read the model"), ("input", "No such file")])
def test_missing_files_exit_2(invoke: Any, model: Path, tmp_path: Path, missing: str, told: str) -> None:
    np.save(tmp_path / "w.npy", np.zeros((1, 2, 2), np.float32))
    files = {"model": model, "input": tmp_path / "w.npy", missing: tmp_path / "none.npy"}
    done = invoke("run", files["model"], "--input", files["input"])
    assert done.code == 2
    assert told in done.err


def test_the_tip_is_about_what_is_wrong_with_the_model(invoke: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.zeros((1, 2, 2), np.float32))
    (tmp_path / "broken.tflite").write_bytes(b"no model")
    tips = {"none.tflite": "Check the path", ".": "Give one of", "broken.tflite": "Is the file whole?"}
    for name, tip in tips.items():
        done = invoke("run", tmp_path / name, "--input", tmp_path / "w.npy")
        assert done.code == 2
        assert [one for one in tips.values() if one in done.err] == [tip]


def test_what_the_file_says_and_nobody_understands_is_told_on_stderr(
    invoke: Any, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "w.csv").write_text("left,right\n1,2\n")
    done = invoke("run", model, "--input", tmp_path / "w.csv")
    assert done.code == 0
    assert len(done.out.splitlines()) == 1
    assert done.err == (
        "The columns of 'w.csv' are left, right; the model takes x, y. They were taken in this order.\n"
    )


def test_what_runs_the_lstms_is_said_where_it_was_asked_for(invoke: Any, model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.ones((1, 2, 2), np.float32))
    plain = invoke("run", model, "--input", tmp_path / "w.npy")
    told = invoke("run", model, "--input", tmp_path / "w.npy", "--kernels", "auto")
    assert plain.err == ""
    assert told.err == "LSTM kernels: auto it is.\n"
    assert told.out == plain.out
    refused = invoke("run", model, "--input", tmp_path / "w.npy", "--kernels", "fuselage")
    assert refused.code == 2
    assert "fuselage-kernels is not installed." in refused.err
    assert "Tip: --kernels auto" in refused.err
