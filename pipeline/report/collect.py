"""What a reader wants to look at, taken from the outputs: windows, histograms, confusions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.data.preprocessing import Preprocessing
from pipeline.parity import measurements as measure
from pipeline.parity.outputs import Outputs
from pipeline.parity.sampling import stratified_sample
from pipeline.parity.tasks import Task, task_named
from pipeline.report.answers import VIEWS, ClassView
from pipeline.report.numbers import step_size

Array = npt.NDArray[Any]
Json = dict[str, Any]

LISTED, DRAWN_DIFFERENT, DRAWN_TYPICAL, MAP_ROWS, BINS = 10, 4, 4, 48, 41


@dataclass(frozen=True)
class Windows:
    """The test windows and what both models said about them.

    Attributes:
        features: [n, T, F], standardized.
        labels: what is true of each window, as the task has it ([n], classes); None where nobody knows.
        float_model: outputs of the reference; int8: of what is held against it.
        class_names: of the classes, labels or targets.
        task: what the models answer.
        units: of the targets; rule: has their constants.
    """

    features: Array
    labels: Array | None
    float_model: Outputs
    int8: Outputs
    class_names: Sequence[str]
    task: str = "classification"
    units: Sequence[str] = ()
    rule: Preprocessing | None = None

    @property
    def kind(self) -> Task:
        """What parity knows about the task."""
        return task_named(self.task)

    @property
    def view(self) -> ClassView:
        """How the answers are shown."""
        return VIEWS[self.task](self.class_names, self.units, self.rule)

    @property
    def sides(self) -> dict[str, Outputs]:
        """The two that are compared."""
        return {"float_model": self.float_model, "int8": self.int8}

    @property
    def groups(self) -> Array:
        """What windows are sorted and sampled by: their class, or the reference's decision where unknown."""
        if self.labels is None:
            return self.kind.decided_strata(self.float_model)
        return self.kind.strata(self.labels)


def confusions(windows: Windows) -> dict[str, list[list[int]]]:
    """Counts [true class][decided class] of both models; nothing without labels, or without classes."""
    if windows.labels is None:
        return {}
    counts = {name: windows.view.confusion(one, windows.labels) for name, one in windows.sides.items()}
    return {name: matrix.tolist() for name, matrix in counts.items() if matrix is not None}


def recalls(windows: Windows) -> list[Json]:
    """Recall of each class or label in both models; None where the test windows have none of it."""
    if windows.labels is None:
        return []
    found = {name: windows.view.recalled(one, windows.labels) for name, one in windows.sides.items()}
    return [
        {
            "name": windows.class_names[index],
            "n": int(n),
            **{side: float(hits[index] / n) if n else None for side, (_, hits) in found.items()},
        }
        for index, n in enumerate(found["int8"][0])
    ]


def scores(windows: Windows, models: Mapping[str, Outputs]) -> list[Json]:
    """Figures of merit of each model beside its accuracy, {"name", "values"}; of a classification none."""
    if windows.labels is None:
        return []
    found = {name: windows.view.scores(one, windows.labels) for name, one in models.items()}
    return [{"name": name, "values": values} for name, values in found.items() if values]


def histograms(
    float_model: Outputs,
    int8: Outputs,
    names: tuple[str, str] = ("float", "int8"),
    task: str = "classification",
) -> list[Json]:
    """Where the errors lie: of probabilities or values, of attention weights (in the file's steps), of maps.

    Args:
        names: what the two are called, the reference first.
    """
    difference = f"{names[1]} minus {names[0]}"
    view = VIEWS[task](())
    apart = view.differences(float_model, int8)
    answers = _histogram(f"{view.title}, {difference}", view.unit, apart, symmetric=True)
    if not int8.attends:
        return [answers]
    step = int8.attention_step
    unit = f"steps of {step_size(step)}" if step else "weight"
    weights = (int8.real_weights - float_model.real_weights) / np.float32(step or 1)
    moved = measure.total_variations(
        float_model.attention_weights, int8.attention_weights, int8.real_rows
    )
    return [
        _histogram(f"Attention weights, {difference}", unit, weights, symmetric=True),
        answers,
        _histogram("Attention that moved, per window", "total variation", moved, symmetric=False),
    ]


