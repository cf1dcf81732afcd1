"""A scheme's line as text, the same in every table that has room for words."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.parity.definitions import DEFINITIONS
from pipeline.report.numbers import amount, percent, size
from pipeline.report.schemes import SchemeResult

_SHORT = {"int8 8x8_16": "int8", "hybrid": "int8 weights"}
_ERRORS = ("attention_max_error", "attention_total_variation", "attention_row_sum_error")


def scheme_headings(results: Sequence[SchemeResult]) -> tuple[str, ...]:
    """What the columns are called, after the name; the task decides two of them."""
    merit, closeness = results[0].merit[0], results[0].closeness[0]
    errors = ("attention error", "attention moved", "row sum error")
    return ("size", merit, closeness, *errors, "latency", "memory", "LSTM")


def scheme_cells(one: SchemeResult) -> tuple[str, ...]:
    """Its cells in the order of the headings."""
    (merit, quality), (closeness, near) = one.merit, one.closeness
    kinds = dict.fromkeys(_SHORT.get(kind, kind) for kind in one.lstms.values())
    return (
        size(one.size_bytes),
        percent(quality) if merit == "accuracy" else amount(quality),
        percent(near) if closeness == "same decision" else amount(near),
        *(amount(one.figure(name), DEFINITIONS[name].unit) for name in _ERRORS),
        f"{one.latency_ms:.2f} ms",
        size(one.memory_bytes),
        ", ".join(kinds),
    )
