"""Windows of a recording: where they begin, and what each is labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

PER_STEP, REGRESSION = "per-step", "regression"


@dataclass(frozen=True)
class Windows:
    """The windows of one recording.

    Attributes:
        starts: [n] int64, the first step of each.
        steps: of each.
        mixed: how many were left out because their label changes within them.
        unused: steps at the end of the recording that fill no window.
    """

    starts: np.ndarray
    steps: int
    mixed: int = 0
    unused: int = 0


def cut_windows(
    length: int, labels: Sequence[Sequence[str]], task: str, window: int | None, hop: int | None
) -> Windows:
    """Cut a recording into windows.

    Windows begin every `hop` steps from the first; the last is the last that is whole. A window in which a
    label changes has none and is left out; where every step has a label, and of a regression, whose label is
    that of the window's last step, all are kept.

    Args:
        length: of the recording.
        labels: of each label column one text a step.
        window: steps of a window; None: the whole recording is one.
        hop: None: a window.
    """
    steps, hop = window or length, hop or window or length
    starts = np.arange(0, max(0, length - steps + 1), hop)
    covered = int(starts[-1]) + steps if len(starts) else 0
    if task in (PER_STEP, REGRESSION):
        return Windows(starts, steps, 0, length - covered)
    pure = np.ones(len(starts), bool)
    for column in labels:
        changes = np.array([0, *(a != b for a, b in pairwise(column))]).cumsum()
        pure &= changes[starts] == changes[starts + steps - 1]
    return Windows(starts[pure], steps, int((~pure).sum()), length - covered)
