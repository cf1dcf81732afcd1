"""A labelled set of windows in raw units: what every reader returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class SequenceDataset:
    """Windows as they were measured, split into training and test part by whoever made the data.

    Attributes:
        name: short, fit for a folder name.
        x_train, x_test: [n, time, channels] float32, raw units. Steps that exist only because a shorter
            recording was padded at the front hold NaN.
        y_train, y_test: by task, see `pipeline.data.targets`: [n] int64, indices into `class_names`, of a
            classification.
        lengths_train, lengths_test: [n] int64, real steps of each window, counted from its end. Labels of
            the steps that are padding are `NO_LABEL`.
        class_names: what the outputs are called: classes, labels or targets.
        channel_names, channel_units: texts; a unit that is not known is "".
        sample_rate_hz: steps per second, None where it is not known.
        padding: "none" (every window is full) or "front".
        attribution: source, authors and licence.
        unread: what the file holds beside all this, by name; nobody has looked at it.
        task: what is to be learned.
        target_units: of a regression, one text a target.
        validation: [n] bool, training windows that the data itself sets aside for validation; None: it does
            not say.
        groups_train: [n] of whatever tells whose each training window is, so that nobody is in two parts;
            None: each is its own.
        front_end: what made the windows of samples, `FrontEnd.to_dict()`; None: nothing did.
        notes: sentences about what was found and what was done to it, for the user.
        suspicious: the same of what may be a mistake.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    lengths_train: np.ndarray
    lengths_test: np.ndarray
    class_names: tuple[str, ...]
    channel_names: tuple[str, ...]
    channel_units: tuple[str, ...]
    sample_rate_hz: float | None
    padding: str
    attribution: str
    task: str = "classification"
    target_units: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    validation: np.ndarray | None = None
    groups_train: np.ndarray | None = None
    front_end: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    suspicious: tuple[str, ...] = ()


def unread_note(source: str, unread: Sequence[str]) -> tuple[str, ...]:
    """What to tell the user about keys that were not read: one sentence, or none."""
    return (f"Not read in '{source}': {', '.join(unread)}.",) if unread else ()


def pad_front(recordings: Sequence[np.ndarray], steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Put recordings of different length into one array, their last steps aligned.

    Args:
        recordings: arrays [time_i, channels] with time_i <= steps.
        steps: length of the result.

    Returns:
        [n, steps, channels] float32 with NaN in front of the shorter ones, and their lengths [n] int64.
    """
    windows = np.full((len(recordings), steps, recordings[0].shape[1]), np.nan, np.float32)
    for window, recording in zip(windows, recordings, strict=True):
        window[steps - len(recording) :] = recording
    return windows, np.array([len(recording) for recording in recordings], np.int64)


def real_steps(lengths: np.ndarray, steps: int, padding: str = "front") -> np.ndarray:
    """Return [n, steps] bool: True where a step was measured, False where it is padding.

    Args:
        padding: "front" or "end"; where nothing is padded ("none") both say the same.
    """
    if padding == "end":
        return np.arange(steps) < lengths[:, np.newaxis]
    return np.arange(steps) >= steps - lengths[:, np.newaxis]


def moved_padding(values: np.ndarray, lengths: np.ndarray, to: str) -> np.ndarray:
    """Return [n, steps, ...] whose padding was moved from the one side to the other, "front" or "end"."""
    steps = values.shape[1]
    shift = (steps - lengths if to == "end" else lengths)[:, np.newaxis]
    places = (np.arange(steps) + shift) % steps  # [n, steps], where each step comes from
    return np.asarray(values[np.arange(len(values))[:, np.newaxis], places])
