"""Executed instructions on an emulated Arm core: the same in every run, so two models can be compared.

They are no time: a core executes several at once, and waits for memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pipeline.benchmark.result import Instructions

CPU = "cortex-a76"

Counter = Callable[[Path, Sequence[np.ndarray]], Instructions]
"""Counts the instructions of a .tflite for the inputs of one inference, each as the model stores it."""
