"""The numbers behind the checks: pure functions of arrays, in float64.

A measurement of nothing, or of values that are not finite, is NaN: argmax and max would hide them, and a
check with NaN fails. In every function `reference` comes first and `tested` second.

Attention comes as rows: [rows, T], one distribution over the T time steps a row, whichever window, head and
query it belongs to (`Outputs.distributions`). Arrays are widened block by block: the maps of a long test set
fill a good part of the memory already.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from models.errors import VerificationError
from pipeline.parity.outputs import Array

# A dequantized float32 weight is off by up to 6e-8, which is 1.5e-5 of a step of 1/256: several times that is
# forgiven, and nowhere near a second step. (Multiples of 1/256 and 1/32768 themselves are exact in float32.)
STEP_SLACK = 1e-4

BLOCK = 1 << 22  # elements in float64 at once: 32 MiB an array


def _measurement(function: Callable[..., float]) -> Callable[..., float]:
    """Compares shapes, and answers NaN where there is nothing finite to measure."""

    @functools.wraps(function)
    def guarded(reference: Array, tested: Array, *rest: Array | float) -> float:
        if reference.shape != tested.shape:
            raise VerificationError(
                f"{function.__name__}: the reference has the shape {reference.shape}, "
                f"what is compared with it {tested.shape}."
            )
        if not reference.size or not np.isfinite(reference).all() or not np.isfinite(tested).all():
            return math.nan
        return float(function(reference, tested, *rest))

    return guarded


def _blocks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """Some rows of every array at a time, in float64."""
    rows = max(1, BLOCK // max(1, arrays[0][:1].size))
    for start in range(0, len(arrays[0]), rows):
        yield tuple(array[start : start + rows].astype(np.float64) for array in arrays)


def probabilities(logits: Array) -> Array:
    """Softmax over the last axis: exp(z - max z) / sum."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def sigmoid(logits: Array) -> Array:
    """1 / (1 + exp(-z)), as (1 + tanh(z / 2)) / 2, which never overflows."""
    return np.asarray((1.0 + np.tanh(logits.astype(np.float64) / 2.0)) / 2.0)


def total_variations(reference: Array, tested: Array, rows: Array | None = None) -> Array:
    """TV = 1/2 sum_t |p_t - q_t|: the share of the attention that lies elsewhere. [n, ..., T] -> [n]

    Where a window has several rows (heads, queries) it is their mean, of those that `rows` [n, ...] has True.
    """
    counted = np.ones(tested.shape[:-1], bool) if rows is None else rows
    moved = [
        ((0.5 * np.abs(p - q).sum(axis=-1)) * taken).reshape(len(p), -1).sum(axis=1)
        for p, q, taken in _blocks(reference, tested, counted)
    ]
    return np.asarray(np.concatenate(moved) / counted.reshape(len(counted), -1).sum(axis=1))


@_measurement
def decision_agreement(reference: Array, tested: Array) -> float:
    """Share of windows whose largest logit is the same. Logits [n, C]."""
    return float(np.mean(reference.argmax(axis=1) == tested.argmax(axis=1)))


@_measurement
def max_probability_difference(reference: Array, tested: Array) -> float:
    """max |softmax(a) - softmax(b)| over all windows and classes. Logits [n, C]."""
    return float(np.abs(probabilities(reference) - probabilities(tested)).max())


@_measurement
def max_error(reference: Array, tested: Array) -> float:
    """max |a - b| over everything."""
    return max(float(np.abs(a - b).max()) for a, b in _blocks(reference, tested))


@_measurement
def rms_error(reference: Array, tested: Array) -> float:
    """sqrt(mean (a - b)^2) over everything."""
    squares = sum(float(np.square(a - b).sum()) for a, b in _blocks(reference, tested))
    return math.sqrt(squares / reference.size)


@_measurement
def max_relative_error(reference: Array, tested: Array) -> float:
    """max |a - b| / max |a|, both over everything; NaN where the reference is all zeros."""
    size = float(np.abs(reference).max())
    return max_error(reference, tested) / size if size > 0 else math.nan


@_measurement
def relative_rms_error(reference: Array, tested: Array) -> float:
    """sqrt(sum (a - b)^2 / sum a^2); NaN where the reference is all zeros."""
    parts = [(np.square(a).sum(), np.square(a - b).sum()) for a, b in _blocks(reference, tested)]
    size, error = (float(np.sum(part)) for part in zip(*parts, strict=True))
    return math.sqrt(error / size) if size > 0 else math.nan


