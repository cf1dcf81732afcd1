"""Answers and truths as a report shows them, task by task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.config import NO_LABEL
from pipeline.data.preprocessing import Preprocessing
from pipeline.parity import measurements as measure
from pipeline.parity.outputs import Outputs
from pipeline.parity.tasks import task_named
from pipeline.parity.tasks.per_step import PerStep

Array = npt.NDArray[Any]

RUNS_SHOWN = 4


class ClassView:
    """One class a window."""

    by_class = True
    title, unit = "Class probabilities", "probability"

    def __init__(self, names: Sequence[str], units: Sequence[str] = (), rule: Preprocessing | None = None):
        self.names, self.units, self.rule = names, units, rule

    def truth(self, target: Any) -> str:
        """What is true of one window."""
        return str(self.names[int(target)])

    def answer(self, logits: Array) -> tuple[str, float | None]:
        """What a model says about one window, and how probable it thinks it (None: that is no question).

        Args:
            logits: [C], or of an answer for every step [real steps, C].
        """
        decided = int(logits.argmax())
        return str(self.names[decided]), float(measure.probabilities(logits)[decided])

    def differences(self, reference: Outputs, tested: Outputs) -> Array:
        """How far single numbers of the answers are apart, in `unit`."""
        return measure.probabilities(tested.answers) - measure.probabilities(reference.answers)

    def confusion(self, outputs: Outputs, targets: Array) -> Array | None:
        """Counts [true class, decided class]; None where classes do not exclude each other."""
        return measure.confusion(outputs.logits, targets, len(self.names))

    def recalled(self, outputs: Outputs, targets: Array) -> tuple[Array, Array]:
        """Of each class how often it is true, and how often it was then decided for."""
        counts = self.confusion(outputs, targets)
        assert counts is not None
        return counts.sum(axis=1), np.diagonal(counts)

    def scores(self, outputs: Outputs, targets: Array) -> dict[str, float]:
        """Figures of merit beside the accuracy, by name."""
        return {}


class StepView(ClassView):
    """A class a step: shown as runs, "idle → walk → idle"."""

    by_class = False

    def truth(self, target: Any) -> str:
        target = target[target != NO_LABEL]
        starts = np.flatnonzero(np.diff(target, prepend=-1))
        runs = [str(self.names[int(target[start])]) for start in starts]
        return " → ".join([*runs[:RUNS_SHOWN], *(["…"] if len(runs) > RUNS_SHOWN else [])])

    def answer(self, logits: Array) -> tuple[str, float | None]:
        return self.truth(logits.argmax(axis=-1)), None

    def confusion(self, outputs: Outputs, targets: Array) -> Array | None:
        labels = PerStep().labels(outputs, targets)
        return measure.confusion(outputs.answers, labels, len(self.names))


class LabelView(ClassView):
    """Any number of labels a window."""

    by_class = False
    title = "Label probabilities"

    def truth(self, target: Any) -> str:
        return ", ".join(str(name) for name, given in zip(self.names, target, strict=True) if given) or "none"

    def answer(self, logits: Array) -> tuple[str, float | None]:
        return self.truth(logits > 0), None

    def differences(self, reference: Outputs, tested: Outputs) -> Array:
        return measure.sigmoid(tested.logits) - measure.sigmoid(reference.logits)

    def confusion(self, outputs: Outputs, targets: Array) -> Array | None:
        return None

    def recalled(self, outputs: Outputs, targets: Array) -> tuple[Array, Array]:
        return targets.sum(axis=0), ((outputs.logits > 0) & (targets == 1)).sum(axis=0)

    def scores(self, outputs: Outputs, targets: Array) -> dict[str, float]:
        return task_named("multi-label").scores(outputs, targets)


class ValueView(ClassView):
    """One or several values a window, in the user's units where the constants are known."""

    by_class = False
    title, unit = "Values", "standard deviations"

    def truth(self, target: Any) -> str:
        values = self._restored(np.asarray(target))
        units = self.units or [""] * len(values)
        return ", ".join(f"{value:.4g} {unit}".strip() for value, unit in zip(values, units, strict=True))

    def answer(self, logits: Array) -> tuple[str, float | None]:
        return self.truth(logits), None

    def differences(self, reference: Outputs, tested: Outputs) -> Array:
        return np.asarray(tested.logits - reference.logits)

    def confusion(self, outputs: Outputs, targets: Array) -> Array | None:
        return None

    def recalled(self, outputs: Outputs, targets: Array) -> tuple[Array, Array]:
        return np.zeros(0, int), np.zeros(0, int)

    def scores(self, outputs: Outputs, targets: Array) -> dict[str, float]:
        whole = task_named("regression").scores(outputs, targets)
        values, true = self._restored(outputs.logits), self._restored(targets)
        units = self.units or [""] * len(self.names)
        for index, (name, unit) in enumerate(zip(self.names, units, strict=True)):
            shown = f"RMSE of {name} [{unit}]" if unit else f"RMSE of {name}"
            whole[shown] = measure.rms_error(true[:, index], values[:, index])
        return whole

    def _restored(self, values: Array) -> Array:
        return self.rule.restore_targets(values) if self.rule and self.rule.target_std else values


VIEWS: dict[str, type[ClassView]] = {
    "classification": ClassView,
    "per-step": StepView,
    "multi-label": LabelView,
    "regression": ValueView,
}
