import hashlib
import struct
from typing import Any

import numpy as np
import pytest

from converters import schema
from converters.flatbuffer import set_cell_clip
from converters.metadata import STATE_RULE, attach_metadata, describe_outputs, read_metadata, seal
from converters.summary import summarize
from models.errors import ConversionError, InputError


def document(**changes: Any) -> dict[str, Any]:
    return {
        "name": "japanese-vowels",
        "class_names": ["a", "<script>", "ü"],
        "channel_names": ["x", "y", "z"],
        "channel_units": ["m", "m", "m"],
        "sample_rate_hz": None,
        "preprocessing": {
            "mean": [0.0, 1.5, 2.0],
            "std": [1.0, 1.0, 0.5],
            "steps": 6,
            "features": 3,
            "padding": "front",
        },
        "provenance": {"fuselage": "0.1.0"},
        **changes,
    }


@pytest.mark.parametrize("name", ["float", "int8"])
def test_what_is_attached_is_read(tiny: dict[str, bytes], name: str) -> None:
    assert read_metadata(tiny[name]) is None
    read = read_metadata(attach_metadata(tiny[name], document()))
    assert read is not None
    assert {key: read[key] for key in document()} == document()
    assert (read["format"], read["version"]) == ("fuselage-metadata", 1)
    assert read["signature"] == {"input": "features", "outputs": ["attention_weights", "logits"]}
    assert read["state_rule"] == STATE_RULE


def test_the_checksum_is_that_of_the_file_with_zeros_in_its_place(tiny: dict[str, bytes]) -> None:
    content = attach_metadata(tiny["int8"], document(provenance={"sha256": "0" * 64}))
    checksum = summarize(content).metadata["sha256"]
    assert content.count(checksum.encode()) == 1
    assert hashlib.sha256(content.replace(checksum.encode(), b"0" * 64)).hexdigest() == checksum


def test_sealing_renews_the_checksum_and_nothing_else(tiny: dict[str, bytes]) -> None:
    assert seal(tiny["int8"]) == tiny["int8"]  # without metadata there is none
    content = attach_metadata(tiny["int8"], document())
    assert seal(content) == content
    model = schema.read_model(content)
    model.description = "changed on purpose"
    before, after = read_metadata(model), read_metadata(seal(schema.write_model(model)))
    assert {**before, "sha256": ""} == {**after, "sha256": ""}
    assert before["sha256"] != after["sha256"]


def test_an_edit_of_ours_renews_the_checksum(tiny: dict[str, bytes]) -> None:
    edited = set_cell_clip(attach_metadata(tiny["int8"], document()), 0.0)
    assert seal(edited) == edited


def test_other_entries_stay_and_ours_is_replaced(tiny: dict[str, bytes]) -> None:
    once = attach_metadata(tiny["int8"], document())
    twice = attach_metadata(once, document(name="second", state_rule="Mine."))
    assert summarize(twice).other_metadata == ("min_runtime_version", "CONVERSION_METADATA")
    read = read_metadata(twice)
    assert read is not None
    assert (read["name"], read["state_rule"]) == ("second", "Mine.")
    assert b"japanese-vowels" not in twice
    before, after = schema.read_model(tiny["int8"]), schema.read_model(twice)
    for old, new in zip(before.metadata, after.metadata, strict=False):
        assert old.name == new.name
        np.testing.assert_array_equal(before.buffers[old.buffer].data, after.buffers[new.buffer].data)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"class_names": ["a"]}, "class_names has 1 entries, the model needs 3"),
        ({"channel_names": []}, "channel_names has 0 entries"),
        (
            {"preprocessing": {**document()["preprocessing"], "steps": 7}},
            r"input is \[1, 6, 3\].*\[1, 7, 3\]",
        ),
        ({"preprocessing": {**document()["preprocessing"], "std": [1.0]}}, "preprocessing.std has 1 entries"),
        ({"sample_rate_hz": float("nan")}, "cannot be written as JSON"),
        ({"sample_rate_hz": np.float32(1)}, "cannot be written as JSON"),
    ],
)
def test_metadata_that_contradicts_the_model_is_refused(
    tiny: dict[str, bytes], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConversionError, match=words):
        attach_metadata(tiny["float"], document(**changes))


def test_missing_fields_are_named(tiny: dict[str, bytes]) -> None:
    with pytest.raises(ConversionError, match="lacks class_names, channel_names, preprocessing, provenance"):
        attach_metadata(tiny["float"], {"name": "x"})


def test_a_model_without_the_signature_is_refused(tiny: dict[str, bytes]) -> None:
    model = schema.read_model(tiny["float"])
    model.signatureDefs = []
    with pytest.raises(ConversionError, match="no signature 'serving_default'"):
        attach_metadata(schema.write_model(model), document())


def test_a_model_with_two_inputs_is_refused(tiny: dict[str, bytes]) -> None:
    model = schema.read_model(tiny["float"])
    model.signatureDefs[0].inputs = model.signatureDefs[0].outputs
    with pytest.raises(ConversionError, match="2 inputs"):
        attach_metadata(schema.write_model(model), document())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"format": "fuselage-metadata", "version": 1, "name": "\\ud800"}', "not JSON: .* surrogates"),
        (b"[1]", "not in the format"),
        (b'{"format": "other"}', "not in the format"),
        (b'{"format": "fuselage-metadata", "version": 2}', "version 2, this release reads 1"),
    ],
)
def test_damaged_metadata_is_refused(tiny: dict[str, bytes], content: bytes, words: str) -> None:
    model = schema.read_model(attach_metadata(tiny["float"], document()))
    model.buffers[model.metadata[-1].buffer].data = np.frombuffer(content, np.uint8)
    with pytest.raises(InputError, match=words):
        read_metadata(schema.write_model(model))


def test_outputs_are_described_with_the_scale_of_their_int8_values(tiny: dict[str, bytes]) -> None:
    weights = {"name": "attention_weights", "dtype": "float32", "shape": [1, 6]}
    assert describe_outputs(tiny["float"])[0] == {**weights, "scale": None, "zero_point": None}
    assert describe_outputs(tiny["int8"])[0] == {**weights, "scale": 1 / 256, "zero_point": -128}
    assert describe_outputs(tiny["int8_io"])[0] == {
        **weights,
        "dtype": "int8",
        "scale": 1 / 256,
        "zero_point": -128,
    }
    logits = describe_outputs(tiny["int8"])[1]
    assert (logits["name"], logits["shape"]) == ("logits", [1, 3])
    assert logits["scale"] == struct.unpack("f", struct.pack("f", logits["scale"]))[0]  # a float32, exactly
