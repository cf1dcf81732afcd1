"""What each scheme of a build came to, side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.parity.verdict import Check, verdict

Json = dict[str, Any]

FLOAT32 = "float32"
FIGURES = (
    "decision_agreement",
    "value_rms_error",
    "attention_max_error",
    "attention_total_variation",
    "attention_row_sum_error",
)
"""The checks of the promise that stand in the table of all schemes: of the first two the task has one."""


@dataclass(frozen=True)
class SchemeResult:
    """One scheme's file and what was measured of it, on the same windows as all others.

    Attributes:
        name: "float32", "float16", "dynamic", "int8", "int8-attention-int16", "int8-attention-float32".
        file: its file's name.
        asked: whether the build was asked for it; only then it counts for the verdict.
        size_bytes: of the file.
        memory_bytes: activations, scratch and state of LiteRT without delegates, where it was built.
        latency_ms: median of one window there.
        accuracy: on the test windows; None where the task has none.
        scores: further figures of merit on them, by what they are called.
        lstms: kind of each fused LSTM, "float32", "hybrid" (int8 weights) or "int8 8x8_16", by name.
        lstm_note: why an LSTM is not of the kind its scheme promises; "" where each is.
        checks: against the original float model, and what explains them.
    """

    name: str
    file: str
    asked: bool
    size_bytes: int
    memory_bytes: int
    latency_ms: float
    accuracy: float | None
    lstms: dict[str, str]
    lstm_note: str
    checks: tuple[Check, ...]
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def verdict(self) -> Literal["pass", "fail"]:
        """Of its own checks."""
        return verdict(self.checks)

    @property
    def judged(self) -> list[Check]:
        """The checks that have a limit."""
        return [check for check in self.checks if check.limit is not None]

    @property
    def failed(self) -> list[Check]:
        """The checks that missed it."""
        return [check for check in self.judged if not check.passed]

    @property
    def kinds(self) -> str:
        """The kinds of its LSTMs, each once."""
        return ", ".join(dict.fromkeys(self.lstms.values()))

    @property
    def merit(self) -> tuple[str, float | None]:
        """How well it answers: "accuracy", or the first of its scores where the task has none."""
        if self.accuracy is None and self.scores:
            return next(iter(self.scores.items()))
        return "accuracy", self.accuracy

    @property
    def closeness(self) -> tuple[str, float | None]:
        """How close its answers are: "same decision" or, of values, "RMS error" in standard deviations."""
        error = self.figure("value_rms_error")
        return ("same decision", self.figure("decision_agreement")) if error is None else ("RMS error", error)

    def figure(self, name: str) -> float | None:
        """The value of a check of the promise; None where it was not measured."""
        return next(
            (one.value for one in self.checks if (one.reference, one.name) == ("float_model", name)), None
        )

    def to_dict(self) -> Json:
        """As report.json carries it: the table's figures beside the checks they come from."""
        return {
            **vars(self),
            "verdict": self.verdict,
            **{name: self.figure(name) for name in FIGURES},
            "checks": [check.to_dict() for check in self.checks],
        }

    @classmethod
    def from_dict(cls, values: Json) -> SchemeResult:
        """Reads `to_dict`; what follows from the checks is computed again, never believed."""
        kept = {name: value for name, value in values.items() if name not in ("verdict", *FIGURES)}
        return cls(**{**kept, "checks": tuple(Check.from_dict(check) for check in values["checks"])})
