"""One or several values a window."""

from __future__ import annotations

import numpy as np

from pipeline.parity import measurements as measure
from pipeline.parity.outputs import Array, Outputs
from pipeline.parity.tasks.base import Task, Values


class Regression(Task):
    """Values [n, targets] and targets alike in standard deviations of the training targets, mean 0."""

    name = "regression"
    close = ("value_max_error", "value_rms_error")
    judged = ("r2_drop",)

    def closeness(self, reference: Outputs, tested: Outputs) -> Values:
        values = (reference.logits, tested.logits)
        return {
            "value_max_error": measure.max_error(*values),
            "value_rms_error": measure.rms_error(*values),
        }

    def drops(self, reference: Outputs, tested: Outputs, targets: Array) -> Values:
        return {"r2_drop": _r2(reference, targets) - _r2(tested, targets)}

    def changes(self, reference: Outputs, tested: Outputs) -> tuple[Array, Array]:
        moved = np.abs(tested.logits.astype(np.float64) - reference.logits).max(axis=1)
        return np.zeros(len(tested), bool), moved

    def scores(self, outputs: Outputs, targets: Array) -> dict[str, float]:
        return {"R2": _r2(outputs, targets), "RMSE": measure.rms_error(targets, outputs.logits)}


def _r2(outputs: Outputs, targets: Array) -> float:
    """Coefficient of determination, 1 - sum (y - f)^2 / sum (y - mean y)^2, mean over targets."""
    from sklearn.metrics import r2_score

    if len(outputs) < 2 or np.isnan(measure.max_error(targets, outputs.logits)):
        return float("nan")
    return float(r2_score(targets, outputs.logits))
