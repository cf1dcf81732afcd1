"""The two parts of a model against the whole, to the last bit; what cannot be cut is refused, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from built_files import FEATURES, STEPS, config, files
from hand_made import hand_made, metadata

from converters import schema
from converters.integer_lstm import IntegerLstm
from converters.lstm_op import lstm_nodes
from converters.metadata import attach_metadata, read_metadata
from converters.streaming import streaming_file
from models.errors import ConversionError

CUT = {
    "one layer": config(),
    "two layers": config(units=(5, 4)),
    "additive": config(kind="additive"),
    "multi-head, all": config(kind="multi-head", query="all"),
    "lengths": config(variable_length=True),
    "regression": config("regression"),
    "per-step": config("per-step", query="all"),
}


def whole(content: bytes) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Standardized windows [steps, features] to outputs, each from the zero state."""
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner("serving_default")

    def run(x: np.ndarray) -> dict[str, np.ndarray]:
        interpreter.reset_all_variables()
        return dict(runner(features=x[np.newaxis], **lengths(runner)))

    return run


def lengths(runner: Any) -> dict[str, np.ndarray]:
    return {"lengths": np.array([STEPS], np.int32)} if "lengths" in runner.get_input_details() else {}


class Parts:
    """`encode` and `attend` of a streaming file, called as its documentation says."""

    def __init__(self, content: bytes) -> None:
        interpreter = Interpreter(model_content=content)
        interpreter.allocate_tensors()
        self._encode, self._attend = map(interpreter.get_signature_runner, ("encode", "attend"))
        given = self._encode.get_input_details()
        self.steps = int(given.pop("features")["shape"][1])
        self.zero = {
            name: np.full(one["shape"], one["quantization"][1], one["dtype"]) for name, one in given.items()
        }

    def encode(self, x: np.ndarray, state: dict[str, np.ndarray] | None = None) -> tuple[np.ndarray, Any]:
        """[n, features] in chunks to hidden states [n, units] and the state after them."""
        state, hidden = self.zero if state is None else state, []
        for chunk in x.reshape(-1, self.steps, FEATURES):
            state = self._encode(features=chunk[np.newaxis], **state)
            hidden.append(state.pop("hidden")[0])
        return np.concatenate(hidden), state

    def attend(self, hidden: np.ndarray) -> dict[str, np.ndarray]:
        return dict(self._attend(hidden=hidden[np.newaxis], **lengths(self._attend)))


def samples(count: int, seed: int = 0) -> np.ndarray:
    """[count, features], standardized."""
    return np.random.default_rng(seed).normal(0, 1, (count, FEATURES)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["int8", "float32"])
@pytest.mark.parametrize("of", CUT.values(), ids=CUT)
def test_step_by_step_is_the_whole_window_to_the_last_bit(of: Any, kind: str) -> None:
    """In float too: the kernel does the same operations in the same order, whatever the number of steps."""
    content = files(of)[kind]
    parts, run = Parts(streaming_file(content)), whole(content)
    assert parts.steps == 1
    for x in samples(20 * STEPS).reshape(-1, STEPS, FEATURES):
        hidden, _ = parts.encode(x)
        found, wanted = parts.attend(hidden), run(x)
        assert found.keys() == wanted.keys()
        for name in wanted:
            np.testing.assert_array_equal(found[name], wanted[name])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["int8", "float32"])
def test_the_size_of_the_chunks_changes_nothing(kind: str) -> None:
    content, x = files(config())[kind], samples(20 * STEPS)
    by_one, after_one = Parts(streaming_file(content)).encode(x)
    for steps in (2, 4, STEPS):
        by_chunks, after_chunks = Parts(streaming_file(content, steps)).encode(x)
        np.testing.assert_array_equal(by_one, by_chunks)
        for name, state in after_one.items():
            np.testing.assert_array_equal(state, after_chunks[name])


@pytest.mark.slow
def test_nothing_survives_a_run_but_what_is_returned() -> None:
    """The variable tensors are set from what is given: a zero state after any other run is a reset."""
    parts, x = Parts(streaming_file(files(config())["int8"])), samples(STEPS)
    first, state = parts.encode(x)
    second, _ = parts.encode(x, state)
    assert not np.array_equal(first, second)
    again, _ = parts.encode(x)
    np.testing.assert_array_equal(first, again)
    for name, zero in parts.zero.items():
        assert not np.array_equal(state[name], zero)


