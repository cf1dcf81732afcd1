"""Part recordings by chance, so that nobody is on both sides."""

from __future__ import annotations

import numpy as np


def by_share(groups: np.ndarray, classes: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Choose whole groups that come near to a share of every class.

    The groups are gone through in a seeded order; one is taken if that brings the counts of the classes
    nearer to their share and leaves something of every class.

    Args:
        groups, classes: [n] of anything that can be compared: who a recording is of, and its class.
        fraction: of the recordings of each class, between 0 and 1.

    Returns:
        [n] bool, True where a recording was taken. All False where no group can be taken.
    """
    names, group = np.unique(groups, return_inverse=True)
    kinds, kind = np.unique(classes, return_inverse=True)
    counts = np.zeros((len(names), len(kinds)), np.int64)  # recordings of each class in each group
    np.add.at(counts, (group, kind), 1)
    left, missing = counts.sum(axis=0), fraction * counts.sum(axis=0)
    order = np.random.default_rng(seed).permutation(len(names))
    taken = np.zeros(len(names), bool)
    for one in order:
        after = missing - counts[one]
        if np.abs(after).sum() < np.abs(missing).sum() and (left > counts[one]).all():
            taken[one], missing, left = True, after, left - counts[one]
    if not taken.any():  # every group is more than twice the share; the smallest is nearest to it
        can = [one for one in order if (left > counts[one]).all()]
        taken[sorted(can, key=lambda one: int(counts[one].sum()))[:1]] = True
    return np.asarray(taken[group])
