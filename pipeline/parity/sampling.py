"""Which windows are looked at, when all would be too many. Always the same for the same data."""

from __future__ import annotations

import numpy as np

from pipeline.parity.outputs import Array

GOLDEN_LIMIT = 5000


def stratified_sample(labels: Array, limit: int = GOLDEN_LIMIT, seed: int = 0) -> Array:
    """Returns the indices of at most `limit` windows, ascending; each class keeps its share, at least one.

    Shares are rounded by largest remainder, so that exactly `limit` windows come back where there are more.

    Args:
        labels: class of each window, [n].
        limit: how many to take; at least the number of classes present.
        seed: of the choice within a class.
    """
    if len(labels) <= limit:
        return np.arange(len(labels))
    rng = np.random.default_rng(seed)
    classes, counts = np.unique(labels, return_counts=True)
    exact = counts * (limit / len(labels))
    take = np.maximum(np.floor(exact).astype(int), 1)
    order = np.argsort(take - exact, kind="stable")  # most underserved first
    for position in range(limit - int(take.sum())):
        take[order[position]] += 1
    while take.sum() > limit:  # tiny classes were rounded up to one
        take[take.argmax()] -= 1
    chosen = [
        rng.choice(np.flatnonzero(labels == one), size=size, replace=False)
        for one, size in zip(classes, take, strict=True)
    ]
    return np.sort(np.concatenate(chosen))
