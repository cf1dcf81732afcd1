"""One LSTM under the microscope: everything there is to say about its error on some windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.microscope import statistics
from converters.microscope.attribution import Attribution, attribute
from converters.microscope.reference import Moved, moved
from converters.microscope.roundings import NONE
from converters.microscope.simulation import Input, Step, SwitchableLstm, Values
from converters.microscope.statistics import CellStatistics, GateStatistics, HiddenStatistics, InputStatistics
from models.errors import VerificationError


@dataclass(frozen=True, eq=False)
class Side:
    """What the float or the integer LSTM computes in one unit of one window, by step.

    Gate inputs and gates are [time, 4], gates in the order i, f, g, o; the others [time]. Without padding.
    """

    gate_inputs: Values
    gates: Values
    cell: Values
    tanh_cell: Values
    hidden: Values


@dataclass(frozen=True, eq=False)
class Focus:
    """The unit, window and step in which the hidden state is furthest off."""

    window: int
    unit: int
    step: int
    float_side: Side
    integer_side: Side


@dataclass(frozen=True, eq=False)
class LstmExplanation:
    """What was found about one fused LSTM.

    Attributes:
        name: of its output tensor.
        windows, steps, features, units: how much was looked at.
        float_weights: "reference" or "own", the file's own, dequantized.
        moved: how far its weights are from the reference's; None without one.
        outputs_equal: how many hidden states the interpreter wrote, every one equal to the integer kernel's.
        input, gates, cell, hidden: by step.
        attribution: which rounding and which gate the error of the hidden state comes from.
        focus: where it is largest.
    """

    name: str
    windows: int
    steps: int
    features: int
    units: int
    float_weights: str
    moved: Moved | None
    outputs_equal: int
    input: InputStatistics
    gates: tuple[GateStatistics, ...]
    cell: CellStatistics
    hidden: HiddenStatistics
    attribution: Attribution
    focus: Focus

    def to_dict(self) -> dict[str, Any]:
        """In JSON's types, floats with seven significant digits; docs/explain.md has the fields."""
        document: dict[str, Any] = _plain(self)
        for kind in ("roundings", "gates"):
            for source, plain in zip(
                getattr(self.attribution, kind), document["attribution"][kind], strict=True
            ):
                plain |= {"alone": _plain(source.alone), "without": _plain(source.without)}
        document["attribution"]["independent"] = _plain(self.attribution.independent)
        return document


def explain(
    name: str,
    lstm: SwitchableLstm,
    x: Input,
    written: np.ndarray,
    tell: Callable[[], None] = lambda: None,
) -> LstmExplanation:
    """Look at one LSTM.

    Args:
        name: of the LSTM.
        written: what the interpreter wrote, int8 [windows, time, units].
        tell: called after each of the ``attribution.runs``.

    Raises:
        VerificationError: interpreter, integer kernel and simulation do not agree to the last bit.
    """
    trace = lstm.integer.run(x.quantized)
    _require_equal(name, "the integer kernel", trace.hidden, written)
    floats = list(lstm.simulate(x, NONE))
    integers = list(lstm.simulate(x, lstm.switches(x)))
    float_hidden, integer_hidden = (np.array([step.hidden for step in steps]) for steps in (floats, integers))
    form = lstm.integer.output_format
    simulated = integer_hidden.swapaxes(0, 1) / form.scale + form.zero_point
    _require_equal(name, "the simulation", np.rint(simulated), written)
    windows, steps, features = x.quantized.shape
    return LstmExplanation(
        name=name,
        windows=windows,
        steps=steps,
        features=features,
        units=lstm.integer.units,
        float_weights="own" if lstm.weights is None else "reference",
        moved=None if lstm.weights is None else moved(lstm, lstm.weights),
        outputs_equal=written.size,
        input=statistics.input_statistics(lstm, x),
        gates=tuple(statistics.gate_statistics(floats, integers, trace, x.where)),
        cell=statistics.cell_statistics(lstm, floats, integers, trace, x.where),
        hidden=statistics.hidden_statistics(lstm, float_hidden, integer_hidden, trace, x.where),
        attribution=attribute(lstm, x, float_hidden, integer_hidden, tell),
        focus=_focus(floats, integers, np.abs(integer_hidden - float_hidden), x.where),
    )


def _focus(
    floats: Sequence[Step], integers: Sequence[Step], error: Values, where: NDArray[np.bool_]
) -> Focus:
    """Of errors [time, windows, units]; the sides end with the window's last step that is no padding."""
    error = np.where(where, error, -1.0)
    step, window, unit = (int(one) for one in np.unravel_index(int(error.argmax()), error.shape))
    length = int(where[:, window].sum())

    def side(steps: Sequence[Step]) -> Side:
        return Side(
            **{
                one.name: np.array([getattr(step, one.name)[..., window, unit] for step in steps[:length]])
                for one in fields(Side)
            }
        )

    return Focus(window, unit, step, side(floats), side(integers))


def _require_equal(name: str, what: str, ours: np.ndarray, written: np.ndarray) -> None:
    different = int((ours != written).sum())
    if different:
        raise VerificationError(
            f"The LSTM '{name}' cannot be explained: {different} of {written.size} hidden states of {what} "
            "are not what the interpreter wrote.",
            "Does it overflow int32, or is the interpreter another one than LiteRT's own kernels?",
        )


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return value
