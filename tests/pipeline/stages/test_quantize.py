"""The stage `quantize` on tiny data, as a build runs it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters.ranges import RangeTable
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.parity.outputs import Outputs
from pipeline.stages import load

pytestmark = pytest.mark.slow

Folder = Callable[[str], Path]


@pytest.fixture(scope="module")
def without_training(tiny_build: Any, stage_folder: Folder) -> Path:
    stage_folder("train")
    return Path(tiny_build.run("quantize", into="without training", quantize={"qat": False}))


def test_it_writes_weights_ranges_and_what_both_forwards_answer(stage_folder: Folder) -> None:
    folder = stage_folder("quantize")
    assert sorted(path.name for path in folder.iterdir()) == ["history.json", "int8"]
    assert sorted(path.name for path in (folder / "int8").iterdir()) == [
        "outputs_forward.npz", "outputs_twin.npz", "quantized.weights.h5", "ranges.npz", "saved_model",
        "twin.weights.h5",
    ]  # fmt: skip
    (phase,) = json.loads((folder / "history.json").read_text())["phases"]
    assert [epoch["epoch"] for epoch in phase["epochs"]] == [0, 1, 2]
    table = RangeTable.load(folder / "int8" / "ranges.npz")
    assert {quantity.name.split("/")[0] for quantity in table.quantities} == {"lstm", "attention", "logits"}
    data = PreparedData.load(stage_folder("data"))
    np.testing.assert_array_equal(table.probe_window, data.x_train[0])


def test_the_twins_answers_are_rounded_and_the_forwards_are_not(stage_folder: Folder) -> None:
    twin, forward = (
        Outputs.load(stage_folder("quantize") / "int8" / f"outputs_{name}.npz")
        for name in ("twin", "forward")
    )
    steps = twin.attention_weights * 256
    np.testing.assert_array_equal(steps, np.rint(steps))
    assert not np.array_equal(forward.attention_weights * 256, np.rint(forward.attention_weights * 256))
    assert np.abs(twin.attention_weights - forward.attention_weights).max() < 0.05


def test_without_training_the_weights_are_the_float_models(
    stage_folder: Folder, without_training: Path
) -> None:
    ours = Outputs.load(without_training / "int8" / "outputs_forward.npz")
    floats = Outputs.load(stage_folder("train") / "outputs_float.npz")
    np.testing.assert_array_equal(ours.logits, floats.logits)
    assert json.loads((without_training / "history.json").read_text()) == {"phases": []}
    assert (without_training / "int8" / "outputs_twin.npz").exists()


def test_the_same_seed_gives_identical_weights_and_ranges(tiny_build: Any, stage_folder: Folder) -> None:
    first, again = stage_folder("quantize"), tiny_build.run("quantize", into="quantize again")
    for name in ("outputs_forward.npz", "outputs_twin.npz"):
        ours, theirs = (Outputs.load(folder / "int8" / name) for folder in (again, first))
        np.testing.assert_array_equal(ours.logits, theirs.logits)
    tables = [RangeTable.load(folder / "int8" / "ranges.npz") for folder in (first, again)]
    assert [(q.name, q.range) for q in tables[0].quantities] == [
        (q.name, q.range) for q in tables[1].quantities
    ]


def test_without_an_int8_scheme_there_is_nothing_to_do(tiny_build: Any) -> None:
    folder = tiny_build.run("quantize", into="no twin", quantize={"scheme": "float16"})
    assert [path.name for path in folder.iterdir()] == ["history.json"]
    assert json.loads((folder / "history.json").read_text()) == {"phases": []}
    stage = load("quantize")
    same = [
        stage.options(BuildConfig.model_validate({"quantize": {"scheme": "float16", **change}}))
        for change in ({}, {"qat": False}, {"calibration": "min-max"})
    ]
    assert same[0] == same[1] == same[2]


def test_only_the_quantization_and_its_batches_are_options() -> None:
    stage = load("quantize")
    before = stage.options(BuildConfig())
    for section, change, same in (
        ("quantize", {"qat": False}, False),
        ("quantize", {"calibration": "min-max"}, False),
        ("train", {"seed": 1}, False),
        ("train", {"batch_size": 7}, False),
        ("quantize", {"attention_precision": ["int8", "int16"]}, False),
        ("quantize", {"scheme": ["float16", "dynamic", "int8"]}, True),
        ("convert", {"io": "int8"}, True),
        ("tolerances", {"accuracy_drop": 0.5}, True),
    ):
        config = BuildConfig.model_validate({section: change})
        assert (stage.options(config) == before) is same, (section, change)
    json.dumps(before)
