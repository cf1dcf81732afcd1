"""`pipeline explain`: tables that fit 80 columns, JSON, a page, and clear errors."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from int8_lstm_file import Int8Lstm, build

Invoke = Callable[..., Any]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Loud enough to saturate, with scales that are not tied."""
    random = np.random.default_rng(1)
    lstm = Int8Lstm(
        random.integers(-127, 128, (4, 4, 3)).astype(np.int8),
        random.integers(-127, 128, (4, 4, 4)).astype(np.int8),
        random.integers(-900, 900, (4, 4)).astype(np.int32),
        (0.03,) * 4,
        (0.03,) * 4,
        input=(1 / 20, 5),
        state=(1 / 120, 1),
        steps=12,
        cell_scale=2.0**-15,
        cell_clip=0.9,
    )
    path = tmp_path / "[bold]model.tflite"
    path.write_bytes(build(lstm))
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "windows.npz"
    np.savez(path, features=np.random.default_rng(0).normal(size=(5, 12, 3)).astype(np.float32))
    return path


def test_labels_of_any_kind_are_not_looked_at(invoke: Invoke, model: Path, tmp_path: Path) -> None:
    windows = np.random.default_rng(0).normal(size=(5, 12, 3))
    rows = np.eye(5, 2)
    np.savez(tmp_path / "data.npz", x_train=windows, y_train=rows, x_test=windows, y_test=rows)
    done = invoke("explain", model, "--data", tmp_path / "data.npz", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["available"] == 5


def test_the_tables_fit_and_say_it_all(invoke: Invoke, model: Path, data: Path) -> None:
    done = invoke("explain", model, "--data", data)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "[bold]model.tflite: 5 of 5 windows of windows"
    for text in (  # lines are folded anywhere
        "own weights, dequantized",
        "to the last bit: all 240 hidden states",
        "Which rounding",
        "untied scales",
        "Which gate",
        "cut at ±8",
        "Saturated: ",
        "Cut by the cell clip of 0.9",
        "Along time",
        "Furthest off: window",
    ):
        assert text in " ".join(done.out.split()), text
    assert "LSTM y" in done.err  # progress


def test_json_is_all_there_is_on_stdout(invoke: Invoke, model: Path, data: Path) -> None:
    done = invoke("explain", model, "--data", data, "--windows", 3, "--json", "--quiet")
    document = json.loads(done.out)
    assert document["schema"] == "fuselage-explanation/1"
    assert (document["windows"], document["available"]) == (3, 5)
    assert document["lstms"][0]["attribution"]["total"] > 0
    assert done.err == ""


def test_a_page_is_written_beside(invoke: Invoke, model: Path, data: Path, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    done = invoke("explain", model, "--data", data, "--html", page, "--quiet")
    assert done.code == 0, done.err
    assert page.read_text().startswith("<!doctype html>")
    assert "why.html" in done.out
    assert [one.name for one in tmp_path.iterdir() if one.name.endswith(".partial")] == []


def test_a_page_that_cannot_be_written(invoke: Invoke, model: Path, data: Path, tmp_path: Path) -> None:
    done = invoke("explain", model, "--data", data, "--html", tmp_path / "none" / "why.html", "--quiet")
    assert done.code == 2
    assert "Cannot write the page" in done.err


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"features": np.full((2, 12, 3), np.nan)}, "NaN"),
        ({"features": np.zeros((2, 11, 3))}, "the model takes [12, 3]"),
        ({"other": np.zeros(3)}, "has no windows"),
    ],
)
def test_data_that_cannot_be_used(
    invoke: Invoke, model: Path, tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    done = invoke("explain", model, "--data", tmp_path / "bad.npz", "--quiet")
    assert done.code == 2
    assert message in done.err


def test_a_file_that_is_no_model(invoke: Invoke, data: Path, tmp_path: Path) -> None:
    (tmp_path / "garbage.tflite").write_bytes(bytes(4) + b"TFL3" + bytes(100))
    done = invoke("explain", tmp_path / "garbage.tflite", "--data", data)
    assert done.code == 2
    assert done.err.startswith("Error: ")


def test_data_is_needed(invoke: Invoke, model: Path) -> None:
    done = invoke("explain", model)
    assert done.code == 2
    assert "--data" in done.err
