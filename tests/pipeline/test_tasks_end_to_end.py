"""Each task from an .npz to files that are run, inspected and explained: small models, few epochs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from source_tree import ROOT

pytestmark = pytest.mark.slow

Arrays = dict[str, Any]
STEPS, UNITS = 8, 4
OPTIONS = ("--units", UNITS, "--epochs", 3, "--qat-epochs", 1, "--refit", "never")


def labels(x: Any) -> Any:
    """[n, 3] of 0 and 1."""
    return (np.stack([x[:, -1, 0], x[:, :, 1].mean(axis=1), x[:, 0, 2]], axis=1) > 0).astype(int)


def values(x: Any) -> Any:
    """[n, 2], far from 0 and from each other in size."""
    return np.stack([5000 + 100 * x[:, -1, 0], 0.01 * x[:, :, 1].mean(axis=1)], axis=1)


TASKS: dict[str, tuple[Callable[[Any], Any], Arrays]] = {
    "multi-label": (labels, {"label_names": ["up", "mid", "peak"]}),
    "regression": (values, {"target_names": ["load", "wear"], "target_units": ["N", "mm"]}),
    "per-step": (lambda x: (x[..., 0] > 0).astype(int), {"class_names": ["low", "high"]}),
}


def given(answer: Arrays, names: list[str]) -> None:
    likely = answer["probabilities"]
    assert list(likely) == names
    assert answer["labels"] == [name for name in names if likely[name] > 0.5]
    assert len(answer["attention_weights"]) == STEPS


def in_units(answer: Arrays, names: list[str]) -> None:
    assert answer["units"] == {"load": "N", "wear": "mm"}
    assert list(answer["values"]) == names
    assert 4000 < answer["values"]["load"] < 6000  # the data's mean and ten times its step
    assert abs(answer["values"]["wear"]) < 0.2


def each_step(answer: Arrays, names: list[str]) -> None:
    assert len(answer["labels"]) == len(answer["probabilities"]) == STEPS
    for label, likely in zip(answer["labels"], answer["probabilities"], strict=True):
        assert label == max(names, key=likely.__getitem__)
    assert np.shape(answer["attention_weights"]) == (STEPS, STEPS)


CHECKS: dict[str, Callable[[Arrays, list[str]], None]] = {
    "multi-label": given, "regression": in_units, "per-step": each_step,
}  # fmt: skip


def pipeline(*words: object, fails: bool = False) -> str:
    """Call the command in a process of its own; returns stdout. Exit code 1 is a verdict, not an error."""
    command = [sys.executable, "-m", "pipeline.cli", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode in ((0, 1) if fails else (0,)), done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("task", TASKS)
def test_a_task_from_its_data_to_what_its_files_say(task: str, tmp_path: Path) -> None:
    learned, names = TASKS[task]
    random = np.random.default_rng(0)
    x, x_test = (random.normal(size=(n, STEPS, 3)).cumsum(axis=1).astype(np.float32) for n in (96, 32))
    data, out = tmp_path / "data.npz", tmp_path / "out"
    np.savez(
        data, x_train=x, y_train=learned(x), x_test=x_test, y_test=learned(x_test), task=np.array(task),
        **{name: np.array(texts) for name, texts in names.items()},
    )  # fmt: skip
    pipeline("build", "--data", data, "--out", out, *OPTIONS, fails=True)  # so little training may miss one
    file, outputs = out / "model_int8.tflite", next(iter(names.values()))

    report = json.loads((out / "report.json").read_text())
    measured = {check["name"] for check in report["checks"] if check["value"] is not None}
    assert report["task"] == task
    assert {"attention_max_error", "context_max_error", "attention_within_one_step"} <= measured
    assert all(name in (out / "report.html").read_text() for name in outputs)

    ran = [json.loads(line) for line in pipeline("run", file, "--input", data).splitlines()]
    assert [one["window"] for one in ran] == list(range(len(x_test)))
    for one in ran:
        CHECKS[task](one, outputs)
    inspected = json.loads(pipeline("inspect", file, "--json"))
    assert inspected["metadata"]["task"] == task
    assert inspected["metadata"]["query"] == ("all" if task == "per-step" else "last")
    (lstm,) = json.loads(pipeline("explain", file, "--data", data, "--json"))["lstms"]
    assert (lstm["windows"], lstm["steps"], lstm["units"]) == (len(x_test), STEPS, UNITS)
