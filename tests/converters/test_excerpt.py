"""Excerpts: the first operators of a graph, or one alone, give what the whole graph has there."""

import numpy as np
import pytest
from hand_made import hand_made
from int8_lstm_file import Int8Lstm, build

from converters import schema
from converters.excerpt import alone, prefix
from converters.inner_tensors import all_tensors
from models.errors import InputError
from pipeline.benchmark.runners import TfliteRunner, call

WINDOW = np.arange(15, dtype=np.float32).reshape(1, 5, 3)


def test_outputs_are_what_crosses_the_cut() -> None:
    """SUM -> 3 (an output), SUM -> 4, SOFTMAX of 4 -> 5 (an output)."""
    model = schema.read_model(hand_made())
    found = [schema.indices(prefix(model, count).subgraphs[0].outputs) for count in range(4)]
    assert found == [[0], [3], [3, 4], [3, 5]]


@pytest.mark.parametrize("count", range(4))
def test_a_prefix_gives_what_the_whole_graph_has_there(count: int) -> None:
    content = hand_made()
    cut = prefix(schema.read_model(content), count)
    answers = call(TfliteRunner(schema.write_model(cut), [WINDOW], 1))
    inner = all_tensors(content, WINDOW[0])
    for index, answer in zip(cut.subgraphs[0].outputs, answers, strict=True):
        # Two softmaxes, XNNPACK's and the interpreter's own: T + 4 roundings of 2^-24 each.
        np.testing.assert_allclose(answer, inner[index][1], rtol=2 * (5 + 4) * 2.0**-24)


def test_the_model_given_is_not_changed() -> None:
    model = schema.read_model(hand_made())
    before = schema.write_model(model)
    prefix(model, 1)
    alone(model, 2)
    assert schema.write_model(model) == before


def test_what_is_made_of_constants_alone_is_no_output() -> None:
    model = schema.read_model(hand_made())
    graph = model.subgraphs[0]
    graph.operators[0].inputs = [1, 1]  # the axes of the sum are summed: nothing of the window
    assert schema.indices(prefix(model, 1).subgraphs[0].outputs) == [0]


def test_one_operator_alone_takes_what_it_reads() -> None:
    """The softmax of (0, 0, 0, ln 3, 0): 1/7 and 3/7."""
    cut = alone(schema.read_model(hand_made()), 2)
    graph = cut.subgraphs[0]
    assert (schema.indices(graph.inputs), schema.indices(graph.outputs)) == ([4], [5])
    scores = np.array([[0, 0, 0, np.log(3), 0]], np.float32)
    (weights,) = call(TfliteRunner(schema.write_model(cut), [scores], 1))
    np.testing.assert_allclose(weights, [[1 / 7, 1 / 7, 1 / 7, 3 / 7, 1 / 7]], rtol=1e-6)


def test_a_state_is_no_input() -> None:
    lstm = Int8Lstm(np.ones((4, 2, 3), np.int8), np.ones((4, 2, 2), np.int8), np.ones((4, 2), np.int32),
                    (0.01,) * 4, (0.01,) * 4)  # fmt: skip
    cut = alone(schema.read_model(build(lstm)), 0)
    assert schema.indices(cut.subgraphs[0].inputs) == [0]


@pytest.mark.parametrize("count", [-1, 4])
def test_more_operators_than_there_are(count: int) -> None:
    model = schema.read_model(hand_made())
    with pytest.raises(InputError, match="has 3 operators"):
        prefix(model, count)
    with pytest.raises(InputError, match="has 3 operators"):
        alone(model, count)
