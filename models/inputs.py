"""What a model is fed: an array of windows, or with the input ``lengths`` both by name."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Inputs: TypeAlias = NDArray[np.float32] | dict[str, NDArray[Any]]
"""``features`` [n, time, channels] float32 alone, or {"features": that, "lengths": [n] int32}."""


def inputs_of(features: NDArray[np.float32], lengths: NDArray[Any] | None) -> Inputs:
    """Windows, and where the model has the input, how many steps of each count."""
    return features if lengths is None else {"features": features, "lengths": lengths.astype(np.int32)}


def windows_in(inputs: Inputs) -> NDArray[np.float32]:
    """The windows, [n, time, channels]."""
    return inputs["features"] if isinstance(inputs, dict) else inputs


def take(inputs: Inputs, which: Any) -> Inputs:
    """Some of the windows: ``which`` is a slice or an array of indices."""
    if isinstance(inputs, dict):
        return {name: array[which] for name, array in inputs.items()}
    windows: NDArray[np.float32] = inputs[which]
    return windows
