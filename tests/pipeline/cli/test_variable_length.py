"""Sequences of different length from the data to the file, and through every command that takes files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

STEPS = 8


def part(count: int, seed: int) -> dict[str, np.ndarray]:
    """Noise around the class's own level in the first channel; NaN stands behind the steps that count."""
    random = np.random.default_rng(seed)
    y, lengths = random.integers(0, 2, count), random.integers(1, STEPS + 1, count)
    x = random.normal(0, 0.5, (count, STEPS, 2)).astype(np.float32)
    x[:, :, 0] += 2 * y[:, np.newaxis] - 1
    x[np.arange(STEPS) >= lengths[:, np.newaxis]] = np.nan
    return {"x": x, "y": y, "lengths": lengths}


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.slow
def test_from_the_data_through_every_command(invoke: Any, tmp_path: Path) -> None:
    data, only_test, out = tmp_path / "levels.npz", tmp_path / "test part.npz", tmp_path / "build"
    train, test = part(120, 0), part(40, 1)
    whole = {f"{key}_{name}": one[key] for name, one in (("train", train), ("test", test)) for key in one}
    np.savez(data, **whole)
    np.savez(only_test, **{key: value for key, value in whole.items() if key.endswith("_test")})
    options = ("--units", 8, "--epochs", 6, "--qat-epochs", 1, "--variable-length", "--compare-stock", "-q")
    done = invoke("build", "--data", data, "--out", out, *options)
    assert done.code == 0, done.out + done.err
    int8, golden = out / "model_int8.tflite", out / "golden.npz"

    answers = lines(invoke("run", int8, "--input", data).out)
    assert answers == lines(invoke("run", int8, "--input", golden).out)
    assert answers == lines(invoke("run", int8, "--input", only_test).out)
    weights = np.array([one["attention_weights"] for one in answers])
    padding = np.arange(STEPS) >= test["lengths"][:, np.newaxis]
    assert len(answers) == 40
    assert (weights[padding] == 0).all()
    assert (weights[test["lengths"] == 1, 0] > 0.99).all()

    for file in (int8, out / "model_float32.tflite"):
        for given, ran_on in (((), "16 seeded inputs"), (("--data", golden), "40 windows of golden.npz")):
            done = invoke("inspect", file, "--json", *given)
            assert done.code == 0, done.out
            assert json.loads(done.out)["measured_on"] == ran_on

    for source in (data, only_test, golden):
        done = invoke("verify", out / "model_float32.tflite", int8, "--data", source, "-q")
        assert done.code == 0, done.out + done.err

    document = json.loads(invoke("explain", int8, "--data", golden, "--json", "-q").out)
    (lstm,) = document["lstms"]
    shorter = int((test["lengths"] < STEPS).sum())
    assert document["notes"][0].startswith(f"{shorter} of 40 windows are shorter than {STEPS} steps; padding")
    assert 0 < lstm["attribution"]["total"] < 0.1

    stock = json.loads((out / "report.json").read_text())["stock"]
    assert stock["error"] is None
    assert stock["checks"]
