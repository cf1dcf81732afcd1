"""A file and windows for targets."""

from __future__ import annotations

import numpy as np
from source_tree import ROOT

SEED = ROOT / "tests" / "fuzz" / "seeds" / "int8.tflite"  # a fused int8 LSTM with attention, [1, 6, 3]


def windows(count: int, steps: int, features: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, steps, features)).astype(np.float32)
