"""Read a folder of WAV files as windows of audio features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.errors import InputError
from pipeline.config import AudioConfig
from pipeline.data.dataset import SequenceDataset
from pipeline.data.labels import in_order
from pipeline.data.options import BY_DEFAULT, ReadOptions
from pipeline.data.recordings import find_recordings, groups_of, part_recordings
from pipeline.data.registry import register_folder
from pipeline.data.targets import read_targets
from pipeline.data.wav import Sound, look_at, read_wav
from pipeline.front_end import FrontEnd, FrontEndError

COEFFICIENTS = 13
"""MFCC of a frame where nobody says how many."""
SILENT = 1e-3
"""A recording whose peak is lower, full scale being 1, is taken for a silent one."""


@register_folder(".wav", "pattern", "test", "test_fraction", "group", "longest", "keep", "audio")
def read(folder: Path, options: ReadOptions = BY_DEFAULT) -> SequenceDataset:
    """Read a folder of recordings, one channel each, all of the same sample rate.

    The class is the folder a file lies in (`class/*.wav`), or `{label}` of a pattern for the paths. Every
    file is read twice, to look at it and for its features, so that only the features are held, and once.

    Raises:
        InputError: anything the pipeline could not use; the message says which file and why.
    """
    found = find_recordings(folder, ".wav", options.data.pattern)
    parts = part_recordings(found, options)
    sounds = _look_at_all(folder, found.paths)
    front_end = front_end_of(options.audio, sounds[0].sample_rate_hz, options.data.keep)
    frames = np.array([front_end.frames(sound.samples) for sound in sounds])
    _require_frames(found.paths, sounds, front_end)
    steps = min(int(frames.max()), options.data.longest or int(frames.max()))
    if steps < 2:
        raise InputError(
            f"The longest recording in '{folder}' has one frame of {options.audio.window_ms:g} ms; "
            "a sequence model needs at least 2.",
            "Take shorter frames: --audio-window-ms, --audio-hop-ms.",
        )
    lengths = np.minimum(frames, steps)
    train = ~parts.test
    arrays = {
        name: _features(folder, [found.paths[i] for i in np.flatnonzero(part)], front_end, steps)
        for name, part in (("x_train", train), ("x_test", parts.test))
    }
    labels = found.labels
    targets = read_targets(
        {
            **arrays,
            "y_train": labels[train],
            "y_test": labels[parts.test],
            "class_names": np.array(in_order(labels[train])),
        },
        steps,
        "classification",
    )
    name, rate = folder.resolve().name, front_end.sample_rate_hz / front_end.hop_samples
    return SequenceDataset(
        name=name,
        x_train=arrays["x_train"],
        y_train=targets.y_train,
        x_test=arrays["x_test"],
        y_test=targets.y_test,
        lengths_train=lengths[train],
        lengths_test=lengths[parts.test],
        class_names=targets.names,
        channel_names=front_end.names,
        channel_units=("",) * front_end.features,
        sample_rate_hz=rate,
        padding="front" if (lengths < steps).any() else "none",
        attribution=f"{name}, a folder of the user's own; it states no source and no licence.",
        validation=None if parts.validation is None else parts.validation[train],
        groups_train=groups_of(found, options)[train] if options.data.group else None,
        front_end=front_end.to_dict(),
        notes=(*found.notes, *parts.notes, *_cut_note(frames, steps, front_end)),
        suspicious=_suspicious(found.paths, sounds),
    )


def front_end_of(audio: AudioConfig, sample_rate_hz: int, keep: str) -> FrontEnd:
    """The front end of a configuration, milliseconds as the nearest whole number of samples.

    Raises:
        InputError: the fields do not go together, or not with the sample rate.
    """
    window, hop = (
        max(1, round(ms * sample_rate_hz / 1000)) for ms in (audio.window_ms, audio.hop_ms)
    )
    mfcc = audio.features == "mfcc"
    if audio.coefficients is not None and not mfcc:
        raise InputError(
            f"[audio] coefficients is {audio.coefficients}; {audio.features} features have none.",
            "Leave it out, or take --audio-features mfcc.",
        )
    try:
        return FrontEnd(
            kind=audio.features,
            sample_rate_hz=sample_rate_hz,
            window_samples=window,
            hop_samples=hop,
            n_fft=audio.n_fft or 2 ** max(1, (window - 1).bit_length()),
            mels=audio.mels,
            fmin_hz=audio.fmin_hz,
            fmax_hz=sample_rate_hz / 2 if audio.fmax_hz is None else audio.fmax_hz,
            log_floor=audio.log_floor,
            coefficients=(audio.coefficients or min(COEFFICIENTS, audio.mels)) if mfcc else 0,
            keep=keep,
        )
    except FrontEndError as error:
        raise InputError(
            f"{error} The recordings have {sample_rate_hz} Hz.", "The table [audio] decides it."
        ) from error


def _look_at_all(folder: Path, paths: Sequence[str]) -> list[Sound]:
    """A look at every recording; what is wrong with them is told at once."""
    sounds, wrong = [], []
    for path in paths:
        try:
            sounds.append(look_at(folder / path))
        except InputError as error:
            wrong.append(error)
    if wrong:
        more = f" {len(wrong)} of {len(paths)} files cannot be used." if len(wrong) > 1 else ""
        raise InputError("\n  ".join(error.message for error in wrong[:5]) + more, wrong[0].tip)
    rates = sorted({sound.sample_rate_hz for sound in sounds})
    if len(rates) > 1:
        first = [next(p for p, s in zip(paths, sounds, strict=True) if s.sample_rate_hz == r) for r in rates]
        told = ", ".join(f"{rate} Hz ('{path}')" for rate, path in zip(rates, first, strict=True))
        raise InputError(
            f"The recordings differ in their sample rate: {told}.", "Resample them all to one, the lowest."
        )
    return sounds


def _require_frames(paths: Sequence[str], sounds: Sequence[Sound], front_end: FrontEnd) -> None:
    short = [i for i, sound in enumerate(sounds) if sound.samples < front_end.window_samples]
    if short:
        raise InputError(
            f"{len(short)} of {len(paths)} recordings are shorter than a frame of {front_end.window_samples} "
            f"samples; the first is '{paths[short[0]]}' with {sounds[short[0]].samples}.",
            "Leave them out, or take shorter frames: --audio-window-ms.",
        )


def _features(folder: Path, paths: Sequence[str], front_end: FrontEnd, steps: int) -> np.ndarray:
    """[n, steps, features] float32 with NaN in front of shorter recordings, filled file by file."""
    windows = np.full((len(paths), steps, front_end.features), np.nan, np.float32)
    for window, path in zip(windows, paths, strict=True):
        samples, _ = read_wav(folder / path)
        made = front_end(front_end.cut(samples, steps))
        window[steps - len(made) :] = made
    return windows


def _cut_note(frames: np.ndarray, steps: int, front_end: FrontEnd) -> tuple[str, ...]:
    longer = int((frames > steps).sum())
    if not longer:
        return ()
    seconds = front_end.samples(steps) / front_end.sample_rate_hz
    return (
        f"{longer} of {len(frames)} recordings are longer than {steps} steps ({seconds:.2f} s), the longest "
        f"has {frames.max()}; their {front_end.keep} was kept.",
    )


def _suspicious(paths: Sequence[str], sounds: Sequence[Sound]) -> tuple[str, ...]:
    told = []
    for what, found in (
        ("reach full scale and are cut off there (clipping)", [s.clipped for s in sounds]),
        (f"are silent: no sample is above {SILENT:g} of full scale", [s.peak < SILENT for s in sounds]),
    ):
        if any(found):
            first = paths[found.index(True)]
            told.append(f"{sum(found)} of {len(paths)} recordings {what}; the first is '{first}'.")
    return tuple(told)
