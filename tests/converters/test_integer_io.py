"""Integers at the borders: the same integers as before, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from built_files import STEPS, config, files, raw_windows
from hand_made import hand_made, metadata

from converters import schema
from converters.integer_io import with_integer_io
from converters.metadata import read_metadata
from converters.streaming import streaming_file
from models.errors import ConversionError
from pipeline.runtime import load_model

CUT = {
    "last": config(),
    "two layers": config(units=(5, 4)),
    "both directions": config(bidirectional=True),
    "lengths": config(variable_length=True),
    "per-step": config("per-step", query="all"),
}


@pytest.mark.slow
@pytest.mark.parametrize("of", CUT.values(), ids=CUT)
def test_the_outputs_are_those_of_the_float_borders(of: Any) -> None:
    content = files(of)["int8"]
    made = with_integer_io(content)
    before, after = load_model(content), load_model(made)
    for window in raw_windows(20, seed=2):
        x = before.standardize(window)
        wanted, found = before.run(x), after.run(x)
        for name, values in wanted.items():
            np.testing.assert_array_equal(found[name], values)
    model = schema.read_model(made)
    graph = model.subgraphs[0]
    borders = [*schema.indices(graph.inputs), *schema.indices(graph.outputs)]
    assert not any(schema.is_float(graph.tensors[index]) for index in borders)
    assert not list(schema.operators(model, graph, "DEQUANTIZE"))
    used = {schema.name(tensor) for tensor in graph.tensors}
    assert len(used) == len(graph.tensors)


@pytest.mark.slow
def test_it_is_what_a_build_with_int8_io_makes() -> None:
    """The same ops on the same constants; a build names the borders otherwise."""
    contents = with_integer_io(files(config())["int8"]), files(config(), "int8")["int8"]
    made, built = map(schema.read_model, contents)
    for graph in (made.subgraphs[0], built.subgraphs[0]):
        assert [schema.shape(graph.tensors[index]) for index in graph.inputs] == [(1, STEPS, 3)]
    names = [[schema.operator_name(one, op) for op in one.subgraphs[0].operators] for one in (made, built)]
    assert names[0] == names[1]
    records = [
        sorted(str(schema.quantization(tensor)) for tensor in one.subgraphs[0].tensors)
        for one in (made, built)
    ]
    assert records[0] == records[1]


@pytest.mark.slow
def test_integer_borders_stay_as_they_are() -> None:
    content = files(config(), "int8")["int8"]
    assert with_integer_io(content) is content


@pytest.mark.slow
def test_the_metadata_stays() -> None:
    content = files(config())["int8"]
    before, after = read_metadata(content), read_metadata(with_integer_io(content))
    assert before is not None
    assert after is not None
    assert {**before, "sha256": 0} == {**after, "sha256": 0}


@pytest.mark.slow
def test_float_models_have_no_integers() -> None:
    with pytest.raises(ConversionError, match="An LSTM of the model computes in float") as caught:
        with_integer_io(files(config())["float32"])
    assert "--quantize int8" in caught.value.tip
    attention_in_float = files(config(), precision="float32")["int8"]
    with pytest.raises(ConversionError, match="is computed in float: no DEQUANTIZE stands there"):
        with_integer_io(attention_in_float)


@pytest.mark.slow
def test_two_subgraphs_are_not_one() -> None:
    with pytest.raises(ConversionError, match="has 2 subgraphs"):
        with_integer_io(streaming_file(files(config())["int8"]))


def test_no_metadata() -> None:
    with pytest.raises(ConversionError, match="no metadata of ours"):
        with_integer_io(hand_made())


def test_an_input_that_is_used_in_float() -> None:
    with pytest.raises(ConversionError, match="'features' is computed in float: no QUANTIZE stands there"):
        with_integer_io(hand_made(described=metadata()))
