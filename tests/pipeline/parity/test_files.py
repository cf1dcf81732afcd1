"""What a .tflite says about itself before it is run, and which two files can be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hand_made import hand_made, metadata

from converters import schema
from converters.metadata import attach_metadata
from models.errors import InputError
from pipeline.data.preprocessing import Preprocessing
from pipeline.parity.files import ModelFile, require_same_signature


def written(tmp_path: Path, name: str = "model.tflite", **options: Any) -> Path:
    path = tmp_path / name
    path.write_bytes(hand_made(**options))
    return path


def test_a_foreign_file(tmp_path: Path) -> None:
    file = ModelFile.read(written(tmp_path))
    assert (file.steps, file.features, file.classes) == (5, 3, 3)
    assert (file.logits, file.attention, file.probabilities) == ("logits", "attention_weights", None)
    assert (file.metadata, file.rule) == (None, None)
    assert file.signature == "features [1, 5, 3] -> attention_weights [1, 5], logits [1, 3]"


def test_a_file_of_ours_says_how_it_standardizes(tmp_path: Path) -> None:
    file = ModelFile.read(written(tmp_path, described=metadata()))
    assert file.rule == Preprocessing((1.0,) * 3, (2.0,) * 3, 5, 3, "front")


@pytest.mark.parametrize(("query", "queries"), [("all", True), ("last", False), (None, None), ([], None)])
def test_a_file_of_ours_says_whether_every_step_asks(
    tmp_path: Path, query: object, queries: bool | None
) -> None:
    described = metadata() if query is None else metadata(query=query)
    assert ModelFile.read(written(tmp_path, described=described)).queries is queries


def test_without_a_signature_tensors_go_by_their_own_names(tmp_path: Path) -> None:
    with_one, without = written(tmp_path), written(tmp_path, "bare.tflite", signature=None)
    assert ModelFile.read(without).outputs == ModelFile.read(with_one).outputs
    require_same_signature(ModelFile.read(without), ModelFile.read(with_one))


def test_the_only_output_is_the_logits_whatever_its_name(tmp_path: Path) -> None:
    file = ModelFile.read(written(tmp_path, outputs=("Identity",)))
    assert (file.logits, file.attention) == ("Identity", None)


def test_outputs_of_other_names_can_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, outputs=("output_0", "output_1"))
    with pytest.raises(InputError, match="no output 'logits', only output_0, output_1") as caught:
        ModelFile.read(path)
    assert "--logits NAME" in caught.value.tip
    file = ModelFile.read(path, "output_0", "output_1")
    assert (file.logits, file.attention) == ("output_0", "output_1")
    with pytest.raises(InputError, match="no output 'output_2'"):
        ModelFile.read(path, "output_0", "output_2")


def test_a_softmax_or_sigmoid_at_the_end_is_found_by_structure(tmp_path: Path) -> None:
    for name in ("SOFTMAX", "LOGISTIC"):
        assert ModelFile.read(written(tmp_path, probabilities=name)).probabilities == name
    attention = ModelFile.read(written(tmp_path), logits="attention_weights", attention=None)
    assert attention.probabilities == "SOFTMAX"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shape": (4, 5, 3)}, r"takes \[4, 5, 3\]; needed is \[1, time, channels\]"),
        ({"shape": (1, 15)}, r"takes \[1, 15\]"),
        ({"features": 1}, r"'logits' is \[1, 1\]; needed is \[1, classes\], two at least"),
        ({"shape": (1, 6, 3)}, r"'attention_weights' is \[1, 5\]; needed is \[1, 6\], one weight a step, or"),
    ],
)
def test_shapes_that_cannot_be_compared(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        ModelFile.read(written(tmp_path, **options))


def test_two_inputs_are_refused(tmp_path: Path) -> None:
    model = schema.read_model(hand_made(signature=None))
    model.subgraphs[0].inputs = [0, 1]
    (tmp_path / "two.tflite").write_bytes(schema.write_model(model))
    with pytest.raises(InputError, match="has 2 inputs; needed is one"):
        ModelFile.read(tmp_path / "two.tflite")


def test_a_type_the_runtime_does_not_know_is_refused(tmp_path: Path) -> None:
    model = schema.read_model(hand_made())
    model.subgraphs[0].tensors[0].type = schema.generated.TensorType.INT32
    (tmp_path / "int32.tflite").write_bytes(schema.write_model(model))
    with pytest.raises(InputError, match="'features' is int32; known are float32 and int8"):
        ModelFile.read(tmp_path / "int32.tflite")


def test_one_signature_of_another_name_is_taken_and_several_are_not(tmp_path: Path) -> None:
    assert ModelFile.read(written(tmp_path, signature="classify")).logits == "logits"
    model = schema.read_model(hand_made(signature="classify"))
    other = schema.read_model(hand_made(signature="embed")).signatureDefs[0]
    model.signatureDefs = [*model.signatureDefs, other]
    (tmp_path / "several.tflite").write_bytes(schema.write_model(model))
    with pytest.raises(InputError, match="has the signatures classify, embed, but not 'serving_default'"):
        ModelFile.read(tmp_path / "several.tflite")


@pytest.mark.parametrize("length", [0, 7, 300])
def test_a_damaged_file_is_named(tmp_path: Path, length: int) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(hand_made()[:length])
    with pytest.raises(InputError, match=r"cut\.tflite"):
        ModelFile.read(path)


def test_damaged_metadata_is_refused_with_the_name_of_the_file(tmp_path: Path) -> None:
    document = metadata()
    document["preprocessing"]["padding"] = "behind"
    (tmp_path / "odd.tflite").write_bytes(attach_metadata(hand_made(), document))
    with pytest.raises(InputError, match=r"odd\.tflite.*preprocessing\.padding"):
        ModelFile.read(tmp_path / "odd.tflite")


@pytest.mark.parametrize(
    "options", [{"outputs": ("logits",)}, {"features": 4}, {"steps": 6}, {"outputs": ("logits", "weights")}]
)
def test_other_names_and_shapes_are_refused_with_both_shown(tmp_path: Path, options: dict[str, Any]) -> None:
    ours, theirs = ModelFile.read(written(tmp_path)), ModelFile.read(written(tmp_path, "b.tflite", **options))
    require_same_signature(ours, ours)
    with pytest.raises(InputError, match="signatures differ") as caught:
        require_same_signature(ours, theirs)
    assert ours.signature in caught.value.message
    assert theirs.signature in caught.value.message


def test_attention_may_have_heads_and_queries_before_its_steps(tmp_path: Path) -> None:
    assert ModelFile.read(written(tmp_path)).attention_shape == (5,)
    assert ModelFile.read(written(tmp_path, per_channel=True)).attention_shape == (3, 5)
    assert ModelFile.read(written(tmp_path, outputs=("logits",))).attention_shape == (0,)
    model = schema.read_model(hand_made(per_channel=True))
    weights = model.subgraphs[0].tensors[model.subgraphs[0].outputs[1]]
    for shape, words in (([1, 5, 3], "one weight a step, or"), ([1, 3, 3, 3, 5], "heads, queries, 5")):
        weights.shape = shape
        (tmp_path / "odd.tflite").write_bytes(schema.write_model(model))
        with pytest.raises(InputError, match=words):
            ModelFile.read(tmp_path / "odd.tflite")
