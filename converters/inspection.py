"""Everything there is to say about a .tflite: what is in it, what it needs, what is wrong with it."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from converters import schema
from converters.findings import Finding, findings, measure
from converters.findings.memory import Memory, used
from converters.summary import ModelSummary, summarize


@dataclass(frozen=True)
class Inspection:
    """A model file, looked at.

    Attributes:
        summary: what is in it.
        memory: what it works in.
        measured_on: the inputs it was run on, "16 seeded inputs"; "" if it could not be run.
        findings: errors first.
    """

    summary: ModelSummary
    memory: Memory
    measured_on: str
    findings: tuple[Finding, ...]

    def count(self, severity: str) -> int:
        """How many findings have this severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def passed(self, strict: bool = False) -> bool:
        """No error, and if strict no warning."""
        return not self.count("error") and not (strict and self.count("warning"))

    def to_dict(self) -> dict[str, Any]:
        """In JSON's types: `findings`, `memory`, `measured_on`, and the fields of the summary.

        A number that is not finite (the scale of a damaged file) becomes None.
        """
        document: dict[str, Any] = _finite(
            {
                "findings": [asdict(finding) for finding in self.findings],
                "memory": asdict(self.memory),
                "measured_on": self.measured_on,
                **self.summary.to_dict(),
            }
        )
        return document


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def inspect_model(
    source: bytes | str | os.PathLike[str],
    windows: np.ndarray | None = None,
    name: str = "",
    lengths: np.ndarray | None = None,
) -> Inspection:
    """Read a model file, run it in a child process and apply every rule.

    Args:
        source: path or content of a .tflite.
        windows, name, lengths: what to run it on, as in `findings.measure`.

    Raises:
        InputError: the model or its metadata cannot be read, or the windows do not fit its input.
    """
    content = schema.read_bytes(source)
    model = schema.read_model(source)
    measured = measure(content, windows, name, lengths=lengths)
    return Inspection(
        summarize(content),
        used(model, measured.memory_bytes),
        measured.inputs,
        tuple(findings(model, measured)),
    )
