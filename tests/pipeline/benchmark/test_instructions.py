"""Instructions come from the emulated core, and the models are fed a window that they take."""

from pathlib import Path

import numpy as np
import pytest
from hand_made import hand_made
from int8_lstm_file import Int8Lstm, build

from converters import schema
from models.errors import InputError, VerificationError
from pipeline.benchmark.instructions import emulated, window_of
from pipeline.progress import Silence
from pipeline.targets import counting, emulator
from pipeline.targets.counting import InstructionCounts, OpInstructions


def test_what_was_counted_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    ops = (OpInstructions(0, "SUM", 60), OpInstructions(1, "SOFTMAX", 50))
    found = InstructionCounts((100, 101, 103), 7, ops, "cortex-a76", {"qemu": "7.2"})
    monkeypatch.setattr(emulator, "set_up", lambda cache, progress: None)
    monkeypatch.setattr(counting, "count_instructions", lambda path, windows: found)
    counted = emulated(Silence())(Path("model.tflite"), np.zeros((1, 5, 3), np.float32))
    assert (counted.cpu, counted.inference, counted.startup) == ("cortex-a76", 101, 7)
    assert counted.by_operator == ops
    assert counted.versions == {"qemu": "7.2"}


def test_an_emulator_that_cannot_be_set_up_is_said_before_anything_is_timed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuses(cache: Path, progress: object) -> None:
        raise VerificationError("no network")

    monkeypatch.setattr(emulator, "set_up", refuses)
    with pytest.raises(VerificationError, match="no network"):
        emulated(Silence())


def test_windows_are_real_numbers() -> None:
    ones = (np.ones((4, 2, 3), np.int8), np.ones((4, 2, 2), np.int8), np.ones((4, 2), np.int32))
    int8 = build(Int8Lstm(*ones, (0.01,) * 4, (0.01,) * 4, input=(1 / 32, 0), steps=4))
    found = window_of(schema.read_model(int8), "It")
    assert (found.shape, found.dtype) == ((1, 4, 3), np.float32)
    assert 0 < np.abs(found).max() <= 128 / 32  # what its int8 input can hold


def test_lengths_are_no_window() -> None:
    assert window_of(schema.read_model(hand_made(lengths=True)), "It").shape == (1, 5, 3)
    two = schema.read_model(hand_made())
    two.subgraphs[0].inputs = [0, 3]
    with pytest.raises(InputError, match="It has 2 inputs"):
        window_of(two, "It")
