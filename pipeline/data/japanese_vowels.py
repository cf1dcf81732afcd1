"""Japanese Vowels: who of nine speakers said it, from 12 cepstrum coefficients a frame."""

from __future__ import annotations

import numpy as np

from pipeline.data.dataset import SequenceDataset, pad_front
from pipeline.data.registry import DatasetInfo, register

FRAME_SHIFT_MS = 6.4  # the analysis window (25.6 ms of speech at 10 kHz) moves by this much a step

INFO = DatasetInfo(
    name="japanese-vowels",
    summary="nine speakers saying the vowels /ae/; which speaker is it?",
    classes=9,
    channels=12,
    steps=29,
    shortest_steps=7,
    train_windows=270,
    test_windows=370,
    sample_rate_hz=1000 / FRAME_SHIFT_MS,
    attribution=(
        "Japanese Vowels, by Mineichi Kudo, Jun Toyama and Masaru Shimbo (1999), "
        "UCI Machine Learning Repository, https://doi.org/10.24432/C5NS47, CC BY 4.0; "
        "as carried by the aeon package (UEA archive)."
    ),
)


@register(INFO)
def load() -> SequenceDataset:
    """Load the recordings, [29, 12] each, the shorter ones padded at the front."""
    from aeon.datasets import load_japanese_vowels

    parts = []
    for split in ("train", "test"):
        recordings, labels = load_japanese_vowels(split=split)  # list of [channels, time]; labels "1".."9"
        windows, lengths = pad_front([recording.T for recording in recordings], INFO.steps)
        parts.append((windows, labels.astype(np.int64) - 1, lengths))
    (x_train, y_train, lengths_train), (x_test, y_test, lengths_test) = parts
    return SequenceDataset(
        name=INFO.name,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        lengths_train=lengths_train,
        lengths_test=lengths_test,
        class_names=tuple(f"speaker {number}" for number in range(1, INFO.classes + 1)),
        channel_names=tuple(f"cepstrum {number}" for number in range(1, INFO.channels + 1)),
        channel_units=("",) * INFO.channels,  # coefficients have no unit
        sample_rate_hz=INFO.sample_rate_hz,
        padding="front",
        attribution=INFO.attribution,
    )
