"""Read WAV files that we did not write: one channel of samples."""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.errors import InputError
from pipeline.data.registry import unreadable
from pipeline.front_end import FrontEndError, as_signal

# What scipy raises for a damaged file. (UnboundLocalError: it has no samples.)
_DAMAGE = (
    ValueError, struct.error, UnboundLocalError, EOFError, ArithmeticError, MemoryError, TypeError,
    LookupError,
)  # fmt: skip

LOUD, RUN = 0.999, 3
"""So many samples in a row that near to full scale are taken for cut-off peaks."""


def read_wav(path: Path) -> tuple[np.ndarray, int]:
    """Read one channel of samples as they are stored.

    Read by scipy, which the project depends on anyway: PCM of 8 to 32 bits and floats. (soundfile would add a
    native library, for formats that recorders on the edge do not write, and takes a file that was cut off for
    a whole one.)

    Returns:
        Samples [n] of the file's type (24 bits as the upper ones of int32), and the sample rate in Hz.

    Raises:
        InputError: the file is missing, damaged, cut off, empty, or has several channels.
    """
    from scipy.io import wavfile

    try:
        with open(path, "rb") as file, warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            rate, samples = wavfile.read(file)
    except OSError as error:
        raise unreadable(path, error) from error
    except _DAMAGE as error:
        raise InputError(
            f"'{path}' is damaged or no WAV file: {error}.", "Record or convert it again, as PCM."
        ) from error
    for warning in told:
        if "prematurely" in str(warning.message):
            raise InputError(f"'{path}' is cut off: {warning.message}", "Copy it again, or leave it out.")
    if samples.ndim != 1:
        raise InputError(
            f"'{path}' has {samples.shape[1]} channels; needed is 1.",
            "Mix them down, or keep one: sox in.wav out.wav remix 1.",
        )
    if not len(samples):
        raise InputError(f"'{path}' holds no samples.", "Leave it out.")
    return samples, int(rate)


@dataclass(frozen=True)
class Sound:
    """What a look at a recording says.

    Attributes:
        samples: how many.
        sample_rate_hz: of them.
        peak: largest distance from silence, full scale being 1.
        clipped: whether peaks are cut off: `RUN` samples in a row at full scale.
    """

    samples: int
    sample_rate_hz: int
    peak: float
    clipped: bool


def look_at(path: Path) -> Sound:
    """Read a recording and say what it is; errors as of `read_wav`, and for a value that is not finite."""
    samples, rate = read_wav(path)
    try:
        loud = np.abs(as_signal(samples))
    except FrontEndError as error:
        raise InputError(f"'{path}': {error}") from error
    high = loud >= LOUD
    run = high[: len(high) - RUN + 1].copy()
    for shift in range(1, RUN):
        run &= high[shift : len(high) - RUN + 1 + shift]
    return Sound(len(samples), rate, float(loud.max()), bool(run.any()))
