"""Results of schemes, made by hand."""

from typing import Any

from pipeline.parity.definitions import DEFINITIONS
from pipeline.parity.verdict import Check
from pipeline.report.schemes import SchemeResult


def check(name: str, value: float | None, limit: float | None) -> Check:
    one = DEFINITIONS[name]
    return Check(name, "float_model", one.relation, value, limit, one.unit, 370)


def result(
    name: str,
    kilobytes: float,
    *failing: Check,
    agreement: float = 1.0,
    latency_ms: float = 1.0,
    **other: Any,
) -> SchemeResult:
    """A scheme that holds two limits, and misses those given."""
    checks = (check("decision_agreement", agreement, 0.985), check("accuracy_drop", 0.0, 0.01), *failing)
    values: dict[str, Any] = {
        "name": name,
        "file": f"model_{name}.tflite",
        "asked": name != "float32",
        "size_bytes": round(1000 * kilobytes),
        "memory_bytes": 5000,
        "latency_ms": latency_ms,
        "accuracy": 0.97,
        "lstms": {"lstm": "float32"},
        "lstm_note": "",
        "checks": checks,
    }
    return SchemeResult(**{**values, **other})