@_measurement
def mean_total_variation(reference: Array, tested: Array) -> float:
    """Mean over rows of `total_variations`. Attention weights [rows, T]."""
    return float(total_variations(reference, tested).mean())


def row_sum_error(tested: Array) -> float:
    """max over rows of |sum_t q_t - 1|. Attention weights [rows, T]."""
    if not tested.size or not np.isfinite(tested).all():
        return math.nan
    return max(float(np.abs(q.sum(axis=-1) - 1.0).max()) for (q,) in _blocks(tested))


@dataclass(frozen=True)
class Top1:
    """Do both look at the same step first? `agreement` counts `ties` (a number of rows) as agreeing."""

    agreement: float
    ties: float


def attention_top1(reference: Array, tested: Array, step: float) -> Top1:
    """Compares the time step of the largest attention weight. Attention weights [rows, T].

    A tie: another step was chosen, but the reference's own weights of the two are at most one quantization
    `step` apart. Rounding moves each by up to half a step: no quantized map can be asked to keep their order.
    """
    if math.isnan(max_error(reference, tested)):
        return Top1(math.nan, math.nan)
    chosen, best = tested.argmax(axis=1), reference.argmax(axis=1)
    rows = np.arange(len(reference))
    gap = reference[rows, best].astype(np.float64) - reference[rows, chosen]  # [rows], 0 for the same step
    tied = (chosen != best) & (gap <= step * (1 + STEP_SLACK))
    return Top1(float(np.mean((chosen == best) | tied)), float(tied.sum()))


@_measurement
def share_within_steps(reference: Array, tested: Array, step: float, steps: float) -> float:
    """Share of the values at most `steps` quantization steps of size `step` apart."""
    limit = (steps + STEP_SLACK) * step
    within = sum(int((np.abs(a - b) <= limit).sum()) for a, b in _blocks(reference, tested))
    return within / reference.size


@_measurement
def max_steps(reference: Array, tested: Array, step: float) -> float:
    """max |a - b| in quantization steps of size `step`."""
    return max_error(reference, tested) / step


def confusion(logits: Array, labels: Array, classes: int) -> Array:
    """Counts [true class, decided class] as int64 [C, C]. Logits [n, C], labels [n]."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, logits.argmax(axis=1)), 1)
    return counts


def accuracy_drop(reference: Array, tested: Array, labels: Array) -> float:
    """Accuracy of the reference minus that of the tested: positive where it was lost. Logits [n, C]."""
    return _drop(reference, tested, labels, lambda right: right.mean())


def worst_class_recall_drop(reference: Array, tested: Array, labels: Array) -> float:
    """max over the classes present in `labels` of (recall of the reference - recall of the tested)."""
    present = np.unique(labels)
    return _drop(
        reference, tested, labels, lambda right: np.array([right[labels == one].mean() for one in present])
    )


def _drop(reference: Array, tested: Array, labels: Array, rate: Callable[[Array], Array]) -> float:
    if math.isnan(max_error(reference, tested)):
        return math.nan
    return float(np.max(rate(reference.argmax(axis=1) == labels) - rate(tested.argmax(axis=1) == labels)))


@dataclass(frozen=True)
class Accuracy:
    """How many windows a model decided right, with a 95 % Wilson score interval [low, high]."""

    name: str
    correct: int
    n: int
    value: float
    low: float
    high: float


def accuracy(name: str, logits: Array, labels: Array) -> Accuracy:
    """Counts right decisions (logits [n, C], labels [n]); outputs that are not finite are never right."""
    return share_of(name, (logits.argmax(axis=1) == labels) & np.isfinite(logits).all(axis=1))


def share_of(name: str, right: Array) -> Accuracy:
    """The accuracy of decisions [n], True where they are right."""
    correct, n = int(right.sum()), len(right)
    if not n:
        return Accuracy(name, 0, 0, math.nan, math.nan, math.nan)
    return Accuracy(name, correct, n, correct / n, *wilson(correct, n))


def wilson(correct: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of Wilson (1927): inside [0, 1], and honest near 1, where small sets end."""
    from scipy.stats import binomtest

    interval = binomtest(correct, n).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)
