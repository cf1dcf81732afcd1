"""What happens to a window outside the model, and has to travel with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Preprocessing:
    """Standardization constants and the shape the model takes.

    features = (raw - mean) / std, in float32 with float32 constants, so that every implementation of it
    gets the same bits. Padding at the front is zero after standardization.

    Attributes:
        mean, std: one number a channel, raw units, exact float32 values.
        steps, features: shape of the model's input [steps, features].
        padding: "none" (windows have exactly `steps` steps) or "front" (shorter ones are padded).
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    steps: int
    features: int
    padding: str

    @classmethod
    def fit(cls, windows: np.ndarray, real: np.ndarray, padding: str) -> Preprocessing:
        """Measure mean and standard deviation of each channel over the real steps of training windows.

        The moments are taken in float64 and rounded to float32. A channel that never changes gets std 1.

        Args:
            windows: [n, time, channels] float32, raw units.
            real: [n, time] bool, False where a step is padding.
        """
        steps = windows[real].astype(np.float64)  # [real steps of all windows, channels]
        std = steps.std(axis=0).astype(np.float32)
        still = (steps.max(axis=0) == steps.min(axis=0)) | (std < np.finfo(np.float32).tiny)
        return cls(
            mean=_numbers(steps.mean(axis=0)),
            std=_numbers(np.where(still, 1.0, std)),
            steps=windows.shape[1],
            features=windows.shape[2],
            padding=padding,
        )

    def apply(self, raw: np.ndarray) -> np.ndarray:
        """Return standardized float32 [n, time, channels]. Padded steps have to hold the channel mean."""
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        return np.asarray((raw.astype(np.float32) - mean) / std)

    def fill_padding(self, raw: np.ndarray, real: np.ndarray) -> np.ndarray:
        """Return raw float32 windows whose padded steps hold the channel mean: standardized, exactly 0."""
        return np.where(real[..., np.newaxis], raw, np.array(self.mean, np.float32)).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Preprocessing:
        """The inverse of `to_dict`."""
        return cls(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})


def _numbers(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values.astype(np.float32))
