"""Files and a folder as `pipeline build` makes them, of any configuration, untrained: seconds each."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from converters.convert import convert_float, quantize_int8
from converters.export import export_saved_model
from converters.metadata import attach_metadata
from converters.ranges import Quantity, RangeTable
from models.config import AttentionConfig, ModelConfig, RecurrentConfig, lstm_layer_names

STEPS, FEATURES, OUTPUTS = 8, 3, 3


def config(
    task: str = "classification",
    units: tuple[int, ...] = (5,),
    kind: str = "scaled-dot",
    query: str = "last",
    bidirectional: bool = False,
    variable_length: bool = False,
) -> ModelConfig:
    return ModelConfig(
        STEPS,
        FEATURES,
        OUTPUTS,
        task,
        RecurrentConfig(units, bidirectional),
        AttentionConfig(kind, query, heads=1),
        variable_length=variable_length,
    )


def metadata(of: ModelConfig, names: tuple[str, ...] = ("up", "down", "still")) -> dict[str, Any]:
    """The document of such a model; raw windows are standardized by numbers that are no round ones."""
    rule: dict[str, Any] = {
        "mean": [0.3, -0.1, 9.81],
        "std": [1.7, 0.6, 2.3],
        "steps": of.steps,
        "features": of.features,
        "padding": "end" if of.variable_length else "front",
    }
    document: dict[str, Any] = {
        "name": "untrained",
        "task": of.task,
        "query": of.attention.query,
        "class_names": list(names),
        "channel_names": ["x", "y", "z"],
        "channel_units": ["g", "g", ""],
        "sample_rate_hz": 10.0,
        "preprocessing": rule,
        "provenance": {"fuselage": "0"},
    }
    if of.task == "regression":
        rule |= {"target_mean": [0.0, 5.0, 100.0], "target_std": [1.0, 2.0, 50.0]}
        document["target_units"] = ["m", "", "s"]
    return document


def raw_windows(count: int, seed: int = 0, steps: int = STEPS) -> np.ndarray:
    """[count, steps, channels] float32, in raw units: random walks, so that a state has something to keep."""
    random = np.random.default_rng(seed)
    walk = random.normal(0, 0.4, (count, steps, FEATURES)).cumsum(axis=1)
    return (walk * [1.7, 0.6, 2.3] + [0.3, -0.1, 9.81]).astype(np.float32)


@cache
def files(of: ModelConfig, io: str = "float32", precision: str = "int8") -> dict[str, bytes]:
    """`float32` and `int8` of one model, with metadata; weights are twice the initial ones."""
    from models.classifier import build_model
    from models.quantization import calibrate, quantize_model
    from models.quantization.transfer import observed_quantities
    from models.training import set_seed

    set_seed(0)
    model, random = build_model(of), np.random.default_rng(0)
    model.set_weights([2.0 * one + 0.1 * random.normal(size=one.shape) for one in model.get_weights()])
    document = metadata(of)
    mean, std = (np.array(document["preprocessing"][key], np.float32) for key in ("mean", "std"))
    x = (raw_windows(24) - mean) / std
    length = of.steps if of.variable_length else None
    told = {"features": x, "lengths": np.full(len(x), of.steps, np.int32)}
    twin = quantize_model(model, precision)
    calibrate(twin, x if length is None else told, "min-max")
    probe = x[0] if length is None else {"features": x[0], "lengths": np.int32(length)}
    quantities = [Quantity(q.name, q.range, q.probe, q.precision) for q in observed_quantities(twin, probe)]
    with tempfile.TemporaryDirectory() as folder:
        export_saved_model(model, Path(folder), of.steps, of.features, of.variable_length)
        float_file = convert_float(Path(folder), lstm_layer_names(of.recurrent))
    int8_file, _ = quantize_int8(float_file, RangeTable(x[0], tuple(quantities), length), io)
    return {
        "float32": attach_metadata(float_file, document),
        "int8": attach_metadata(int8_file, document),
    }


def build_folder(folder: Path, of: ModelConfig, content: bytes, windows: int = 30) -> Path:
    """A folder with what an export reads of a build: the int8 file and golden windows."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model_int8.tflite").write_bytes(content)
    raw = raw_windows(windows, seed=9)
    lengths = np.random.default_rng(9).integers(1, of.steps + 1, windows)
    told = {"lengths": lengths} if of.variable_length else {}
    np.savez(folder / "golden.npz", raw_features=raw, **told)
    write_verdict(folder)
    return folder


def write_verdict(folder: Path, name: str = "model_int8.tflite", **passed: bool) -> None:
    """As much of a build's report as says what the checks of this file, by name, came to; one that held."""
    given = passed or {"decision_agreement": True}
    checks = [{"name": check, "passed": held} for check, held in given.items()]
    verdict = "pass" if all(check["passed"] for check in checks) else "fail"
    report = {"schemes": [{"file": name, "verdict": verdict, "checks": checks}]}
    (folder / "report.json").write_text(json.dumps(report), "utf-8")
