"""What the int8 LSTM does that a float LSTM does not, each thing a switch; some once for each gate."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from converters.lstm_op import GATES


class Rounding(Enum):
    """A kind of rounding; the value is its name for people and programs."""

    INPUT = "input"
    INPUT_WEIGHTS = "input weights"
    RECURRENT_WEIGHTS = "recurrent weights"
    BIAS = "bias"
    GATE_INPUTS = "gate inputs"
    GATES = "gates"
    CELL = "cell state"
    CELL_CLIP = "cell clip"
    TANH_CELL = "tanh of cell"
    HIDDEN = "hidden state"
    STATE_SCALES = "untied scales"

    @property
    def per_gate(self) -> bool:
        """Whether each gate has its own."""
        return self in _PER_GATE


_PER_GATE = {
    Rounding.INPUT_WEIGHTS,
    Rounding.RECURRENT_WEIGHTS,
    Rounding.BIAS,
    Rounding.GATE_INPUTS,
    Rounding.GATES,
}

WEIGHTS = (Rounding.INPUT_WEIGHTS, Rounding.RECURRENT_WEIGHTS, Rounding.BIAS)

MEANING = {
    Rounding.INPUT: "x as int8, and what the layers before it add to its error",
    Rounding.INPUT_WEIGHTS: "W as int8, and what training moved after the reference",
    Rounding.RECURRENT_WEIGHTS: "R as int8, and what training moved after the reference",
    Rounding.BIAS: "b as int32, and what training moved after the reference",
    Rounding.GATE_INPUTS: "W x + b and R h as int16 Q3.12, cut at ±8",
    Rounding.GATES: "sigmoid and tanh as int16 Q0.15, by the kernel's approximation",
    Rounding.CELL: "c as int16, cut at the ends of its range",
    Rounding.CELL_CLIP: "c held within the op's cell clip, which Keras does not have",
    Rounding.TANH_CELL: "tanh(c) as int16 Q0.15, by the kernel's approximation",
    Rounding.HIDDEN: "h as int8, cut at the ends of its range",
    Rounding.STATE_SCALES: "h written in one scale, and read in others: by the next step and the next op",
}


class Switch(NamedTuple):
    """One rounding of one gate; gate "" for what the gates share."""

    rounding: Rounding
    gate: str = ""


Switches = frozenset[Switch]
NONE: Switches = frozenset()


def switches(roundings: Iterable[Rounding]) -> Switches:
    """All switches of these roundings."""
    return frozenset(
        Switch(rounding, gate) for rounding in roundings for gate in (GATES if rounding.per_gate else ("",))
    )


def of_gate(all_switches: Switches, gate: str) -> Switches:
    """Those that belong to one gate."""
    return frozenset(switch for switch in all_switches if switch.gate == gate)
