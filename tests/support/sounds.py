"""Small WAV files for tests."""

from pathlib import Path

import numpy as np

RATE = 8000


def tone(hertz: float, samples: int, rate: int = RATE, amplitude: float = 0.5) -> np.ndarray:
    """[samples] int16, fading to half, so that no two frames are alike."""
    phase = 2 * np.pi * hertz * np.arange(samples) / rate
    return np.round(32767 * np.linspace(amplitude, amplitude / 2, samples) * np.sin(phase)).astype(np.int16)


def write_wav(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    """Write a file of the type of the samples, [n] or [n, channels]; folders are made."""
    from scipy.io import wavfile

    path.parent.mkdir(parents=True, exist_ok=True)
    wavfile.write(path, rate, samples)
    return path


def write_tones(folder: Path, takes: int = 10, layout: str = "{label}_{who}_{take}.wav") -> Path:
    """Two classes, low and high, said by anna and bob; the pitch tells the class, every length differs."""
    for label, hertz in (("low", 300.0), ("high", 2000.0)):
        for who in ("anna", "bob"):
            for take in range(takes):
                path = folder / layout.format(label=label, who=who, take=take)
                samples = tone(hertz + 40 * take + 10 * (who == "bob"), 1200 + 100 * take)
                write_wav(path, samples)
    return folder
