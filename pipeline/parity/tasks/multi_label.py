"""Any number of labels a window, each of which it has or has not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from pipeline.parity import measurements as measure
from pipeline.parity.measurements import Accuracy
from pipeline.parity.outputs import Array, Outputs
from pipeline.parity.tasks.base import Task, Values


class MultiLabel(Task):
    """Logits [n, labels], a label is given where its logit is above 0; targets [n, labels] of 0 and 1."""

    name = "multi-label"
    close = ("decision_agreement", "label_agreement", "max_probability_difference")
    judged = ("accuracy_drop", "worst_class_recall_drop", "macro_f1_drop")
    meanings: ClassVar[Mapping[str, str]] = {
        "decision_agreement": "Windows to which both give exactly the same labels.",
        "max_probability_difference": "Largest change of a label's probability in any window.",
        "accuracy_drop": "Share of windows whose labels are all right, reference minus tested file.",
        "worst_class_recall_drop": "The largest loss of recall of any single label.",
    }

    def closeness(self, reference: Outputs, tested: Outputs) -> Values:
        if not _measurable(reference, tested):
            return dict.fromkeys(self.close, np.nan)
        same = _given(reference) == _given(tested)
        moved = measure.sigmoid(reference.logits) - measure.sigmoid(tested.logits)
        return {
            "decision_agreement": float(same.all(axis=1).mean()),
            "label_agreement": float(same.mean()),
            "max_probability_difference": float(np.abs(moved).max()),
        }

    def drops(self, reference: Outputs, tested: Outputs, targets: Array) -> Values:
        if not _measurable(reference, tested):
            return dict.fromkeys(self.judged, np.nan)
        sides = (_given(reference), _given(tested))
        before, after = ((side == targets).all(axis=1).mean() for side in sides)
        present = targets.any(axis=0)
        recalls = [_recalls(targets, side)[present] for side in sides]
        f1_before, f1_after = (_macro_f1(targets, side) for side in sides)
        return {
            "accuracy_drop": float(before - after),
            "worst_class_recall_drop": float(np.max(recalls[0] - recalls[1])) if present.any() else np.nan,
            "macro_f1_drop": f1_before - f1_after,
        }

    def changes(self, reference: Outputs, tested: Outputs) -> tuple[Array, Array]:
        moved = np.abs(measure.sigmoid(tested.logits) - measure.sigmoid(reference.logits))
        return (_given(reference) != _given(tested)).any(axis=1), moved.max(axis=1)

    def accuracy(self, name: str, outputs: Outputs, targets: Array) -> Accuracy | None:
        """Windows whose labels are all right."""
        right = (_given(outputs) == targets).all(axis=1) & np.isfinite(outputs.logits).all(axis=1)
        return measure.share_of(name, right)

    def scores(self, outputs: Outputs, targets: Array) -> dict[str, float]:
        given = _given(outputs)
        return {
            "labels that are right": float((given == targets).mean()),
            "macro F1": _macro_f1(targets, given),
        }


def _given(outputs: Outputs) -> Array:
    """Which labels are given, [n, labels] bool."""
    return np.asarray(outputs.logits > 0)


def _recalls(targets: Array, given: Array) -> Array:
    """Of each label TP / (TP + FN); 0 of one that nobody has. A single label is one column like others."""
    right = ((targets == 1) & given).sum(axis=0)
    return np.asarray(right / np.maximum(targets.sum(axis=0), 1))


def _macro_f1(targets: Array, given: Array) -> float:
    """Mean over labels of 2 TP / (2 TP + FP + FN); 0 of a label that nobody has and nobody was given."""
    right = ((targets == 1) & given).sum(axis=0)
    either = targets.sum(axis=0) + given.sum(axis=0)
    return float(np.mean(2 * right / np.maximum(either, 1)))


def _measurable(reference: Outputs, tested: Outputs) -> bool:
    return not np.isnan(measure.max_error(reference.logits, tested.logits))
