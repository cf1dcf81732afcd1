"""Executed instructions on an emulated Arm core: the same in every run, so two models can be compared.

They are no time: a core executes several at once, and waits for memory.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from converters import schema
from converters.findings import samples
from converters.inputs import windows_place
from pipeline.benchmark.result import Instructions
from pipeline.progress import Progress

Counter = Callable[[Path, np.ndarray], Instructions]
"""Counts the instructions of a .tflite on windows [n, time, features] of real numbers."""


def emulated(progress: Progress) -> Counter:
    """A counter that runs the aarch64 interpreter under qemu. It is set up here, if it was not before.

    Raises:
        VerificationError: it cannot be set up.
    """
    from pipeline.targets import emulator
    from pipeline.targets.cache import cache_folder
    from pipeline.targets.counting import count_instructions

    emulator.set_up(cache_folder(None), progress)

    def count(path: Path, windows: np.ndarray) -> Instructions:
        found = count_instructions(path, windows)
        return Instructions(
            cpu=found.cpu,
            inference=found.per_inference,
            startup=found.start_up,
            by_operator=found.by_op,
            versions=found.versions,
        )

    return count


def window_of(model: schema.ModelT, called: str) -> np.ndarray:
    """One seeded window for the model, [1, time, features] float32, in real numbers.

    Raises:
        InputError: it takes no window, or others beside it.
    """
    place = schema.indices(model.subgraphs[0].inputs).index(windows_place(model, called))
    return np.asarray(samples.seeded(model)[place][0], np.float32)
