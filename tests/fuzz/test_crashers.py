"""What once crashed, hung or asked for all memory; each file is made here or in tests/support/bombs.py."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bombs
import mutants
import numpy as np
import pytest
from click.testing import CliRunner
from fuzzing import bounded

from converters import schema
from converters.findings import Measurement, findings, measure
from converters.inspection import inspect_model
from converters.lstm_op import FUSED_LSTM, LstmInput
from converters.metadata import attach_metadata
from converters.summary import summarize
from models.errors import InputError
from pipeline.cli.verify import verify
from pipeline.parity.files import ModelFile
from pipeline.runtime import ModelFileError, SequenceClassifier

# --- what the interpreter does not survive ------------------------------------------------------------


def _lstm(model: Any) -> Any:
    return next(schema.operators(model, model.subgraphs[0], FUSED_LSTM))


def _no_weights(model: Any) -> None:
    """A constant without values: the kernel reads from address 0."""
    weights = model.subgraphs[0].tensors[_lstm(model).inputs[LstmInput.INPUT_TO_OUTPUT_WEIGHTS]]
    model.buffers[weights.buffer].data = None


def _no_bias(model: Any) -> None:
    """One byte: the bias names the empty buffer."""
    model.subgraphs[0].tensors[_lstm(model).inputs[LstmInput.OUTPUT_GATE_BIAS]].buffer = 0


def changed(seed: str, change: Callable[[Any], None]) -> bytes:
    model = schema.read_model(mutants.seeds()[seed])
    change(model)
    return schema.write_model(model)


@pytest.mark.parametrize(("seed", "change"), [("lstm", _no_bias), ("int8", _no_weights), ("int8", _no_bias)])
def test_a_file_that_ends_the_interpreter_ends_a_child(seed: str, change: Callable[[Any], None]) -> None:
    assert "SIGSEGV" in measure(changed(seed, change)).refused


def test_inspect_says_so() -> None:
    found = inspect_model(changed("int8", _no_bias))
    assert [one.rule for one in found.findings if one.severity == "error"][:1] == ["does-not-run"]


@pytest.mark.parametrize("ours", [False, True])
def test_verify_says_so(tmp_path: Path, ours: bool) -> None:
    damaged = changed("int8", _no_bias)
    if ours:  # what was sealed in this state is damaged by somebody's intention
        rule = {"mean": [0.0] * 3, "std": [1.0] * 3, "steps": 6, "features": 3, "padding": "none"}
        damaged = attach_metadata(damaged, {**mutants.metadata(), "preprocessing": rule})
    (tmp_path / "a.tflite").write_bytes(mutants.seeds()["int8"])
    (tmp_path / "b.tflite").write_bytes(damaged)
    windows = np.random.default_rng(0).normal(size=(4, 6, 3)).astype(np.float32)
    labels = np.array([0, 1, 2, 0])
    names = {"x_train": windows, "y_train": labels, "x_test": windows, "y_test": labels}
    np.savez(tmp_path / "data.npz", **names)
    files = [str(tmp_path / name) for name in ("a.tflite", "b.tflite")]
    arguments = [*files, "--data", str(tmp_path / "data.npz"), "--quiet"]
    error = CliRunner().invoke(verify, arguments, standalone_mode=False).exception
    assert isinstance(error, InputError)
    assert "crashed on" in error.message
    assert "b.tflite" in error.message


def test_a_file_without_inputs_is_not_run() -> None:
    """Once a KeyError: nothing had been seen of the LSTM."""

    def no_inputs(model: Any) -> None:
        model.subgraphs[0].inputs = np.zeros(0, np.int32)

    assert measure(changed("lstm", no_inputs)).skipped == "It has no input."


# --- what our own code did not survive ------------------------------------------------------------------


@pytest.mark.parametrize("inputs", [None, np.zeros(0, np.int32), np.array([-1], np.int32)])
def test_verify_reads_a_file_whose_last_operator_has_no_input(tmp_path: Path, inputs: Any) -> None:
    """Once an IndexError, on the way back from the logits to a softmax."""

    def change(model: Any) -> None:
        for operator in schema.operators(model, model.subgraphs[0], "DEQUANTIZE"):
            operator.inputs = inputs

    (tmp_path / "model.tflite").write_bytes(changed("int8", change))
    assert ModelFile.read(tmp_path / "model.tflite").probabilities is None


@pytest.mark.parametrize("bomb", bombs.BOMBS)
def test_a_small_file_asks_for_little(bomb: Callable[[], bytes]) -> None:
    content = bomb()
    assert len(content) < 1.2e6
    with bounded(f"{bomb.__name__}, inspected"), contextlib.suppress(InputError):
        model = schema.read_model(content)
        summarize(model)
        findings(model, Measurement())
    with bounded(f"{bomb.__name__}, loaded"), pytest.raises(ModelFileError):
        SequenceClassifier(content)
