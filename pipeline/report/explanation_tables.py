"""The tables of `pipeline explain`, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from converters.lstm_op import GATES
from converters.microscope.attribution import Source, overall
from converters.microscope.explanation import LstmExplanation
from converters.microscope.simulation import GATE_INPUT_STEP, GATE_STEP
from pipeline.report.table import Table

SHOWN_STEPS = 9  # of the table along time: every step is in the page and in the JSON
CELL_INTEGERS = 1 << 15


def share(value: float) -> str:
    """A share as a percentage; nothing that happened looks as if it did not."""
    if 0 < value < 0.001:
        return "< 0.1 %"
    return "0" if value == 0 else f"{100 * value:.1f} %" if value < 0.9995 or value == 1 else "> 99.9 %"


def number(value: float) -> str:
    """Three significant digits, written out, so that they stand in a column; small ones as a power of ten."""
    if value == 0:
        return "0"
    return f"{value:.1e}".replace("e-0", "e-") if abs(value) < 1e-3 else f"{value:#.3g}".rstrip(".")


def headline(lstm: LstmExplanation) -> str:
    """The error of the hidden state in one sentence."""
    hidden, total = lstm.hidden, lstm.attribution.total
    size = overall(hidden.float_rms)
    relative = f"{total / size:.1%} of its own RMS".replace("%", " %") if size else "its own RMS is 0"
    return (
        f"The hidden state is off by {number(total)} RMS: {relative}, {total / hidden.step:.2f} of its int8 "
        f"steps; at most by {number(float(hidden.error_largest.max()))}."
    )


def drift(lstm: LstmExplanation) -> str:
    """Where the error of the hidden state goes along time, in one sentence."""
    error = lstm.hidden.error_rms
    first, last = error[0], error[-1]
    worst = int(error.argmax())
    return (
        f"From {number(float(first))} in the first step to {number(float(last))} in the last; the largest is "
        f"{number(float(error[worst]))} in step {worst}."
    )


def by_rounding(lstm: LstmExplanation) -> Table:
    """Which rounding the error comes from."""
    found = lstm.attribution
    own = (
        ""
        if found.own_weights is None
        else f" Against the float LSTM with the file's own weights it is {number(found.own_weights)}."
    )
    return Table(
        "Which rounding: error of the hidden state, RMS",
        _SOURCES,
        (*_sources(found.roundings, found.total), ("all", number(found.total), "100.0 %", "0", "100.0 %")),
        "alone: only this one is on. without: all are on but this one; gone: how much smaller the error "
        f"then is. Independent roundings would add in squares, to {number(found.independent)}."
        + _interaction(found.total, found.independent)
        + own,
    )


def by_gate(lstm: LstmExplanation) -> Table:
    """Which gate it comes from."""
    found = lstm.attribution
    return Table(
        "Which gate: the same for all that is rounded in one gate alone",
        ("gate", *_SOURCES[1:]),
        tuple(_sources(found.gates, found.total)),
        "What the gates share (input, cell state, its tanh, hidden state) is in the table above only.",
    )


def gates(lstm: LstmExplanation) -> Table:
    """Values, errors and saturation of the gates over all steps."""
    rows = (
        (
            gate.name,
            f"{gate.float_mean.mean():.4f}",
            f"{gate.integer_mean.mean():.4f}",
            number(overall(gate.error_rms)),
            number(float(gate.error_largest.max())),
            share(gate.input_saturated.mean()),
            share(gate.low.mean()),
            share(gate.high.mean()),
        )
        for gate in lstm.gates
    )
    return Table(
        "Gates: over all steps",
        ("gate", "float", "int", "RMS error", "largest", "cut at ±8", "closed", "open"),
        tuple(rows),
        "float, int: mean values. cut at ±8: share of the gate inputs. closed, open: share of the gates "
        "within 1/256 of 0 and 1 (cell: -1 and 1).",
    )


def cell(lstm: LstmExplanation) -> str:
    """Where the cell saturates and clips, in a few sentences."""
    found = lstm.cell
    real, rounded = (number(float(side.max())) for side in (found.float_largest, found.integer_largest))
    text = (
        f"Its int16 holds ±{found.limit:g}; the float LSTM goes up to {real}, the int8 one to {rounded}. "
        f"Saturated: {_when(found.saturated)}."
    )
    clip = (
        f" Cut by the cell clip of {found.clip:.3g}: {_when(found.clipped)}."
        if found.clip
        else " No cell clip bites."
    )
    return text + clip


def saturated_input(lstm: LstmExplanation) -> str:
    """How the input fits its int8, in one sentence; "" where that is not known."""
    if lstm.input.saturated is None or lstm.input.error_rms is None:
        return ""
    cut = _when(lstm.input.saturated)
    return f"The input is off by {number(overall(lstm.input.error_rms))} RMS; outside of its int8: {cut}."


def along_time(lstm: LstmExplanation, steps: Iterable[int] | None = None) -> Table:
    """Errors by step; some steps, or those given."""
    last = lstm.steps - 1
    chosen = np.unique(np.rint(np.linspace(0, last, SHOWN_STEPS)).astype(int)) if steps is None else steps
    rows = (
        (
            str(step),
            number(float(lstm.hidden.error_rms[step])),
            number(float(lstm.hidden.error_largest[step])),
            *(number(float(gate.error_rms[step])) for gate in lstm.gates),
            number(float(lstm.cell.error_rms[step])),
        )
        for step in chosen
    )
    return Table(
        "Along time: RMS errors by step",
        (
            "step",
            "hidden",
            "largest",
            *(f"{name} g." for name in ("input", "forget", "cell", "out.")),
            "cell",
        ),
        tuple(rows),
        drift(lstm),
    )


def gate_by_step(lstm: LstmExplanation, place: int) -> Table:
    """One gate in every step."""
    gate = lstm.gates[place]
    rows = (
        (
            str(step),
            f"{gate.float_mean[step]:.4f}",
            f"{gate.integer_mean[step]:.4f}",
            number(float(gate.error_rms[step])),
            number(float(gate.error_largest[step])),
            number(float(gate.input_error_rms[step])),
            share(gate.input_saturated[step]),
            share(gate.low[step]),
            share(gate.high[step]),
        )
        for step in range(lstm.steps)
    )
    return Table(
        f"{gate.name.capitalize()} gate, step by step",
        ("step", "float", "int", "RMS error", "largest", "input's error", "cut at ±8", "closed", "open"),
        tuple(rows),
    )


def focus(lstm: LstmExplanation) -> Table:
    """Every value of the one unit, window and step in which the hidden state is furthest off."""
    at = lstm.focus
    floats, integers = at.float_side, at.integer_side
    values = [
        *(
            (
                f"{name} gate: input",
                floats.gate_inputs[at.step, k],
                integers.gate_inputs[at.step, k],
                GATE_INPUT_STEP,
            )
            for k, name in enumerate(GATES)
        ),
        *(
            (f"{name} gate", floats.gates[at.step, k], integers.gates[at.step, k], GATE_STEP)
            for k, name in enumerate(GATES)
        ),
        ("cell state", floats.cell[at.step], integers.cell[at.step], lstm.cell.limit / CELL_INTEGERS),
        ("tanh of cell", floats.tanh_cell[at.step], integers.tanh_cell[at.step], GATE_STEP),
        ("hidden state", floats.hidden[at.step], integers.hidden[at.step], lstm.hidden.step),
    ]
    return Table(
        f"Furthest off: window {at.window}, unit {at.unit}, step {at.step}",
        ("value", "float", "int", "error", "in steps"),
        tuple(
            (
                name,
                f"{real:.6f}",
                f"{rounded:.6f}",
                f"{rounded - real:+.6f}",
                f"{(rounded - real) / step:+.1f}",
            )
            for name, real, rounded, step in values
        ),
        "in steps: the error in steps of the value's own integer format.",
    )


_SOURCES = ("rounding", "alone", "of all", "without", "gone")


def _sources(sources: Sequence[Source], total: float) -> list[tuple[str, ...]]:
    return [
        (
            source.name,
            number(source.alone),
            _percent(source.alone, total),
            number(source.without),
            _percent(total - source.without, total),
        )
        for source in sources
    ]


def _percent(part: float, whole: float) -> str:
    return f"{round(100 * part / whole, 1) + 0.0:.1f} %" if whole else "0.0 %"  # no -0.0


def _interaction(total: float, independent: float) -> str:
    if not independent or not total:
        return ""
    ratio = total / independent
    if abs(ratio - 1) < 0.1:
        return " That is nearly what they make together."
    how = "less: they work against each other" if ratio < 1 else "more: they work into each other's hands"
    return f" Together they make {how}."


def _when(shares: np.ndarray) -> str:
    """A share over all steps, and in which steps."""
    steps = np.flatnonzero(shares)
    if not len(steps):
        return "never"
    where = f"step {steps[0]}" if len(steps) == 1 else f"{len(steps)} steps from {steps[0]} to {steps[-1]}"
    return f"{share(float(shares.mean()))} (in {where})"
