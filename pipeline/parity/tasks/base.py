"""What parity has to know about a task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from pipeline.parity.definitions import DEFINITIONS
from pipeline.parity.measurements import Accuracy
from pipeline.parity.outputs import Array, Outputs

Values = dict[str, float | None]


class Task(ABC):
    """The measurements of one kind of answer.

    Attributes:
        name: as in the configuration and in a file's metadata.
        close: checks of how far two answers are apart, in the order of the definitions.
        judged: checks of how well each answers, against what is true.
        meanings: what a check means here, where that is not what its definition says.
    """

    name: ClassVar[str]
    close: ClassVar[tuple[str, ...]]
    judged: ClassVar[tuple[str, ...]]
    meanings: ClassVar[Mapping[str, str]] = {}

    @property
    def promise(self) -> tuple[str, ...]:
        """Names of the promise's checks, in the order of the definitions."""
        own = (*self.close, *self.judged)
        return tuple(
            one.name
            for one in DEFINITIONS.values()
            if one.promised and (one.name in own or one.name.startswith(("attention_", "context_")))
        )

    @abstractmethod
    def closeness(self, reference: Outputs, tested: Outputs) -> Values:
        """The checks `close`."""

    @abstractmethod
    def drops(self, reference: Outputs, tested: Outputs, targets: Array) -> Values:
        """The checks `judged`; `targets` as `pipeline.data.targets` has them, one row a window."""

    @abstractmethod
    def changes(self, reference: Outputs, tested: Outputs) -> tuple[Array, Array]:
        """Of each window [n], whether the two decide differently, and how far their answers are apart."""

    def accuracy(self, name: str, outputs: Outputs, targets: Array) -> Accuracy | None:
        """How often a model is right; None where that is no question of right and wrong."""
        return None

    def scores(self, outputs: Outputs, targets: Array) -> dict[str, float]:
        """Further figures of merit of one model, by what they are called in a report."""
        return {}

    def strata(self, targets: Array) -> Array:
        """What a sample keeps in proportion, [n] whole numbers: classes, else all windows alike."""
        return np.zeros(len(targets), np.int64)

    def decided_strata(self, outputs: Outputs) -> Array:
        """The same where nobody knows what is true: what a model decided."""
        return np.zeros(len(outputs), np.int64)
