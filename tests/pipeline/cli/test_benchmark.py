"""`pipeline benchmark`: tables that fit 80 columns, JSON, a page, and clear errors."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmark_result import made
from float_lstm_file import random_lstm
from hand_made import hand_made
from int8_lstm_file import Int8Lstm, build

from pipeline.benchmark import run
from pipeline.benchmark.result import Benchmark

Invoke = Callable[..., Any]
FAST = ("--runs", 3, "--warm-up", 0)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    ones = (np.ones((4, 4, 3), np.int8), np.ones((4, 4, 4), np.int8), np.ones((4, 4), np.int32))
    path = tmp_path / "[bold]model.tflite"
    path.write_bytes(build(Int8Lstm(*ones, (0.01,) * 4, (0.01,) * 4, steps=4)))
    return path


def test_the_tables_fit_and_say_it_all(invoke: Invoke, model: Path) -> None:
    done = invoke("benchmark", model, *FAST)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= 80
    said = " ".join(done.out.split())
    for text in (
        "3 rounds after 0 to warm up", "1 thread a model", "Latency of one call, ms", "[bold]model.tflite",
        "What it takes", "Operators of", "UNIDIRECTIONAL_SEQUENCE_LSTM", "3 of 3 features and 4 of 4 units",
        "was not measured: instructions were not counted (--instructions)",
        "Not measured: onnxruntime: [bold]model.tflite is not float",
        "Not measured: unfused: not asked for (--peer unfused)",
    ):  # fmt: skip
        assert text in said, text
    assert "Timing in turn" in done.err


def test_long_results_fit_too(invoke: Invoke, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = made()
    monkeypatch.setattr(run, "benchmark", lambda *given, **more: found)
    done = invoke("benchmark", model, "--quiet")
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= 80
    assert "Executed instructions on Arm (cortex-a76, emulated)" in done.out
    assert "Warning: The machine was busy." in done.out


def test_json_is_all_there_is_on_stdout(invoke: Invoke, model: Path) -> None:
    done = invoke("benchmark", model, *FAST, "--no-profile", "--no-peers", "--json", "--quiet")
    document = json.loads(done.out)
    assert document["schema"] == "fuselage-benchmark/1"
    assert document["entries"][0]["latency"]["runs"] == 3
    assert document["environment"]["load"] >= 0
    assert done.err == ""


def test_a_page_is_written_beside(invoke: Invoke, model: Path, tmp_path: Path) -> None:
    page = tmp_path / "cost.html"
    done = invoke("benchmark", model, *FAST, "--no-profile", "--html", page, "--quiet")
    assert done.code == 0, done.err
    assert page.read_text().startswith("<!doctype html>")
    assert "cost.html" in done.out
    assert [one.name for one in tmp_path.iterdir() if one.name.endswith(".partial")] == []


@pytest.mark.parametrize("where", ["none/cost.html", "folder", "."])
def test_a_page_that_cannot_be_written_is_said_before_anything_is_measured(
    invoke: Invoke, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(run, "benchmark", lambda *given, **more: pytest.fail("it was measured"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    done = invoke("benchmark", model, *FAST, "--html", where, "--quiet")
    assert done.code == 2
    assert "Cannot write the page" in done.err
    assert sorted(one.name for one in tmp_path.iterdir()) == [model.name, "folder"]


def test_what_was_measured_is_told_although_the_page_was_lost(
    invoke: Invoke, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "cost.html"

    def measured(*given: object, **more: object) -> Benchmark:
        page.mkdir()
        return made()

    monkeypatch.setattr(run, "benchmark", measured)
    done = invoke("benchmark", model, "--html", page, "--quiet")
    assert (done.code, "Cannot write the page" in done.err) == (2, True)
    assert "Latency of one call, ms" in done.out
    assert sorted(one.name for one in tmp_path.iterdir()) == [model.name, "cost.html"]


def test_a_file_name_need_not_be_utf_8(invoke: Invoke, model: Path, tmp_path: Path) -> None:
    odd, page = tmp_path / os.fsdecode(b"b\xff.tflite"), tmp_path / "cost.html"
    model.rename(odd)
    done = invoke("benchmark", odd, *FAST, "--no-profile", "--html", page, "--quiet")
    assert done.code == 0, done.err
    assert "b\\udcff.tflite" in done.out
    assert "b\\udcff.tflite" in page.read_text()


def test_onnxruntime_is_timed_where_it_is_installed(invoke: Invoke, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    path = tmp_path / "model_float32.tflite"
    path.write_bytes(random_lstm(3, 4, 5))
    done = invoke("benchmark", path, *FAST, "--no-profile", "--json", "--quiet")
    assert done.code == 0, done.err
    names = [(one["name"], one["peer_of"]) for one in json.loads(done.out)["entries"]]
    assert names[1:] == [
        ("onnxruntime float32", path.name), ("onnxruntime dynamic int8", path.name),
    ]  # fmt: skip


def test_peers_and_no_peers_exclude_each_other(invoke: Invoke, model: Path) -> None:
    done = invoke("benchmark", model, "--no-peers", "--peer", "unfused")
    assert done.code == 2
    assert "exclude each other" in done.err


@pytest.mark.parametrize("content", [b"", hand_made()[:200], bytes(4) + b"TFL3" + bytes(100)])
def test_a_file_that_is_no_model(invoke: Invoke, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.tflite").write_bytes(content)
    done = invoke("benchmark", tmp_path / "bad.tflite")
    assert done.code == 2
    assert done.err.startswith("Error: ")


def test_a_folder_without_models_and_no_file_at_all(invoke: Invoke, tmp_path: Path) -> None:
    assert "has no models" in invoke("benchmark", tmp_path).err
    assert "Cannot read the model" in invoke("benchmark", tmp_path / "none.tflite").err
    assert invoke("benchmark").code == 2
