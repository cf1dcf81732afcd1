"""A scheme's line as text, the same in every table that has room for words."""

from __future__ import annotations

from pipeline.parity.definitions import DEFINITIONS
from pipeline.report.numbers import amount, percent, size
from pipeline.report.schemes import FIGURES, SchemeResult

SCHEME_HEADINGS = (
    "size",
    "accuracy",
    "same decision",
    "attention error",
    "attention moved",
    "row sum error",
    "latency",
    "memory",
    "LSTM",
)
_SHORT = {"int8 8x8_16": "int8", "hybrid": "int8 weights"}


def scheme_cells(one: SchemeResult) -> tuple[str, ...]:
    """Its cells in the order of the headings."""
    agreement, *errors = FIGURES
    kinds = dict.fromkeys(_SHORT.get(kind, kind) for kind in one.lstms.values())
    return (
        size(one.size_bytes),
        percent(one.accuracy),
        percent(one.figure(agreement)),
        *(amount(one.figure(name), DEFINITIONS[name].unit) for name in errors),
        f"{one.latency_ms:.2f} ms",
        size(one.memory_bytes),
        ", ".join(kinds),
    )
