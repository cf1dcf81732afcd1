"""What a data set is, in figures, and what about it may be a mistake."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from models.config import NO_LABEL
from pipeline.data.dataset import SequenceDataset, real_steps, unread_note
from pipeline.data.ranges import ChannelRange, measure

IMBALANCE = 10
"""A class with so many times the windows of another is told."""
FEW = 5
"""A class with fewer test windows is told: a single one changes its recall by more than a fifth."""
APART = 3.0
"""So many training standard deviations between the means of the parts, or such a ratio of their standard
deviations, are told: it is how a part in another unit looks."""


CLIPPED, SOME = 0.01, 10
"""A channel that is at its limit in more than this share of the steps, and in more than so many, is told; not
one of so few different values, which is a count or a switch."""


@dataclass(frozen=True)
class PartFigures:
    """The training or test part.

    Attributes:
        windows: how many.
        shortest, median, longest: real steps of them.
    """

    windows: int
    shortest: int
    median: float
    longest: int


@dataclass(frozen=True)
class Label:
    """One class, label or target.

    Attributes:
        train, test: windows that have it (of per-step labels: steps); of a target its mean.
    """

    name: str
    train: float
    test: float


@dataclass(frozen=True)
class Description:
    """What is said of a data set.

    Attributes:
        steps: of a window after padding.
        held_out: training windows that the data itself sets aside for validation; None: it does not say.
        channels: ranges in the training part, raw units.
        notes: what was found and done when it was read.
        suspicious: what may be a mistake.
    """

    name: str
    task: str
    steps: int
    sample_rate_hz: float | None
    parts: dict[str, PartFigures]
    held_out: int | None
    labels: tuple[Label, ...]
    channels: tuple[ChannelRange, ...]
    front_end: dict[str, Any] | None
    notes: tuple[str, ...]
    suspicious: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def describe_dataset(data: SequenceDataset) -> Description:
    """Measure a data set and look for mistakes."""
    steps = data.x_train.shape[1]
    train, test = (
        measure(windows, real_steps(lengths, steps, data.padding), data.channel_names, data.channel_units)
        for windows, lengths in ((data.x_train, data.lengths_train), (data.x_test, data.lengths_test))
    )
    labels = _labels(data)
    return Description(
        name=data.name,
        task=data.task,
        steps=steps,
        sample_rate_hz=data.sample_rate_hz,
        parts={"train": _part(data.lengths_train), "test": _part(data.lengths_test)},
        held_out=None if data.validation is None else int(data.validation.sum()),
        labels=labels,
        channels=train,
        front_end=data.front_end,
        notes=(*unread_note(data.name, data.unread), *data.notes),
        suspicious=(
            *data.suspicious,
            *_in_channels(train, test, limits=data.front_end is None),
            *_in_classes(data.task, labels),
            *_in_windows(data),
        ),
    )


def _part(lengths: np.ndarray) -> PartFigures:
    return PartFigures(len(lengths), int(lengths.min()), float(np.median(lengths)), int(lengths.max()))


def _labels(data: SequenceDataset) -> tuple[Label, ...]:
    columns = []
    for y in (data.y_train, data.y_test):
        if data.task == "regression":
            columns.append(y.mean(axis=0))
        elif data.task == "multi-label":
            columns.append(y.sum(axis=0))
        else:
            columns.append(np.bincount(y[y != NO_LABEL].ravel(), minlength=len(data.class_names)))
    rows = zip(data.class_names, *columns, strict=True)
    return tuple(Label(name, train.item(), test.item()) for name, train, test in rows)


def _in_channels(
    train: tuple[ChannelRange, ...], test: tuple[ChannelRange, ...], limits: bool
) -> Iterator[str]:
    """Channels that never change, reach a limit, or differ between the parts.

    Args:
        limits: False of features, whose least value is that of silence.
    """
    for here, there in zip(train, test, strict=True):
        if here.smallest == here.largest:
            yield f"Channel '{here.name}' is {here.smallest:g} in all of training: it says nothing."
            continue
        for at, limit in ((here.at_smallest, here.smallest), (here.at_largest, here.largest)):
            share = at / here.steps
            if limits and share > CLIPPED and at > SOME and here.distinct > SOME:
                yield (
                    f"Channel '{here.name}' is at its limit {limit:g} in {share:.1%} of the steps: clipping?"
                )
        apart = abs(there.mean - here.mean) > APART * here.std
        if apart or not 1 / APART <= there.std / here.std <= APART:
            yield (
                f"Channel '{here.name}' has {here.mean:.4g} +- {here.std:.4g} in training and "
                f"{there.mean:.4g} +- {there.std:.4g} in the test part: another unit?"
            )


def _in_classes(task: str, labels: tuple[Label, ...]) -> Iterator[str]:
    """Classes that are rare, or absent from the test part."""
    if task == "regression":
        return
    what = "steps" if task == "per-step" else "windows"
    rarest, most = (choose(labels, key=lambda one: one.train) for choose in (min, max))
    if most.train >= IMBALANCE * rarest.train:
        yield (
            f"The classes are out of balance: '{most.name}' has {most.train:g} training {what}, "
            f"'{rarest.name}' {rarest.train:g}."
        )
    few = [one for one in labels if one.test < FEW]
    if few:
        named = ", ".join(f"'{one.name}' {one.test:g}" for one in few[:5]) + (", ..." if len(few) > 5 else "")
        yield f"Classes with fewer than {FEW} test {what}: {named}."


def _in_windows(data: SequenceDataset) -> Iterator[str]:
    """Windows that come twice, and such that never change."""
    train, test = (
        [hashlib.blake2b(window.tobytes(), digest_size=16).digest() for window in windows]
        for windows in (data.x_train, data.x_test)
    )
    known = set(train)
    both = sum(one in known for one in test)
    if both:
        yield f"{both} of {len(test)} test windows are in the training part too: they test nothing."
    if len(known) < len(train):
        yield f"{len(train) - len(known)} of {len(train)} training windows are copies of others."
    for what, windows in (("training", data.x_train), ("test", data.x_test)):
        last = windows[:, -1:] if data.padding != "end" else windows[:, :1]  # a real step
        flat = sum(bool((np.isnan(w) | (w == one)).all()) for w, one in zip(windows, last, strict=True))
        if flat:
            yield f"{flat} of {len(windows)} {what} windows never change in any channel."
