import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from attention_graphs import variable_length_file
from float_graphs import STEPS, output_index, windows

from converters import schema
from converters.inner_tensors import all_tensors, context_vectors
from converters.lstm_op import lstm_nodes
from models.errors import InputError, VerificationError

WINDOWS = np.random.default_rng(5).normal(size=(4, 6, 3)).astype(np.float32)


def hidden_states(content: bytes, window: np.ndarray) -> np.ndarray:
    """[time, units], of the kept tensors."""
    model = schema.read_model(content)
    output = lstm_nodes(model)[0].operator.outputs[0]
    return np.asarray(all_tensors(content, window)[output][1][0])


def attention_weights(content: bytes, window: np.ndarray) -> np.ndarray:
    """[time], through a plain interpreter."""
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.reset_all_variables()
    return np.asarray(interpreter.get_signature_runner()(features=window[np.newaxis])["attention_weights"][0])


def test_the_context_is_the_weighted_mean_of_the_hidden_states(tiny: dict[str, bytes]) -> None:
    context = context_vectors(tiny["float"], WINDOWS)
    assert context.shape == (4, 4)
    assert context.dtype == np.float32
    for window, vector in zip(WINDOWS, context, strict=True):
        expected = attention_weights(tiny["float"], window) @ hidden_states(tiny["float"], window)
        np.testing.assert_allclose(vector, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["int8", "int8_io"])
def test_the_int8_context_is_dequantized(tiny: dict[str, bytes], name: str) -> None:
    """Within one step of its own scale of the product of the dequantized factors, plus its rounding."""
    model = schema.read_model(tiny[name])
    step = schema.quantization(lstm_nodes(model)[0].output)[0][0]  # the CONCATENATION tied the context to it
    context = context_vectors(tiny[name], WINDOWS)
    for window, vector in zip(WINDOWS, context, strict=True):
        hidden = hidden_states(tiny[name], window)
        kept = dict(all_tensors(tiny[name], window).values())
        (weights,) = (value[0, 0] for name, value in kept.items() if "softmax" in name.lower())
        np.testing.assert_allclose(vector, weights @ hidden, atol=0.51 * step)
        np.testing.assert_allclose(vector / step, np.rint(vector / step), atol=1e-3)


def test_both_kinds_of_input_give_the_same(tiny: dict[str, bytes]) -> None:
    np.testing.assert_array_equal(
        context_vectors(tiny["int8"], WINDOWS), context_vectors(tiny["int8_io"], WINDOWS)
    )


@pytest.mark.parametrize("name", ["float", "int8"])
def test_each_window_starts_from_the_zero_state(tiny: dict[str, bytes], name: str) -> None:
    together = context_vectors(tiny[name], WINDOWS)
    np.testing.assert_array_equal(together[::-1], context_vectors(tiny[name], WINDOWS[::-1]))
    np.testing.assert_array_equal(together[2:3], context_vectors(tiny[name], WINDOWS[2:3]))


def test_constants_and_empty_tensors_are_left_out(tiny: dict[str, bytes]) -> None:
    model = schema.read_model(tiny["int8"])
    kept = all_tensors(tiny["int8"], WINDOWS[0])
    (node,) = lstm_nodes(model)
    tensors = model.subgraphs[0].tensors
    constants = [index for index, tensor in enumerate(tensors) if schema.has_data(model, tensor)]
    assert constants
    assert not set(constants) & set(kept)
    assert not set(schema.indices(node.operator.intermediates)) & set(kept)
    np.testing.assert_array_equal(kept[0][1][0], WINDOWS[0])
    state, output = node.operator.inputs[18], node.operator.outputs[0]
    np.testing.assert_array_equal(kept[state][1][0], kept[output][1][0, -1])  # what the last step left
    assert {value.dtype for _, value in kept.values()} == {np.dtype(np.float32)}


def test_windows_that_do_not_fit_are_refused(tiny: dict[str, bytes]) -> None:
    with pytest.raises(InputError, match=r"windows of shape \(6, 3\), got \(7, 3\)"):
        context_vectors(tiny["float"], np.zeros((1, 7, 3), np.float32))


def test_a_model_without_one_attention_is_refused(tiny: dict[str, bytes]) -> None:
    model = schema.read_model(tiny["float"])
    graph = model.subgraphs[0]
    graph.operators = [one for one in graph.operators if schema.operator_name(model, one) != "SOFTMAX"]
    with pytest.raises(VerificationError, match="0 BATCH_MATMULs"):
        context_vectors(schema.write_model(model), WINDOWS)


class TestFurtherInputs:
    """``lengths`` beside ``features``, by the names of the signature."""

    def test_they_reach_the_model(self) -> None:
        window = windows(1)[0]
        for length in (2, STEPS):
            values = all_tensors(variable_length_file(), window, lengths=np.array([length], np.int32))
            weights = values[output_index(schema.read_model(variable_length_file()), "attention_weights")][1]
            assert np.count_nonzero(weights > 1e-4) <= length

    def test_each_window_has_its_own(self) -> None:
        """A context of one step is its hidden state, whatever follows."""
        x = np.repeat(windows(1), 3, axis=0)
        together = context_vectors(variable_length_file(), x, lengths=np.array([1, 3, 1], np.int32))
        np.testing.assert_array_equal(together[0], together[2])
        assert not np.array_equal(together[0], together[1])

    def test_an_unknown_name_is_refused(self) -> None:
        with pytest.raises(InputError, match="no input named length; it has features, lengths"):
            all_tensors(variable_length_file(), windows(1)[0], length=np.array([2], np.int32))

    def test_a_missing_one_is_refused(self) -> None:
        with pytest.raises(InputError, match="has 2 inputs, 1 are expected"):
            all_tensors(variable_length_file(), windows(1)[0])
