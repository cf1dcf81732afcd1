"""Errors of each source, alone and without it."""

import numpy as np
import pytest

from converters.lstm_op import GATES
from converters.microscope.attribution import Attribution, attribute, overall, runs
from converters.microscope.roundings import NONE, WEIGHTS, Rounding, Switches, of_gate, switches
from converters.microscope.simulation import Input, SwitchableLstm, Values

Small = tuple[SwitchableLstm, Input]


def hidden(small: Small, on: Switches) -> Values:
    lstm, x = small
    return np.array([step.hidden for step in lstm.simulate(x, on)])


def rms(a: Values, b: Values) -> float:
    return float(np.sqrt(np.mean((a - b) ** 2)))


@pytest.fixture(scope="module")
def found(small: Small) -> Attribution:
    lstm, x = small
    told: list[int] = []
    floats, integers = hidden(small, NONE), hidden(small, lstm.switches(x))
    result = attribute(lstm, x, floats, integers, lambda: told.append(1))
    assert len(told) == runs(lstm, x)
    return result


def test_the_total_is_the_error_with_everything_on(small: Small, found: Attribution) -> None:
    lstm, x = small
    assert found.total == pytest.approx(rms(hidden(small, lstm.switches(x)), hidden(small, NONE)))
    assert found.total > 1e-4


def test_each_rounding_once_and_the_largest_first(small: Small, found: Attribution) -> None:
    names = {rounding.value for rounding in Rounding} - {"cell clip", "untied scales"}
    assert {source.name for source in found.roundings} == names
    alone = [source.alone for source in found.roundings]
    assert alone == sorted(alone, reverse=True)


def test_alone_and_without_are_what_the_simulation_gives(small: Small, found: Attribution) -> None:
    lstm, x = small
    everything, floats = lstm.switches(x), hidden(small, NONE)
    (source,) = [one for one in found.roundings if one.name == "hidden state"]
    part = switches([Rounding.HIDDEN])
    assert source.alone == pytest.approx(rms(hidden(small, part), floats))
    assert source.without == pytest.approx(rms(hidden(small, everything - part), floats))
    assert source.alone_by_step.shape == (8,)
    assert source.alone_by_step[3] == pytest.approx(rms(hidden(small, part)[3], floats[3]))


def test_gates_hold_all_that_is_theirs(small: Small, found: Attribution) -> None:
    lstm, x = small
    assert [gate.name for gate in found.gates] == list(GATES)
    part = of_gate(lstm.switches(x), "cell")
    assert len(part) == 5
    assert found.gates[2].alone == pytest.approx(rms(hidden(small, part), hidden(small, NONE)))


def test_own_weights_is_the_error_against_the_float_lstm_of_the_file_s_weights(
    small: Small, found: Attribution
) -> None:
    lstm, x = small
    own = SwitchableLstm(lstm.integer, None, lstm.input_weight_scales, lstm.recurrent_weight_scales)
    integers = hidden(small, lstm.switches(x))
    assert found.own_weights == pytest.approx(rms(integers, hidden((own, x), NONE)))
    assert switches(WEIGHTS) < lstm.switches(x)


def test_without_float_weights_there_is_nothing_to_say_about_them(small: Small) -> None:
    lstm, x = small
    own = SwitchableLstm(lstm.integer, None, lstm.input_weight_scales, lstm.recurrent_weight_scales)
    floats, integers = (hidden((own, x), on) for on in (NONE, own.switches(x)))
    result = attribute(own, x, floats, integers)
    assert result.own_weights is None
    assert not {one.name for one in result.roundings} & {rounding.value for rounding in WEIGHTS}


def test_independent_errors_add_in_squares(found: Attribution) -> None:
    assert found.independent == pytest.approx(np.sqrt(sum(one.alone**2 for one in found.roundings)))
    assert 0.5 < found.total / found.independent < 2  # small errors nearly do


def test_overall_weighs_all_steps_alike() -> None:
    assert overall(np.array([3.0, 4.0, 0.0, 0.0])) == 2.5
