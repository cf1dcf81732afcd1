"""One class a window."""

from __future__ import annotations

import numpy as np

from pipeline.parity import measurements as measure
from pipeline.parity.measurements import Accuracy
from pipeline.parity.outputs import Array, Outputs
from pipeline.parity.tasks.base import Task, Values


class Classification(Task):
    """Logits [n, classes]; targets [n], indices of classes."""

    name = "classification"
    close = ("decision_agreement", "max_probability_difference")
    judged = ("accuracy_drop", "worst_class_recall_drop")

    def closeness(self, reference: Outputs, tested: Outputs) -> Values:
        logits = (reference.answers, tested.answers)
        return {
            "decision_agreement": measure.decision_agreement(*logits),
            "max_probability_difference": measure.max_probability_difference(*logits),
        }

    def drops(self, reference: Outputs, tested: Outputs, targets: Array) -> Values:
        logits, labels = (reference.answers, tested.answers), self.labels(tested, targets)
        return {
            "accuracy_drop": measure.accuracy_drop(*logits, labels),
            "worst_class_recall_drop": measure.worst_class_recall_drop(*logits, labels),
        }

    def changes(self, reference: Outputs, tested: Outputs) -> tuple[Array, Array]:
        changed = reference.logits.argmax(axis=1) != tested.logits.argmax(axis=1)
        moved = np.abs(measure.probabilities(tested.logits) - measure.probabilities(reference.logits))
        return changed, moved.max(axis=1)

    def accuracy(self, name: str, outputs: Outputs, targets: Array) -> Accuracy | None:
        return measure.accuracy(name, outputs.logits, targets)

    def strata(self, targets: Array) -> Array:
        return targets

    def decided_strata(self, outputs: Outputs) -> Array:
        return np.asarray(outputs.logits.argmax(axis=1))

    def labels(self, outputs: Outputs, targets: Array) -> Array:
        """The true class of each row of `Outputs.answers`, [rows]."""
        return targets
