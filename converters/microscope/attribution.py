"""Which rounding, and which gate, the error of the hidden state comes from.

Each source is judged twice: alone (only it is on, everything else in float) and by what the error becomes
without it (everything is on but it). The two agree where errors are small and independent: then squares
add. Where they do not, roundings meet: one hides what another does, or works against it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from converters.lstm_op import GATES
from converters.microscope.roundings import MEANING, WEIGHTS, Rounding, Switches, of_gate, switches
from converters.microscope.simulation import Input, SwitchableLstm, Values


@dataclass(frozen=True, eq=False)
class Source:
    """Where error comes from. Errors are RMS over windows and units of the hidden state's error.

    Attributes:
        name: of the rounding, or of the gate.
        meaning: in a few words.
        alone, without: over all steps.
        alone_by_step, without_by_step: [time].
    """

    name: str
    meaning: str
    alone_by_step: Values
    without_by_step: Values

    @property
    def alone(self) -> float:
        return overall(self.alone_by_step)

    @property
    def without(self) -> float:
        return overall(self.without_by_step)


@dataclass(frozen=True)
class Attribution:
    """The error of the hidden state, and its sources.

    Attributes:
        total: RMS of the error with everything on.
        roundings: the largest first, by what it makes alone.
        gates: everything that belongs to one gate, i, f, g, o; what they share is in ``roundings`` only.
        own_weights: RMS of the difference to the float LSTM with the file's own weights; None where that
            is the float side already.
    """

    total: float
    roundings: tuple[Source, ...]
    gates: tuple[Source, ...]
    own_weights: float | None

    @property
    def independent(self) -> float:
        """RMS of the total error if the roundings were independent: the root of the sum of squares."""
        return float(np.sqrt(sum(source.alone**2 for source in self.roundings)))


def overall(by_step: Values) -> float:
    """RMS over all steps of an RMS by step; each step counts the same, however many windows reach it."""
    return float(np.sqrt(np.mean(by_step**2)))


def attribute(
    lstm: SwitchableLstm, x: Input, floats: Values, integers: Values, tell: Callable[[], None] = lambda: None
) -> Attribution:
    """Switch every source off and on alone.

    Args:
        floats, integers: hidden states with everything off and with everything on, [time, windows, units].
        tell: called after each run; there are ``runs(lstm, x)``.
    """
    everything, where = lstm.switches(x), x.where

    def error(on: Switches, against: Values) -> Values:
        """RMS by step, [time]."""
        squares = [
            np.mean((step.hidden - h) ** 2, where=counted)
            for step, h, counted in zip(lstm.simulate(x, on), against, where, strict=True)
        ]
        tell()
        return np.asarray(np.sqrt(np.array(squares)))

    def source(name: str, meaning: str, part: Switches) -> Source:
        return Source(name, meaning, error(part, floats), error(everything - part, floats))

    roundings = [
        source(rounding.value, MEANING[rounding], part)
        for rounding, part in ((one, switches([one]) & everything) for one in Rounding)
        if part
    ]
    has_weights = lstm.weights is not None
    return Attribution(
        total=overall(np.sqrt(np.mean((integers - floats) ** 2, axis=(1, 2), where=where))),
        roundings=tuple(sorted(roundings, key=lambda one: -one.alone)),
        gates=tuple(
            source(gate, f"all that is rounded in the {gate} gate alone", of_gate(everything, gate))
            for gate in GATES
        ),
        own_weights=overall(error(switches(WEIGHTS), integers)) if has_weights else None,
    )


def runs(lstm: SwitchableLstm, x: Input) -> int:
    """How many times ``attribute`` runs the LSTM."""
    roundings = {switch.rounding for switch in lstm.switches(x)}
    return 2 * (len(roundings) + len(GATES)) + (lstm.weights is not None)
