"""What files compute in."""

from __future__ import annotations

import pytest
import tiny_classifier
from hand_made import hand_made

from converters import schema
from pipeline.targets.arithmetic import arithmetic
from pipeline.targets.job import TargetFile


def test_a_file_of_integers(integer_file: TargetFile) -> None:
    assert arithmetic(integer_file.file.content) == "integer"


def test_a_file_of_floats() -> None:
    assert arithmetic(hand_made()) == "float"


def test_an_integer_lstm_with_something_float_behind_it(integer_file: TargetFile) -> None:
    model = schema.read_model(integer_file.file.content)
    graph = model.subgraphs[0]
    softmax = next(one for one in graph.operators if schema.operator_name(model, one) == "SOFTMAX")
    for index in (*softmax.inputs, *softmax.outputs):
        graph.tensors[index].type, graph.tensors[index].quantization = schema.tensor_type("float32"), None
    assert arithmetic(schema.write_model(model)) == "float attention"


def test_a_tensor_of_int8_among_floats() -> None:
    model = schema.read_model(hand_made())
    model.subgraphs[0].tensors[1].type = schema.tensor_type("int8")
    assert arithmetic(schema.write_model(model)) == "mixed"


@pytest.mark.slow
def test_files_of_our_own() -> None:
    assert arithmetic(tiny_classifier.float_file()) == "float"
    assert arithmetic(tiny_classifier.int8_file()) == "integer"
