"""Statistics by step, on numbers made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from converters.integer_lstm import IntegerTrace
from converters.microscope import statistics
from converters.microscope.simulation import Input, Step, SwitchableLstm

Small = tuple[SwitchableLstm, Input]


def step(gates: float, cell: float, gate_inputs: float = 0.0) -> Step:
    """One window, two units; the second unit is 0."""
    wide = np.zeros((4, 1, 2))
    wide[:, 0, 0] = gates
    inputs = np.zeros((4, 1, 2))
    inputs[:, 0, 0] = gate_inputs
    one = np.array([[cell, 0.0]])
    return Step(inputs, wide, one, one, one)


def trace(gate_cut: bool, cell_cut: bool) -> IntegerTrace:
    """Two steps of which the second is cut as asked for."""
    flags, wide = np.zeros((1, 2, 2), np.bool_), np.zeros((1, 2, 4, 2), np.bool_)
    wide[0, 1, 0, 0], cells = gate_cut, flags.copy()
    cells[0, 1, :] = cell_cut
    none8, none16 = np.zeros((1, 2, 2), np.int8), np.zeros((1, 2, 2), np.int16)
    four = np.zeros((1, 2, 4, 2), np.int16)
    return IntegerTrace(none8, none16, four, four, none16, wide, cells, cells, flags)


ALL = np.ones((2, 1, 1), np.bool_)
FLOATS = [step(0.5, 1.0), step(0.999, 3.0, 9.0)]
INTEGERS = [step(0.5, 1.0), step(0.599, 2.0, 8.0)]


def test_gates() -> None:
    found = statistics.gate_statistics(FLOATS, INTEGERS, trace(gate_cut=True, cell_cut=False), ALL)
    gate = found[0]
    assert gate.name == "input"
    assert gate.float_mean.tolist() == [0.25, 0.4995]
    assert gate.integer_mean.tolist() == [0.25, 0.2995]
    assert gate.error_rms == pytest.approx([0, 0.4 / 2**0.5])
    assert gate.error_largest == pytest.approx([0, 0.4])
    assert gate.input_error_rms == pytest.approx([0, 1 / 2**0.5])
    assert gate.input_largest.tolist() == [0, 9]
    assert gate.input_saturated.tolist() == [0, 0.5]
    assert found[1].input_saturated.tolist() == [0, 0]


def test_closed_and_open_are_the_integer_gate_s_ends() -> None:
    quiet = trace(gate_cut=False, cell_cut=False)
    found = statistics.gate_statistics(FLOATS, [step(0.997, 0), step(-0.997, 0)], quiet, ALL)
    assert found[0].high.tolist() == [0.5, 0]
    assert found[0].low.tolist() == [0.5, 1]  # the second unit's gate is 0
    assert found[2].low.tolist() == [0, 0.5]  # the cell gate ends at -1 and 1
    assert found[2].high.tolist() == [0.5, 0]


def test_cell(small: Small) -> None:
    lstm, _ = small
    found = statistics.cell_statistics(lstm, FLOATS, INTEGERS, trace(gate_cut=False, cell_cut=True), ALL)
    assert (found.limit, found.clip) == (4.0, 0.0)  # scale 2^-13
    assert found.float_largest.tolist() == [1, 3]
    assert found.integer_largest.tolist() == [1, 2]
    assert found.float_rms == pytest.approx([0.5**0.5, 4.5**0.5])
    assert found.error_rms == pytest.approx([0, 0.5**0.5])
    assert found.saturated.tolist() == [0, 1]


def test_hidden(small: Small) -> None:
    lstm, _ = small
    floats, integers = np.zeros((2, 3, 2)), np.zeros((2, 3, 2))
    integers[1, 0] = [0.3, -0.4]
    quiet = trace(gate_cut=False, cell_cut=False)
    quiet = replace(quiet, hidden_saturated=np.zeros((3, 2, 2), np.bool_))
    found = statistics.hidden_statistics(lstm, floats, integers, quiet, np.ones((2, 3, 1), np.bool_))
    assert found.step == 1 / 128
    assert found.error_rms == pytest.approx([0, (0.25 / 6) ** 0.5])
    assert found.error_largest.tolist() == [0, 0.4]
    assert found.error_rms_by_unit[1] == pytest.approx([0.3 / 3**0.5, 0.4 / 3**0.5])


def test_input(small: Small) -> None:
    """Scale 1/32, zero point 3: up to 3.875 + half a step."""
    lstm, _ = small
    x = Input(np.array([[[3, 127, 127]]], np.int8), np.array([[[0.01, 3.89, 5.0]]]))
    found = statistics.input_statistics(lstm, x)
    assert found.saturated is not None
    assert found.error_rms is not None
    assert found.saturated.tolist() == [1 / 3]
    assert found.error_rms == pytest.approx([((0.01**2 + 0.015**2 + 1.125**2) / 3) ** 0.5])


def test_padding_is_left_out(small: Small) -> None:
    """Three windows of which two reach the second step."""
    lstm, _ = small
    floats, integers = np.ones((2, 3, 2)), np.ones((2, 3, 2))
    integers[:, 0], integers[1, 2] = [[1.3, 0.6]], 99
    where = np.array([[True] * 3, [True, True, False]])[..., np.newaxis]
    quiet = trace(gate_cut=False, cell_cut=False)
    quiet = replace(quiet, hidden_saturated=np.array([[[0, 0], [0, 0]], [[0, 0], [0, 1]], [[0, 0], [1, 1]]]))
    found = statistics.hidden_statistics(lstm, floats, integers, quiet, where)
    assert found.error_rms == pytest.approx([(0.25 / 6) ** 0.5, (0.25 / 4) ** 0.5])
    assert found.error_largest == pytest.approx([0.4, 0.4])
    assert found.saturated == pytest.approx([0, 1 / 4])
    assert found.error_rms_by_unit[1] == pytest.approx([0.3 / 2**0.5, 0.4 / 2**0.5])


def test_parts_of_an_input_keep_what_counts() -> None:
    counted = np.array([[True, False], [True, True]])
    x = Input(np.arange(4, dtype=np.int8).reshape(2, 2, 1), None, counted)
    assert x.where[:, :, 0].tolist() == [[True, True], [False, True]]
    assert x.window(0).where[:, :, 0].tolist() == [[True], [False]]
    assert x.until(1).where[:, :, 0].tolist() == [[True, True]]
    assert Input(x.quantized, None).where.shape == (2, 2, 1)
    assert Input(x.quantized, None).where.all()


def test_an_input_that_is_not_known_before_rounding(small: Small) -> None:
    lstm, x = small
    found = statistics.input_statistics(lstm, Input(x.quantized, None))
    assert (found.saturated, found.error_rms) == (None, None)
