"""What a finding is, what a rule gets to see, and the list of all rules."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from converters import schema
from converters.findings.measurement import LstmMeasurement, Measurement
from converters.lstm_op import LstmNode, lstm_nodes

Severity: TypeAlias = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""error: wrong answers, or none. warning: worse or slower than need be. info: to be known."""


@dataclass(frozen=True)
class Finding:
    """One thing that a file should not have, or that whoever uses it has to know.

    Attributes:
        rule: its id, documented in docs/findings.md.
        severity: "error", "warning" or "info".
        layer: name of the tensor that the operator in question writes, or of the Keras layer where the
            file still tells it; "" where the whole file is meant.
        message: what is there and what it does, with numbers.
        remedy: what to do about it; "" where there is nothing to do.
    """

    rule: str
    severity: Severity
    layer: str
    message: str
    remedy: str


def error(layer: str, message: str, remedy: str) -> Finding:
    """A finding of a rule, which fills in its own id."""
    return Finding("", "error", layer, message, remedy)


def warning(layer: str, message: str, remedy: str) -> Finding:
    """A finding of a rule, which fills in its own id."""
    return Finding("", "warning", layer, message, remedy)


def info(layer: str, message: str, remedy: str = "") -> Finding:
    """A finding of a rule, which fills in its own id."""
    return Finding("", "info", layer, message, remedy)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a rule gets to see: the unpacked model, and what running it has shown."""

    model: schema.ModelT
    measured: Measurement

    @functools.cached_property
    def lstms(self) -> list[tuple[LstmNode, LstmMeasurement]]:
        """The fused LSTMs, each with what was measured of it."""
        nodes = lstm_nodes(self.model)
        shown = self.measured.lstms or (LstmMeasurement(),) * len(nodes)
        return list(zip(nodes, shown, strict=True))

    @property
    def basis(self) -> str:
        """On what it was measured: the start of a sentence."""
        return f"On {self.measured.inputs}"


Rule: TypeAlias = Callable[[Evidence], Iterator[Finding]]

RULES: dict[str, Rule] = {}
"""Every rule by its id, in the order in which they were defined."""


def rule(name: str) -> Callable[[Rule], Rule]:
    """Register a function as the rule of this id."""

    def register(function: Rule) -> Rule:
        def named(evidence: Evidence) -> Iterator[Finding]:
            return (replace(finding, rule=name) for finding in function(evidence))

        RULES[name] = named
        return function

    return register
