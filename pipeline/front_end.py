"""From audio samples to the features a model takes: log-mel energies, or MFCC.

This file stands alone, as `pipeline.runtime` does: it needs numpy and nothing else, so it can be copied to
a device beside it. A build computes its training data with this same code, so that a device that starts from
samples sees what the model was trained on, to the last bit.

Of a frame x[0..window) of samples, full scale 1.0:

    X = rfft(x * hann, n_fft)                      hann[i] = 0.5 - 0.5 cos(2 pi i / window), periodic
    energy[m] = sum_k |X[k]|^2 * mel[k, m]         triangles on the mel scale, mel(f) = 1127 ln(1 + f / 700)
    log_mel[m] = ln(max(energy[m], log_floor))
    mfcc[c] = sqrt(2 / mels) * sum_m log_mel[m] cos(pi c (m + 1/2) / mels)

Frames start every `hop` samples from the first; the last is the last that is whole. The mel scale and its
triangles are those of HTK (S. Young et al., The HTK Book), of height 1, as in `tf.signal`, which the tests
hold this file against. All is computed in float64 and rounded to float32 at the end.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

KINDS = ("log-mel", "mfcc")
FRAMES_AT_ONCE = 1024  # bounds the memory for a long recording


class FrontEndError(ValueError):
    """The parameters do not go together, or the samples do not fit them."""


@dataclass(frozen=True)
class FrontEnd:
    """What decides the features; two with equal fields give equal features.

    Args:
        kind: "log-mel" or "mfcc".
        sample_rate_hz: of the samples.
        window_samples, hop_samples: length of a frame, and from the start of one to the start of the next.
        n_fft: length of the Fourier transform; the frame is padded with zeros up to it.
        mels: filters.
        fmin_hz, fmax_hz: where the first filter begins and the last one ends.
        log_floor: least energy, so that silence has a logarithm; full scale of the samples is 1.0.
        coefficients: of "mfcc", counted from the 0th; 0 for "log-mel".
        keep: "start" or "end", what is left of a recording that is longer than the model takes.

    Raises:
        FrontEndError: a value is out of range, or they do not go together.
    """

    kind: str
    sample_rate_hz: int
    window_samples: int
    hop_samples: int
    n_fft: int
    mels: int
    fmin_hz: float
    fmax_hz: float
    log_floor: float
    coefficients: int = 0
    keep: str = "start"

    def __post_init__(self) -> None:
        _need(self.kind in KINDS, f"kind is {self.kind!r}; known are {', '.join(KINDS)}")
        for name in ("sample_rate_hz", "window_samples", "hop_samples", "n_fft", "mels", "coefficients"):
            value = getattr(self, name)
            least, most = (0 if name == "coefficients" else 1), 1_000_000
            whole = type(value) is int and least <= value <= most
            _need(whole, f"{name} is {value!r}; allowed is a whole number from {least} to {most}")
        for name in ("fmin_hz", "fmax_hz", "log_floor"):
            value = getattr(self, name)
            _need(type(value) in (int, float) and 0 <= value < 1e9, f"{name} is {value!r}, no such number")
        _need(self.keep in ("start", "end"), f"keep is {self.keep!r}; allowed is 'start' or 'end'")
        nyquist = self.sample_rate_hz / 2
        _need(
            self.window_samples <= self.n_fft,
            f"a frame has {self.window_samples} samples, n_fft is {self.n_fft}; n_fft has to be as large",
        )
        _need(
            self.fmin_hz < self.fmax_hz <= nyquist,
            f"fmin_hz {self.fmin_hz:g} and fmax_hz {self.fmax_hz:g} have to be in order and at most "
            f"{nyquist:g}, half the sample rate",
        )
        _need(self.log_floor >= 1e-30, f"log_floor is {self.log_floor:g}; allowed is 1e-30 and more")
        if self.kind == "mfcc":
            fits = 1 <= self.coefficients <= self.mels
            _need(fits, f"coefficients is {self.coefficients}; allowed is 1 to {self.mels}, the mels")
        else:
            _need(self.coefficients == 0, "coefficients are for the kind 'mfcc'")
        narrow = np.flatnonzero(~_mel_matrix(self).any(axis=0))
        _need(
            not len(narrow),
            f"{len(narrow)} of {self.mels} mel filters are narrower than a bin of the transform, "
            f"{self.sample_rate_hz / self.n_fft:g} Hz, and would always be silent; take fewer mels or a "
            "larger n_fft",
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FrontEnd:
        """The inverse of `to_dict`.

        Raises:
            FrontEndError: a field is missing or unknown, or has a value that is not allowed.
        """
        _need(isinstance(values, Mapping), "it has to be an object")
        fields = set(cls.__dataclass_fields__)
        missing, unknown = fields - set(values) - {"coefficients", "keep"}, set(values) - fields
        _need(not missing, f"{', '.join(sorted(missing))} is missing")
        _need(not unknown, f"{', '.join(sorted(map(str, unknown)))} is not known to this version")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @property
    def features(self) -> int:
        """How many numbers a frame has."""
        return self.coefficients if self.kind == "mfcc" else self.mels

    @property
    def names(self) -> tuple[str, ...]:
        """One a feature: "mel 0", ... or "mfcc 0", ..."""
        return tuple(f"{self.kind.removeprefix('log-')} {index}" for index in range(self.features))

    def frames(self, samples: int) -> int:
        """How many whole frames so many samples have."""
        return max(0, 1 + (samples - self.window_samples) // self.hop_samples)

    def samples(self, frames: int) -> int:
        """How many samples so many frames, at least one, take."""
        return self.window_samples + (frames - 1) * self.hop_samples

    def cut(self, samples: np.ndarray, frames: int) -> np.ndarray:
        """Return the samples [n] of which at most so many frames are made, a view: the start or the end."""
        most = self.samples(frames)
        return samples[:most] if self.keep == "start" else samples[max(0, len(samples) - most) :]

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the features [frames, features] float32 of one recording.

        Args:
            samples: [n] at `sample_rate_hz`: floats with full scale 1.0, or integers with the full scale of
                their type.

        Raises:
            FrontEndError: not one channel, less than a frame, or a value that is not finite.
        """
        signal = as_signal(samples)
        if len(signal) < self.window_samples:
            raise FrontEndError(f"{len(signal)} samples are less than a frame, {self.window_samples}.")
        every = np.lib.stride_tricks.sliding_window_view(signal, self.window_samples)[:: self.hop_samples]
        made = np.empty((len(every), self.features), np.float32)
        for start in range(0, len(every), FRAMES_AT_ONCE):
            frames = every[start : start + FRAMES_AT_ONCE]  # [frames, window], a view
            made[start : start + FRAMES_AT_ONCE] = self._features(frames)
        return made

    def _features(self, frames: np.ndarray) -> np.ndarray:
        """[frames, window] float64 -> [frames, features] float64."""
        spectrum = np.fft.rfft(frames * _hann(self.window_samples), self.n_fft)  # [frames, n_fft / 2 + 1]
        power = spectrum.real**2 + spectrum.imag**2
        log_mel = np.log(np.maximum(power @ _mel_matrix(self), self.log_floor))  # [frames, mels]
        if self.kind == "mfcc":
            return np.asarray(log_mel @ _cosines(self.mels, self.coefficients))
        return np.asarray(log_mel)


