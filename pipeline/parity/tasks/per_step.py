"""A class for every step of a window."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from pipeline.parity import measurements as measure
from pipeline.parity.measurements import Accuracy
from pipeline.parity.outputs import Array, Outputs
from pipeline.parity.tasks.classification import Classification


class PerStep(Classification):
    """Logits [n, T, classes]; targets [n, T]. Every step that is no padding is a decision."""

    name = "per-step"
    meanings: ClassVar[Mapping[str, str]] = {
        "decision_agreement": "Steps for which both decide for the same class.",
        "max_probability_difference": "Largest change of a class probability at any step.",
        "accuracy_drop": "Share of test steps the reference decides rightly minus the tested file's.",
        "worst_class_recall_drop": "The largest loss of recall of any single class, over steps.",
    }

    def changes(self, reference: Outputs, tested: Outputs) -> tuple[Array, Array]:
        changed = reference.logits.argmax(axis=-1) != tested.logits.argmax(axis=-1)  # [n, T]
        moved = np.abs(measure.probabilities(tested.logits) - measure.probabilities(reference.logits))
        if tested.real is not None:
            changed, moved = changed & tested.real, moved * tested.real[..., np.newaxis]
        return changed.any(axis=1), changed.mean(axis=1) + moved.max(axis=(1, 2))

    def accuracy(self, name: str, outputs: Outputs, targets: Array) -> Accuracy | None:
        """Share of right steps. The steps of a window are not independent: the interval is that of as many
        trials as there are windows, as if each had one step."""
        steps = measure.accuracy(name, outputs.answers, self.labels(outputs, targets))
        if not steps.n:
            return steps
        low, high = measure.wilson(round(steps.value * len(outputs)), len(outputs))
        return dataclasses.replace(steps, low=low, high=high)

    def strata(self, targets: Array) -> Array:
        return np.zeros(len(targets), np.int64)

    def decided_strata(self, outputs: Outputs) -> Array:
        return np.zeros(len(outputs), np.int64)

    def labels(self, outputs: Outputs, targets: Array) -> Array:
        return targets.reshape(-1) if outputs.real is None else np.asarray(targets[outputs.real])
