"""What happens to a window outside the model, and has to travel with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

PORTION = 1024
"""Windows that are worked on at once, so that no second copy of large data is made."""


@dataclass(frozen=True)
class Preprocessing:
    """Standardization constants and the shape the model takes.

    features = (raw - mean) / std, in float32 with float32 constants, so that every implementation of it
    gets the same bits. Padding is zero after standardization. A regression's targets are
    standardized in the same way; what the model says is undone, target = value * target_std + target_mean.

    Attributes:
        mean, std: one number a channel, raw units, exact float32 values.
        steps, features: shape of the model's input [steps, features].
        padding: "none" (windows have exactly `steps` steps), "front" (shorter ones are padded) or "end" (the
            same behind them, and the model is told the length).
        target_mean, target_std: one number a target of a regression, raw units; empty of other tasks.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    steps: int
    features: int
    padding: str
    target_mean: tuple[float, ...] = ()
    target_std: tuple[float, ...] = ()

    @classmethod
    def fit(
        cls, windows: np.ndarray, real: np.ndarray, padding: str, rows: np.ndarray | None = None
    ) -> Preprocessing:
        """Measure mean and standard deviation of each channel over the real steps of training windows.

        The moments are taken in float64 and rounded to float32, a portion of the windows at a time. A channel
        that never changes gets std 1.

        Args:
            windows: [n, time, channels] float32, raw units.
            real: [n, time] bool, False where a step is padding.
            rows: indices of the windows to measure; None: all.
        """
        mean, std, still = moments(windows, real, np.arange(len(windows)) if rows is None else rows)
        std = std.astype(np.float32)
        still |= std < np.finfo(np.float32).tiny
        return cls(
            mean=_numbers(mean),
            std=_numbers(np.where(still, 1.0, std)),
            steps=windows.shape[1],
            features=windows.shape[2],
            padding=padding,
        )

    @classmethod
    def identity(cls, steps: int, features: int, padding: str) -> Preprocessing:
        """Return the rule that changes nothing, for a model that takes windows as they are."""
        return cls((0.0,) * features, (1.0,) * features, steps, features, padding)

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """Return standardized float32 [n, time, channels]. Padded steps have to hold the channel mean."""
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        return np.asarray((raw.astype(np.float32) - mean) / std)

    def fill_padding(self, raw: np.ndarray, real: np.ndarray) -> np.ndarray:
        """Return raw float32 windows whose padded steps hold the channel mean: standardized, exactly 0."""
        return np.where(real[..., np.newaxis], raw, np.array(self.mean, np.float32)).astype(np.float32)

    def with_targets(self, targets: np.ndarray) -> Preprocessing:
        """Return the rule with the moments of a regression's training targets [n, targets], raw units."""
        wide = targets.astype(np.float64)
        return replace(self, target_mean=_numbers(wide.mean(axis=0)), target_std=_numbers(wide.std(axis=0)))

    def apply_to_targets(self, targets: np.ndarray) -> np.ndarray:
        """Return standardized float32 targets [n, targets]."""
        mean, std = np.array(self.target_mean, np.float32), np.array(self.target_std, np.float32)
        return np.asarray((targets.astype(np.float32) - mean) / std)

    def restore_targets(self, values: np.ndarray) -> np.ndarray:
        """Return targets in raw units, float32 [n, targets]: the inverse of `apply_to_targets`."""
        mean, std = np.array(self.target_mean, np.float32), np.array(self.target_std, np.float32)
        return np.asarray(values.astype(np.float32) * std + mean)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; without targets nothing is said of them."""
        present = {key: value for key, value in vars(self).items() if value != ()}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in present.items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Preprocessing:
        """The inverse of `to_dict`; keys of others are left alone."""
        known: dict[str, Any] = {}
        for one in fields(cls):
            if one.name in values:
                value = values[one.name]
                known[one.name] = tuple(value) if isinstance(value, list) else value
        return cls(**known)


def portions(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield indices of windows, as many at once as may be copied."""
    for start in range(0, len(rows), PORTION):
        yield rows[start : start + PORTION]


def moments(
    windows: np.ndarray, real: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and standard deviation, [channels] float64, and where a channel has one value only, bool.

    Two passes: the deviations are taken from the mean, which a sum of squares would lose to cancellation.
    """
    count = int(real[rows].sum())

    def steps() -> Iterator[np.ndarray]:
        for some in portions(rows):
            yield windows[some][real[some]].astype(np.float64)  # [real steps of these windows, channels]

    mean = sum(part.sum(axis=0) for part in steps()) / count
    variance = sum(((part - mean) ** 2).sum(axis=0) for part in steps()) / count
    smallest = np.min([part.min(axis=0) for part in steps()], axis=0)
    largest = np.max([part.max(axis=0) for part in steps()], axis=0)
    return np.asarray(mean), np.sqrt(variance), np.asarray(smallest == largest)


def _numbers(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values.astype(np.float32))