@pytest.mark.slow
def test_a_state_carried_over_100_000_steps_is_the_integer_kernels_to_the_last_bit() -> None:
    """Against the kernel in NumPy, which keeps its own state, and against chunks of another size."""
    content, total = files(config())["int8"], 100_000
    x = samples(total)
    hidden, state = Parts(streaming_file(content)).encode(x)
    reference = IntegerLstm.from_model(content)
    trace = reference.run(reference.quantize_input(x)[np.newaxis])
    assert int((hidden != trace.hidden[0]).sum()) == 0
    np.testing.assert_array_equal(state["state_1"][0], trace.cell[0, -1])
    chunks, after = Parts(streaming_file(content, STEPS)).encode(x)
    assert int((hidden != chunks).sum()) == 0
    np.testing.assert_array_equal(state["state_0"], after["state_0"])
    assert np.ptp(hidden[-1000:].astype(int)) > 64  # it still moves


@pytest.mark.slow
def test_a_float_state_carried_over_100_000_steps_depends_on_no_chunk() -> None:
    content, x = files(config())["float32"], samples(100_000)
    hidden, state = Parts(streaming_file(content)).encode(x)
    chunks, after = Parts(streaming_file(content, STEPS)).encode(x)
    assert int((hidden != chunks).sum()) == 0
    assert np.isfinite(hidden).all()
    for name, values in state.items():
        np.testing.assert_array_equal(values, after[name])


@pytest.mark.slow
def test_the_file_says_what_it_is_and_costs_no_second_set_of_weights() -> None:
    content = files(config())["int8"]
    made = streaming_file(content)
    document, before = read_metadata(made), read_metadata(content)
    assert document is not None
    assert before is not None
    assert document["streaming"] == {"steps": 1}
    assert {**document, "sha256": 0} == {**before, "streaming": {"steps": 1}, "sha256": 0}
    assert len(made) - len(content) < 1500
    model = schema.read_model(made)
    (node,) = lstm_nodes(model)
    assert node.subgraph is model.subgraphs[0]  # or an interpreter could not reset its variables


class TestWhatCannotBeCut:
    @pytest.mark.slow
    def test_both_directions(self) -> None:
        content = files(config(bidirectional=True))["int8"]
        with pytest.raises(ConversionError, match=r"runs backwards.*before the window is whole") as caught:
            streaming_file(content)
        assert caught.value.tip == "Build without --bidirectional."

    def test_no_metadata(self) -> None:
        with pytest.raises(ConversionError, match="no metadata of ours"):
            streaming_file(hand_made())

    def test_no_lstm(self) -> None:
        with pytest.raises(ConversionError, match="no fused LSTM"):
            streaming_file(hand_made(described=metadata()))

    @pytest.mark.slow
    def test_a_streaming_file_again(self) -> None:
        with pytest.raises(ConversionError, match="has 2 subgraphs"):
            streaming_file(streaming_file(files(config())["int8"]))

    @pytest.mark.slow
    @pytest.mark.parametrize("steps", [0, STEPS + 1])
    def test_chunks_of_no_size(self, steps: int) -> None:
        with pytest.raises(ConversionError, match=f"A chunk of {steps} steps; allowed is 1 to .* {STEPS}"):
            streaming_file(files(config())["int8"], steps)

    @pytest.mark.slow
    def test_an_op_before_the_lstm_that_mixes_steps(self) -> None:
        changed = self._changed(lambda model: _rename_quantize(model))
        with pytest.raises(ConversionError, match="SOFTMAX stands before the last LSTM"):
            streaming_file(changed)

    @pytest.mark.slow
    def test_an_answer_that_takes_more_than_hidden_states(self) -> None:
        def answer_by_the_input(model: Any) -> None:
            (graph,) = model.subgraphs
            operator = next(iter(schema.operators(model, graph, "FULLY_CONNECTED")))
            operator.inputs = [graph.inputs[0], *operator.inputs[1:]]

        with pytest.raises(ConversionError, match=r"takes more than its hidden states: '.*features"):
            streaming_file(self._changed(answer_by_the_input))

    @pytest.mark.slow
    def test_a_second_lstm_beside_the_first(self) -> None:
        def cut_the_chain(model: Any) -> None:
            first, second = lstm_nodes(model)
            second.operator.inputs = [first.operator.inputs[0], *second.operator.inputs[1:]]

        with pytest.raises(ConversionError, match="1 of the 2 LSTMs are not in one chain"):
            streaming_file(self._changed(cut_the_chain, units=(5, 5)))

    @staticmethod
    def _changed(change: Callable[[Any], None], **options: Any) -> bytes:
        content = files(config(**options))["int8"]
        model = schema.read_model(content)
        change(model)
        document = read_metadata(content)
        assert document is not None
        return attach_metadata(schema.write_model(model), document)


def _rename_quantize(model: Any) -> None:
    """Let the op that makes the LSTM's input be another one."""
    (quantize,) = schema.operators(model, model.subgraphs[0], "QUANTIZE")
    (softmax,) = schema.operators(model, model.subgraphs[0], "SOFTMAX")
    quantize.opcodeIndex = softmax.opcodeIndex