def _histogram(title: str, unit: str, values: Array, symmetric: bool) -> Json:
    finite = values[np.isfinite(values)]
    end = float(np.abs(finite).max()) if finite.size and np.abs(finite).max() > 0 else 1.0
    counts, edges = np.histogram(finite, bins=BINS if symmetric else BINS // 2, range=(-end * symmetric, end))
    return {"title": title, "unit": unit, "edges": edges.tolist(), "counts": counts.tolist()}


def by_difference(windows: Windows) -> Array:
    """Indices of all windows, most different first: changed decisions, then total variation.

    Without attention the largest change of a probability, or of a value, takes the place of the total
    variation.
    """
    before, after = windows.float_model, windows.int8
    changed, moved = windows.kind.changes(before, after)
    if after.attends:
        moved = measure.total_variations(before.attention_weights, after.attention_weights, after.real_rows)
    return np.asarray(np.lexsort((-np.nan_to_num(moved, nan=np.inf), ~changed)))


def figures(windows: Windows, index: int) -> Json:
    """What both models said about one window, with names instead of numbers; None: not known."""
    one, view = np.array([index]), windows.view
    sides = {"float": windows.float_model.select(one), "int8": windows.int8.select(one)}
    label = None if windows.labels is None else view.truth(windows.labels[index])
    values: Json = {"index": int(index), "label": label}
    for name, outputs in sides.items():
        answer = outputs.logits[0] if outputs.logits.ndim == 2 else outputs.answers
        values[f"{name}_class"], values[f"{name}_probability"] = view.answer(answer)
    before, after = (side.attention_weights for side in sides.values())
    moved, largest = None, None
    if windows.int8.attends:
        moved = float(measure.total_variations(before, after, sides["int8"].real_rows)[0])
        largest = measure.max_error(*(side.distributions for side in sides.values()))
    values |= {"total_variation": moved, "attention_max_error": largest}
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
        {**figures(windows, int(index)), "why": reason, **_padding(windows, int(index))}
        for index, reason in zip(chosen, why, strict=True)
    ]
    groups = windows.groups
    rows = stratified_sample(groups, max(MAP_ROWS, len(np.unique(groups))), seed)
    rows = rows[np.argsort(groups[rows], kind="stable")]
    arrays = {
        "example_signal": windows.features[chosen],
        "example_float": windows.float_model.attention_weights[chosen],
        "example_int8": windows.int8.attention_weights[chosen],
        "map_float": _overview(windows.float_model.select(rows)),
        "map_int8": _overview(windows.int8.select(rows)),
        "map_labels": groups[rows],
    }
    return described, arrays


def _overview(outputs: Outputs) -> Array:
    """One row of weights a window, the mean over its heads and queries that are no padding, [k, T]."""
    weights = outputs.attention_weights
    between = tuple(range(1, weights.ndim - 1))
    if not between:
        return weights
    counted = np.broadcast_to(outputs.real_rows[..., np.newaxis], weights.shape)
    return np.asarray(weights.mean(axis=between, where=counted))


def _padding(windows: Windows, index: int) -> Json:
    """How many steps of a window are padding in front; or at the end, where it is known to stand there."""
    real = windows.int8.real
    at_end = int((~real[index]).sum()) if real is not None and real[index, 0] else 0
    if at_end:
        return {"padded_steps": 0, "padded_at_end": at_end}
    return {"padded_steps": padded_steps(windows.features[index])}


def padded_steps(features: Array) -> int:
    """Steps at the front whose standardized features are all exactly 0: padding, by its rule. [T, F]"""
    real = np.flatnonzero((features != 0).any(axis=1))
    return int(real[0]) if real.size else 0