def as_signal(samples: np.ndarray) -> np.ndarray:
    """Return one channel of samples as float64 with full scale 1.0.

    Integers are divided by the full scale of their type, 128 for uint8 after subtracting 128, its silence.

    Raises:
        FrontEndError: another shape or type, or a value that is not finite.
    """
    signal = np.asarray(samples)
    _need(signal.ndim == 1, f"samples are one channel, [n]; got shape {list(signal.shape)}")
    if signal.dtype == np.uint8:
        return (signal.astype(np.float64) - 128.0) / 128.0
    if signal.dtype.kind == "i":
        return np.asarray(signal / -float(np.iinfo(signal.dtype).min))
    _need(signal.dtype.kind == "f", f"samples are floats or signed integers; got {signal.dtype}")
    finite = np.isfinite(signal)
    _need(finite.all(), f"sample {int(np.argmin(finite))} is not finite")
    return signal.astype(np.float64)


@functools.cache
def _hann(length: int) -> np.ndarray:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length))


@functools.lru_cache(maxsize=8)
def _mel_matrix(rule: FrontEnd) -> np.ndarray:
    """The triangles, [n_fft // 2 + 1, mels] float64; the bin of frequency 0 counts nowhere."""
    frequencies = np.arange(1, rule.n_fft // 2 + 1) * (rule.sample_rate_hz / rule.n_fft)
    bins = _mel(frequencies)[:, np.newaxis]
    edges = np.linspace(_mel(rule.fmin_hz), _mel(rule.fmax_hz), rule.mels + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.concatenate([np.zeros((1, rule.mels)), triangles])


def _mel(hertz: Any) -> Any:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


@functools.cache
def _cosines(mels: int, coefficients: int) -> np.ndarray:
    """The cosine transform of type II, [mels, coefficients] float64."""
    angles = np.pi / mels * np.outer(np.arange(mels) + 0.5, np.arange(coefficients))
    return np.asarray(np.sqrt(2.0 / mels) * np.cos(angles))


def _need(condition: object, what: str) -> None:
    if not condition:
        raise FrontEndError(f"The front end cannot be used: {what}.")
