"""Rules about the cell state: its range, its scale, its clip."""

from __future__ import annotations

import math
from collections.abc import Iterator

from converters import schema
from converters.findings.finding import Evidence, Finding, error, info, rule, warning
from converters.lstm_op import LstmNode
from models.quantization.number_formats import CELL_EXPONENTS, cell_exponent

SATURATED_SHARE = 1e-3
"""From here on a cell range is called too small: one value in a thousand, for 64 units one in 16 steps."""

HALF_A_STEP = 1 / 256
"""Half a step of h in its own range: what h may be wrong by without anybody being able to tell."""


@rule("lstm-cell-scale")
def cell_scale(evidence: Evidence) -> Iterator[Finding]:
    """A cell scale for which the int8 kernel has no tanh."""
    low, high = CELL_EXPONENTS[0], CELL_EXPONENTS[-1]
    for node in _integer(evidence):
        scale = _cell_scale(node)
        if scale is None or _exponent(scale) not in CELL_EXPONENTS:
            found = "no single scale" if scale is None else f"scale {scale:.6g}"
            yield error(
                schema.name(node.output),
                f"The int16 cell state has {found}. The kernel knows powers of two from 2^{low} to 2^{high} "
                "(|c| up to 1 ... 64); beyond them it leaves tanh(c) out without a word, and it refuses what "
                "is no power of two.",
                "Convert again with a cell range of at most 64.",
            )


@rule("lstm-cell-range")
def cell_range(evidence: Evidence) -> Iterator[Finding]:
    """A cell state that leaves its int16 range.

    Where the range ends at L, h = o tanh(c) is wrong by up to 1 - tanh(L) at that very step. For L = 1 and
    2 that is over half a step of h: an error, on real data. From L = 4 on it is not (6.7e-4), but the cell
    forgets what it should have kept: a warning; as is anything that only noise has shown.
    """
    for node, measured in evidence.lstms:
        scale, share = _cell_scale(node), measured.cell_saturated
        if scale is None or share is None or share < SATURATED_SHARE:
            continue
        limit = 32768 * scale
        wrong_at_once = 1 - math.tanh(limit) > HALF_A_STEP
        remedy = "Calibrate the cell state over all steps: the stock calibrator sees only the last."
        needs = ""
        if measured.largest_cell is not None and measured.largest_cell > limit:
            needs = f" The float LSTM of the same weights reaches {measured.largest_cell:.3g}."
            remedy += f" This one needs a scale of 2^{cell_exponent(measured.largest_cell)}."
        effect = (
            f"there h is off by up to {1 - math.tanh(limit):.2f} at once"
            if wrong_at_once
            else "the cell forgets what lies beyond"
        )
        if not evidence.measured.real_data:
            remedy += " Noise has shown it: try your own data with --data."
        yield (error if wrong_at_once and evidence.measured.real_data else warning)(
            schema.name(node.output),
            f"The cell's range ends at {limit:g} (scale {scale:.4g}). {evidence.basis} {100 * share:.2g} % "
            f"of its values saturate: {effect}.{needs}",
            remedy,
        )


@rule("lstm-cell-clip")
def cell_clip(evidence: Evidence) -> Iterator[Finding]:
    """A clip that Keras does not have."""
    for node, measured in evidence.lstms:
        if node.cell_clip == 0:
            continue
        name, scale = schema.name(node.output), _cell_scale(node)
        message = f"The op clips its cell state at {node.cell_clip:g}: the converter's doing, not Keras's."
        if scale is not None and node.cell_clip >= 32768 * scale:
            yield info(name, f"{message} It does nothing here: the cell's range ends at {32768 * scale:g}.")
            continue
        if measured.cell_clipped is not None:
            message += f" {evidence.basis} it changes {100 * measured.cell_clipped:.2g} % of the values."
        yield warning(
            name,
            f"{message} Where |c| passes it, even a float file differs from Keras.",
            "Set it to 0, off: converters.flatbuffer.set_cell_clip, before quantization or after.",
        )


def _integer(evidence: Evidence) -> list[LstmNode]:
    return [node for node, _ in evidence.lstms if not schema.is_float(node.input)]


def _cell_scale(node: LstmNode) -> float | None:
    """The scale of an integer cell state; None in float."""
    record = schema.scale_and_zero_point(node.cell_state)
    return None if record is None or schema.is_float(node.cell_state) or not record[0] > 0 else record[0]


def _exponent(scale: float) -> int | None:
    """log2 of a scale that is a power of two; None of any other."""
    fraction, exponent = math.frexp(scale)
    return exponent - 1 if fraction == 0.5 else None
