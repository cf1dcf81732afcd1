"""Changes of training windows that leave their meaning alone: shifted, scaled, noisy, partly hidden.

They are drawn anew for every window and epoch, on batches of standardized windows, where 0 is a channel's
mean. Masks as in SpecAugment (D. S. Park et al., 2019, arXiv:1904.08779), scaling and jitter as in
T. T. Um et al., 2017 (arXiv:1706.00527). Numpy alone: what is drawn is a function of the seed, the epoch and
the batch.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.config import NO_LABEL

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Augmentation:
    """What may be done to a training window; 0 leaves it out.

    Args:
        time_shift: most steps by which a window moves, earlier or later.
        scale: most by which the distance from the channels' means grows or shrinks, as a part of it; one
            factor a window.
        jitter: largest standard deviation of noise on every value, in standard deviations of a channel; one
            a window, between 0 and this.
        time_masks, time_mask_steps: how many stretches of time are hidden, and the longest.
        channel_masks, channel_mask_width: the same of neighbouring channels, of mel features frequencies.
    """

    time_shift: int = 0
    scale: float = 0.0
    jitter: float = 0.0
    time_masks: int = 0
    time_mask_steps: int = 0
    channel_masks: int = 0
    channel_mask_width: int = 0

    def __bool__(self) -> bool:
        """Whether it does anything."""
        return any(getattr(self, one.name) for one in fields(self))


@dataclass(frozen=True)
class Batch:
    """Some training windows.

    Args:
        x: [n, T, F] float32, standardized.
        y: [n, ...] as the task has it.
        lengths: [n], how many steps of each count, from the first; None: all.
    """

    x: FloatArray
    y: NDArray[Any]
    lengths: NDArray[Any] | None = None


def augment(batch: Batch, rule: Augmentation, random: np.random.Generator, per_step: bool = False) -> Batch:
    """Return a changed batch; what it was made of stays as it is.

    Args:
        random: where the draws come from.
        per_step: whether y is [n, T], labels of the steps, which move with them.
    """
    if rule.time_shift:
        count = len(batch.x)
        batch = shifted(batch, random.integers(-rule.time_shift, rule.time_shift + 1, count), per_step)
    x, lengths = batch.x, batch.lengths
    real = np.full(len(x), x.shape[1]) if lengths is None else lengths
    if rule.scale:
        x = x * random.uniform(1 - rule.scale, 1 + rule.scale, (len(x), 1, 1)).astype(np.float32)
    if rule.jitter:
        x = x + _noise(x, rule.jitter, real, random)
    for _ in range(rule.time_masks):
        x = np.where(_stretch(real, x.shape[1], rule.time_mask_steps, random)[:, :, np.newaxis], 0, x)
    for _ in range(rule.channel_masks):
        channels = np.full(len(x), x.shape[2])
        x = np.where(_stretch(channels, x.shape[2], rule.channel_mask_width, random)[:, np.newaxis], 0, x)
    return Batch(np.asarray(x, np.float32), batch.y, lengths)


def shifted(batch: Batch, by: NDArray[Any], per_step: bool = False) -> Batch:
    """Move every window by a number of steps: by > 0 later, by < 0 earlier.

    What leaves the window is lost; the steps that become free are 0, and have no label. Lengths follow: a
    recording that moves later begins with zeros that count. At least one of its steps stays.

    Args:
        by: [n] whole numbers.
    """
    steps, lengths = batch.x.shape[1], batch.lengths
    if lengths is not None:
        by = np.maximum(by, 1 - lengths)
        lengths = np.minimum(lengths + by, steps)
    source = np.arange(steps) - by[:, np.newaxis]  # [n, T], where each step comes from
    inside = (source >= 0) & (source < steps)
    rows, source = np.arange(len(by))[:, np.newaxis], np.clip(source, 0, steps - 1)
    x = np.where(inside[:, :, np.newaxis], batch.x[rows, source], np.float32(0))
    y = np.where(inside, batch.y[rows, source], NO_LABEL) if per_step else batch.y
    return Batch(x, y, lengths)


def _noise(x: FloatArray, most: float, real: NDArray[Any], random: np.random.Generator) -> FloatArray:
    """[n, T, F] float32; none where a step does not count."""
    deviation = random.uniform(0, most, (len(x), 1, 1)).astype(np.float32)
    noise = random.standard_normal(x.shape, np.float32) * deviation
    counts = np.arange(x.shape[1]) < real[:, np.newaxis]
    return np.asarray(np.where(counts[:, :, np.newaxis], noise, 0), np.float32)


def _stretch(real: NDArray[Any], size: int, longest: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """[n, size], True in one stretch of each row: 0 to `longest` places, at most half of its `real` ones."""
    length = random.integers(0, np.minimum(longest, real // 2) + 1)  # [n]
    start = random.integers(0, real - length + 1)
    places = np.arange(size)
    hidden = (places >= start[:, np.newaxis]) & (places < (start + length)[:, np.newaxis])
    return np.asarray(hidden, np.bool_)
