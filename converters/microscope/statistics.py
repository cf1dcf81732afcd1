"""What happens inside the LSTM step by step: the float and the integer LSTM side by side.

All of it over windows and units, as arrays by step [time]: means, roots of mean squares (``rms``), largest
magnitudes and shares. ``where`` is ``Input.where``, [time, windows, 1]: what is padding is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.integer_lstm import IntegerTrace
from converters.lstm_op import GATES
from converters.microscope.simulation import Input, Step, SwitchableLstm, Values
from models.quantization.number_formats import INT8_MAX, INT8_MIN, INT16_MAX

Mask = NDArray[np.bool_]

END = 2.0**-8
"""A gate counts as closed or open within this of its ends, half a step of an int8 hidden state."""


@dataclass(frozen=True, eq=False)
class GateStatistics:
    """One gate, by step. The gate is sigmoid or, for the cell gate, tanh of the gate input.

    Attributes:
        float_mean, integer_mean: mean value of the gate.
        error_rms, error_largest: of its error.
        input_error_rms: of the gate input's error.
        input_largest: largest magnitude of the float gate input.
        input_saturated: share of the gate inputs that int16 cut at ±8.
        low, high: share of the gates at their ends, 0 and 1, or -1 and 1 for the cell gate.
    """

    name: str
    float_mean: Values
    integer_mean: Values
    error_rms: Values
    error_largest: Values
    input_error_rms: Values
    input_largest: Values
    input_saturated: Values
    low: Values
    high: Values


@dataclass(frozen=True, eq=False)
class CellStatistics:
    """The cell state, by step.

    Attributes:
        limit: largest magnitude that its int16 can hold.
        clip: the op's cell clip; 0: there is none, or it lies beyond the limit.
        float_largest, integer_largest: largest magnitude.
        float_rms, error_rms: of its value and of its error.
        saturated, clipped: share cut at the ends of int16, and by the cell clip.
    """

    limit: float
    clip: float
    float_largest: Values
    integer_largest: Values
    float_rms: Values
    error_rms: Values
    saturated: Values
    clipped: Values


@dataclass(frozen=True, eq=False)
class HiddenStatistics:
    """The hidden state, by step.

    Attributes:
        step: one step of its int8.
        float_rms, error_rms, error_largest: of its value and of its error.
        saturated: share cut at the ends of int8.
        error_rms_by_unit: [time, units].
    """

    step: float
    float_rms: Values
    error_rms: Values
    error_largest: Values
    saturated: Values
    error_rms_by_unit: Values


@dataclass(frozen=True, eq=False)
class InputStatistics:
    """The input, by step: share cut at the ends of int8, and the RMS of its error; None where not known."""

    saturated: Values | None
    error_rms: Values | None


def gate_statistics(
    floats: Sequence[Step], integers: Sequence[Step], trace: IntegerTrace, where: Mask
) -> list[GateStatistics]:
    """Of the four gates."""
    found = []
    for place, name in enumerate(GATES):
        real, rounded = (np.array([step.gates[place] for step in steps]) for steps in (floats, integers))
        real_inputs, rounded_inputs = (
            np.array([step.gate_inputs[place] for step in steps]) for steps in (floats, integers)
        )
        lowest = -1.0 if name == "cell" else 0.0
        found.append(
            GateStatistics(
                name=name,
                float_mean=_mean(real, where),
                integer_mean=_mean(rounded, where),
                error_rms=_rms(rounded - real, where),
                error_largest=_largest(rounded - real, where),
                input_error_rms=_rms(rounded_inputs - real_inputs, where),
                input_largest=_largest(real_inputs, where),
                input_saturated=_mean(trace.gate_input_saturated[:, :, place].swapaxes(0, 1), where),
                low=_mean(rounded <= lowest + END, where),
                high=_mean(rounded >= 1 - END, where),
            )
        )
    return found


def cell_statistics(
    lstm: SwitchableLstm, floats: Sequence[Step], integers: Sequence[Step], trace: IntegerTrace, where: Mask
) -> CellStatistics:
    """Of the cell state."""
    real, rounded = (np.array([step.cell for step in steps]) for steps in (floats, integers))
    step = 2.0**lstm.integer.cell_exponent
    return CellStatistics(
        limit=(INT16_MAX + 1) * step,
        clip=lstm.integer.cell_clip * step if lstm.integer.cell_clip < INT16_MAX else 0.0,
        float_largest=_largest(real, where),
        integer_largest=_largest(rounded, where),
        float_rms=_rms(real, where),
        error_rms=_rms(rounded - real, where),
        saturated=_mean(trace.cell_saturated.swapaxes(0, 1), where),
        clipped=_mean(trace.cell_clipped.swapaxes(0, 1), where),
    )


def hidden_statistics(
    lstm: SwitchableLstm, floats: Values, integers: Values, trace: IntegerTrace, where: Mask
) -> HiddenStatistics:
    """Of the hidden states [time, windows, units]."""
    error = integers - floats
    return HiddenStatistics(
        step=lstm.integer.output_format.scale,
        float_rms=_rms(floats, where),
        error_rms=_rms(error, where),
        error_largest=_largest(error, where),
        saturated=_mean(trace.hidden_saturated.swapaxes(0, 1), where),
        error_rms_by_unit=np.sqrt(np.mean(error**2, axis=1, where=where)),
    )


def input_statistics(lstm: SwitchableLstm, x: Input) -> InputStatistics:
    """Of the input."""
    if x.real is None:
        return InputStatistics(None, None)
    form = lstm.integer.input_format
    steps = x.real / form.scale + form.zero_point
    error = (x.quantized.astype(np.float64) - form.zero_point) * form.scale - x.real
    outside = (steps < INT8_MIN - 0.5) | (steps > INT8_MAX + 0.5)
    return InputStatistics(_mean(outside.swapaxes(0, 1), x.where), _rms(error.swapaxes(0, 1), x.where))


def _mean(values: np.ndarray, where: Mask) -> Values:
    return np.asarray(values.mean(axis=(1, 2), where=where), np.float64)


def _rms(values: Values, where: Mask) -> Values:
    return np.asarray(np.sqrt(np.mean(values**2, axis=(1, 2), where=where)))


def _largest(values: Values, where: Mask) -> Values:
    return np.asarray(np.abs(values).max(axis=(1, 2), where=where, initial=0))
