"""What a reader wants to look at, taken from the outputs: windows, histograms, confusions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.parity import measurements as measure
from pipeline.parity.outputs import Outputs
from pipeline.parity.sampling import stratified_sample
from pipeline.report.numbers import step_size

Array = npt.NDArray[Any]
Json = dict[str, Any]

LISTED, DRAWN_DIFFERENT, DRAWN_TYPICAL, MAP_ROWS, BINS = 10, 4, 4, 48, 41


@dataclass(frozen=True)
class Windows:
    """The test windows and what both models said about them.

    Attributes:
        features: [n, T, F], standardized.
        labels: [n]; None where nobody knows them.
        float_model: outputs of the reference; int8: of what is held against it.
    """

    features: Array
    labels: Array | None
    float_model: Outputs
    int8: Outputs
    class_names: Sequence[str]

    @property
    def groups(self) -> Array:
        """What windows are sorted and sampled by: their class, or the reference's decision where unknown."""
        return np.asarray(self.float_model.logits.argmax(axis=1)) if self.labels is None else self.labels


def confusions(windows: Windows) -> dict[str, list[list[int]]]:
    """Counts [true class][decided class] of both models; nothing without labels."""
    if windows.labels is None:
        return {}
    sides = {"float_model": windows.float_model, "int8": windows.int8}
    return {
        name: measure.confusion(outputs.logits, windows.labels, len(windows.class_names)).tolist()
        for name, outputs in sides.items()
    }


def recalls(windows: Windows) -> list[Json]:
    """Recall of each class in both models; None where the test windows have none of it."""
    counts = {name: np.array(matrix) for name, matrix in confusions(windows).items()}
    if not counts:
        return []
    rows = []
    for index, class_name in enumerate(windows.class_names):
        n = int(counts["int8"][index].sum())
        shares = {side: float(matrix[index, index] / n) if n else None for side, matrix in counts.items()}
        rows.append({"name": class_name, "n": n, **shares})
    return rows


def histograms(float_model: Outputs, int8: Outputs, names: tuple[str, str] = ("float", "int8")) -> list[Json]:
    """Where the errors lie: of probabilities, of attention weights (in the file's steps), of whole maps.

    Args:
        names: what the two are called, the reference first.
    """
    difference = f"{names[1]} minus {names[0]}"
    probability = measure.probabilities(int8.logits) - measure.probabilities(float_model.logits)
    title = f"Class probabilities, {difference}"
    probabilities = _histogram(title, "probability", probability, symmetric=True)
    if not int8.attends:
        return [probabilities]
    step = int8.attention_step
    unit = f"steps of {step_size(step)}" if step else "weight"
    weights = (int8.attention_weights - float_model.attention_weights) / np.float32(step or 1)
    moved = measure.total_variations(float_model.attention_weights, int8.attention_weights)
    return [
        _histogram(f"Attention weights, {difference}", unit, weights, symmetric=True),
        probabilities,
        _histogram("Attention that moved, per window", "total variation", moved, symmetric=False),
    ]


def _histogram(title: str, unit: str, values: Array, symmetric: bool) -> Json:
    finite = values[np.isfinite(values)]
    end = float(np.abs(finite).max()) if finite.size and np.abs(finite).max() > 0 else 1.0
    counts, edges = np.histogram(finite, bins=BINS if symmetric else BINS // 2, range=(-end * symmetric, end))
    return {"title": title, "unit": unit, "edges": edges.tolist(), "counts": counts.tolist()}


def by_difference(windows: Windows) -> Array:
    """Indices of all windows, most different first: changed decisions, then total variation.

    Without attention the largest change of a probability takes the place of the total variation.
    """
    before, after = windows.float_model, windows.int8
    changed = before.logits.argmax(axis=1) != after.logits.argmax(axis=1)
    if after.attends:
        moved = measure.total_variations(before.attention_weights, after.attention_weights)
    else:
        moved = np.abs(measure.probabilities(after.logits) - measure.probabilities(before.logits)).max(axis=1)
    return np.asarray(np.lexsort((-np.nan_to_num(moved, nan=np.inf), ~changed)))


def figures(windows: Windows, index: int) -> Json:
    """What both models said about one window, with class names instead of numbers; None: not known."""
    one = np.array([index])
    sides = {"float": windows.float_model.select(one), "int8": windows.int8.select(one)}
    label = None if windows.labels is None else windows.class_names[int(windows.labels[index])]
    values: Json = {"index": int(index), "label": label}
    for name, outputs in sides.items():
        decided = int(outputs.logits[0].argmax())
        values[f"{name}_class"] = windows.class_names[decided]
        values[f"{name}_probability"] = float(measure.probabilities(outputs.logits)[0, decided])
    weights = [side.attention_weights for side in sides.values()]
    attends = windows.int8.attends
    values["total_variation"] = float(measure.total_variations(*weights)[0]) if attends else None
    values["attention_max_error"] = measure.max_error(*weights) if attends else None
    return values


def examples(windows: Windows, seed: int = 0) -> tuple[list[Json], dict[str, Array]]:
    """Windows to draw: those that differ most, then a seeded choice with as many classes as fit.

    Returns:
        The figures of each, and the arrays of `ReportData.arrays`.
    """
    ranked = by_difference(windows)
    different, rest = ranked[:DRAWN_DIFFERENT], ranked[DRAWN_DIFFERENT:]
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(np.sort(rest))
    _, first = np.unique(
        windows.groups[shuffled], return_index=True
    )  # one of each class before a second of any
    firsts = shuffled[np.sort(first)]
    typical = np.concatenate([firsts, np.setdiff1d(shuffled, firsts)])[:DRAWN_TYPICAL]
    chosen = np.concatenate([different, typical]).astype(int)
    why = ["most different"] * len(different) + ["drawn by chance"] * len(typical)
    described = [
        {**figures(windows, int(index)), "why": reason, "padded_steps": padded_steps(windows.features[index])}
        for index, reason in zip(chosen, why, strict=True)
    ]
    groups = windows.groups
    rows = stratified_sample(groups, max(MAP_ROWS, len(np.unique(groups))), seed)
    rows = rows[np.argsort(groups[rows], kind="stable")]
    arrays = {
        "example_signal": windows.features[chosen],
        "example_float": windows.float_model.attention_weights[chosen],
        "example_int8": windows.int8.attention_weights[chosen],
        "map_float": _overview(windows.float_model.attention_weights[rows]),
        "map_int8": _overview(windows.int8.attention_weights[rows]),
        "map_labels": groups[rows],
    }
    return described, arrays


def _overview(weights: Array) -> Array:
    """One row of weights a window, the mean over its heads and queries. [k, ..., T] -> [k, T]"""
    return np.asarray(weights.mean(axis=tuple(range(1, weights.ndim - 1))))


def padded_steps(features: Array) -> int:
    """Steps at the front whose standardized features are all exactly 0: padding, by its rule. [T, F]"""
    real = np.flatnonzero((features != 0).any(axis=1))
    return int(real[0]) if real.size else 0
