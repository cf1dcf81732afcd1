"""A check holds a value against a limit; the verdict is a row of checks. Silence never passes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.parity.definitions import Relation

# A drop of one window in a hundred is 0.98 - 0.97 = 0.010000000000000009 in binary. One window in a million
# moves a share by 1e-6, so that 1e-9 forgives the representation and nothing else.
REPRESENTATION = 1e-9


@dataclass(frozen=True)
class Check:
    """One measurement and what it is held against.

    Attributes:
        name: see pipeline/parity/definitions.py.
        reference: what was compared with: float_model, float_forward, training_forward, keras.
        relation: "<=" or ">=": value relation limit is what passing means.
        value: None (or NaN) where it could not be measured.
        limit: None where the check is reported only.
        unit: what `value` and `limit` count.
        n: windows compared.
    """

    name: str
    reference: str
    relation: Relation
    value: float | None
    limit: float | None
    unit: str
    n: int

    @property
    def passed(self) -> bool | None:
        """None without a limit; False without a finite value."""
        if self.limit is None:
            return None
        if self.value is None or not math.isfinite(self.value) or not math.isfinite(self.limit):
            return False
        if math.isclose(self.value, self.limit, rel_tol=REPRESENTATION, abs_tol=REPRESENTATION):
            return True
        return self.value < self.limit if self.relation == "<=" else self.value > self.limit

    def to_dict(self) -> dict[str, Any]:
        """The check as report.json carries it."""
        return {**vars(self), "passed": self.passed}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Check:
        """Reads `to_dict`; `passed` is computed again, never believed."""
        return cls(**{name: value for name, value in values.items() if name != "passed"})


def verdict(checks: Iterable[Check]) -> Literal["pass", "fail"]:
    """`pass` where at least one check has a limit and none with a limit failed."""
    judged = [check.passed for check in checks if check.limit is not None]
    return "pass" if judged and all(judged) else "fail"
