"""The files that the stage `convert` makes of tiny models, as a build runs it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters import schema
from converters.lint import integer_only_problems
from converters.lstm_op import lstm_nodes
from converters.ranges import RangeTable
from models.errors import ConversionError
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.parity.outputs import Outputs
from pipeline.runtime import SequenceClassifier
from pipeline.stages import load

pytestmark = pytest.mark.slow

Folder = Callable[[str], Path]


def answers(path: Path, features: Any) -> dict[str, Any]:
    classifier = SequenceClassifier(path)
    rows = [classifier.run(window) for window in features]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def test_it_writes_both_files_and_the_ranges(stage_folder: Folder) -> None:
    folder = stage_folder("convert")
    assert sorted(path.name for path in folder.iterdir()) == [
        "conversion.json", "model_float32.tflite", "model_int8.tflite",
    ]  # fmt: skip
    table = RangeTable.load(stage_folder("quantize") / "int8" / "ranges.npz")
    ranges = json.loads((folder / "conversion.json").read_text())["schemes"]["int8"]["ranges"]
    assert {one["quantity"] for one in ranges} == {q.name for q in table.quantities} - {"lstm/cell"}
    for one in ranges:
        assert (one["minimum"], one["maximum"]) == (
            table[one["quantity"]].range.minimum,
            table[one["quantity"]].range.maximum,
        )


@pytest.mark.parametrize(("name", "kind"), [("float32", "float32"), ("int8", "int8 8x8_16")])
def test_the_lstm_is_fused_and_does_not_clip(stage_folder: Folder, name: str, kind: str) -> None:
    file = schema.read_model(stage_folder("convert") / f"model_{name}.tflite")
    (node,) = lstm_nodes(file)
    assert (node.kind, node.cell_clip) == (kind, 0.0)
    assert bool(integer_only_problems(file)) == (name == "float32")


def test_the_float_file_is_the_original_model(stage_folder: Folder) -> None:
    data = PreparedData.load(stage_folder("data"))
    keras = Outputs.load(stage_folder("train") / "outputs_float.npz")
    got = answers(stage_folder("convert") / "model_float32.tflite", data.x_test)
    np.testing.assert_allclose(got["logits"], keras.logits, atol=1e-5)
    np.testing.assert_allclose(got["attention_weights"], keras.attention_weights, atol=1e-5)


def test_the_int8_file_is_the_training_forward(stage_folder: Folder) -> None:
    data = PreparedData.load(stage_folder("data"))
    twin = Outputs.load(stage_folder("quantize") / "int8" / "outputs_twin.npz")
    got = answers(stage_folder("convert") / "model_int8.tflite", data.x_test)
    assert np.abs(got["attention_weights"] - twin.attention_weights).max() <= 1 / 256


def test_names_and_rules_travel_with_the_files(stage_folder: Folder) -> None:
    data = PreparedData.load(stage_folder("data"))
    for name in ("float32", "int8"):
        metadata = SequenceClassifier(stage_folder("convert") / f"model_{name}.tflite").metadata
        assert metadata["class_names"] == ["left", "right"]
        assert metadata["channel_units"] == ["g", "g"]
        assert metadata["preprocessing"] == data.preprocessing.to_dict()
        assert {"fuselage", "config_fingerprint", "tensorflow", "numpy"} <= set(metadata["provenance"])


def test_an_int8_border(tiny_build: Any, stage_folder: Folder) -> None:
    stage_folder("convert")
    folder = tiny_build.run("convert", into="int8 border", convert={"io": "int8"})
    graph = schema.read_model(folder / "model_int8.tflite").subgraphs[0]
    border = [*schema.indices(graph.inputs), *schema.indices(graph.outputs)]
    assert {schema.tensor_type_name(graph.tensors[index]) for index in border} == {"int8"}


def test_a_failing_child_leaves_no_file_under_a_final_name(
    tiny_build: Any, stage_folder: Folder, tmp_path: Path
) -> None:
    stage_folder("quantize")
    shutil.copytree(tiny_build.root / "data", tmp_path / "data")
    shutil.copytree(tiny_build.root / "train", tmp_path / "train")
    shutil.copytree(tiny_build.root / "quantize", tmp_path / "quantize")
    (tmp_path / "quantize" / "int8" / "saved_model" / "saved_model.pb").write_bytes(b"cut short")
    build = type(tiny_build)(tmp_path)
    with pytest.raises(ConversionError, match="conversion process"):
        build.run("convert")
    assert not list((tmp_path / "convert").glob("*.tflite"))


def test_the_border_and_the_builds_identity_are_options() -> None:
    """The fingerprint of the configuration stands in the files, so another one means other files."""
    stage = load("convert")
    before = stage.options(BuildConfig())
    for section, change, same in (
        ("convert", {"io": "int8"}, False),
        ("model", {"units": 7}, False),
        ("tolerances", {"accuracy_drop": 0.5}, True),
    ):
        config = BuildConfig.model_validate({section: change})
        assert (stage.options(config) == before) is same, section
    json.dumps(before)
