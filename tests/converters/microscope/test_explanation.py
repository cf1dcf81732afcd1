"""One LSTM, put together."""

import json

import numpy as np
import pytest

from converters.microscope.explanation import LstmExplanation, explain
from converters.microscope.simulation import Input, SwitchableLstm
from models.errors import VerificationError

Small = tuple[SwitchableLstm, Input]


@pytest.fixture(scope="module")
def found(small: Small) -> LstmExplanation:
    lstm, x = small
    return explain("lstm", lstm, x, lstm.integer.run(x.quantized).hidden)


def test_sizes_and_sides(found: LstmExplanation) -> None:
    assert (found.windows, found.steps, found.features, found.units) == (6, 8, 3, 5)
    assert found.float_weights == "reference"
    assert found.moved is not None
    assert found.outputs_equal == 6 * 8 * 5


def test_the_parts_agree(found: LstmExplanation) -> None:
    by_step = found.hidden.error_rms
    assert found.attribution.total == pytest.approx(np.sqrt(np.mean(by_step**2)))
    by_unit = found.hidden.error_rms_by_unit
    np.testing.assert_allclose(np.sqrt(np.mean(by_unit**2, axis=1)), by_step)


def test_the_focus_is_the_largest_error_and_tells_its_whole_story(
    small: Small, found: LstmExplanation
) -> None:
    lstm, x = small
    at = found.focus
    error = np.abs(at.integer_side.hidden - at.float_side.hidden)
    assert error[at.step] == found.hidden.error_largest.max()
    trace = lstm.integer.run(x.quantized)
    np.testing.assert_array_equal(at.integer_side.hidden, trace.hidden[at.window, :, at.unit] / 128)
    np.testing.assert_array_equal(at.integer_side.gates, trace.gates[at.window, :, :, at.unit] / 2**15)
    np.testing.assert_array_equal(at.integer_side.cell, trace.cell[at.window, :, at.unit] * 2.0**-13)
    i, f, g, o = at.float_side.gates.T  # the float side's cell follows from its gates
    assert at.float_side.cell[1] == pytest.approx(f[1] * at.float_side.cell[0] + i[1] * g[1])
    assert at.float_side.hidden[1] == pytest.approx(o[1] * np.tanh(at.float_side.cell[1]))


def test_it_is_strict_json(found: LstmExplanation) -> None:
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["attribution"]["roundings"][0]["alone"] == pytest.approx(
        found.attribution.roundings[0].alone, rel=1e-6
    )
    assert len(document["gates"]) == 4
    assert len(document["gates"][0]["error_rms"]) == 8
    assert document["attribution"]["independent"] > 0


def test_what_the_interpreter_did_not_write_is_not_explained(small: Small) -> None:
    lstm, x = small
    written = lstm.integer.run(x.quantized).hidden.copy()
    written[0, 0, 0] += 1
    with pytest.raises(VerificationError, match="1 of 240 hidden states of the integer kernel"):
        explain("lstm", lstm, x, written)
