"""The data as every later stage sees it: standardized splits and what was done to make them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import InputError
from models.inputs import Inputs, inputs_of
from pipeline.data.dataset import SequenceDataset, moved_padding, real_steps
from pipeline.data.preprocessing import Preprocessing

ARRAYS = ("x_train", "y_train", "x_validation", "y_validation", "x_test", "y_test", "raw_test",
          "lengths_train", "lengths_validation", "lengths_test")  # fmt: skip
ARRAYS_FILE, RULES_FILE = "data.npz", "preprocessing.json"


@dataclass(frozen=True)
class PreparedData:
    """Standardized splits.

    Attributes:
        x_train, x_validation, x_test: [n, time, channels] float32, standardized; padding is exactly 0.
        y_train, y_validation, y_test: by task, see `pipeline.data.targets`; [n] int64 of a classification,
            [n, targets] float32, standardized, of a regression.
        raw_test: [n, time, channels] float32, raw units; padding holds the channel mean, so that
            `preprocessing.apply(raw_test)` is `x_test` to the last bit.
        lengths_train, lengths_validation, lengths_test: [n] int64, how many steps of a window are real; the
            others stand on the side that `preprocessing.padding` names.
        preprocessing: constants measured on `x_train`'s real steps alone.
        class_names: what the outputs are called: classes, labels or targets.
        task: what is to be learned.
        target_units: of a regression, one text a target.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    raw_test: np.ndarray
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    channel_names: tuple[str, ...]
    channel_units: tuple[str, ...]
    sample_rate_hz: float | None
    name: str
    attribution: str
    task: str = "classification"
    target_units: tuple[str, ...] = ()
    lengths_train: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    lengths_validation: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    lengths_test: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def save(self, folder: Path) -> None:
        """Write `data.npz` and `preprocessing.json` into an existing folder."""
        np.savez(folder / ARRAYS_FILE, allow_pickle=False, **{key: getattr(self, key) for key in ARRAYS})
        rules = {
            "name": self.name,
            "preprocessing": self.preprocessing.to_dict(),
            "class_names": self.class_names,
            "channel_names": self.channel_names,
            "channel_units": self.channel_units,
            "sample_rate_hz": self.sample_rate_hz,
            "attribution": self.attribution,
            "task": self.task,
            "target_units": self.target_units,
        }
        (folder / RULES_FILE).write_text(
            json.dumps(rules, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )

    def inputs(self, *parts: str) -> Inputs:
        """What a model takes of "train", "validation" or "test", or of several one behind the other.

        With lengths where the padding is at the end, which a model has to be told.
        """
        windows, lengths = (
            np.concatenate([getattr(self, f"{what}_{part}") for part in parts]) for what in ("x", "lengths")
        )
        return inputs_of(windows, lengths if self.preprocessing.padding == "end" else None)

    @property
    def real_test(self) -> np.ndarray | None:
        """Which steps of the test windows count, [n, T] bool; None where all do.

        A model that is not told of padding sees it as steps like others; only labels it has none there.
        """
        rule = self.preprocessing
        if rule.padding == "end" or (rule.padding == "front" and self.task == "per-step"):
            return real_steps(self.lengths_test, rule.steps, rule.padding)
        return None

    @classmethod
    def load(cls, folder: Path) -> PreparedData:
        """Read what `save` wrote."""
        rules = json.loads((folder / RULES_FILE).read_text(encoding="utf-8"))
        with np.load(folder / ARRAYS_FILE, allow_pickle=False) as arrays:
            return cls(
                **{key: arrays[key] for key in ARRAYS},
                preprocessing=Preprocessing.from_dict(rules["preprocessing"]),
                class_names=tuple(rules["class_names"]),
                channel_names=tuple(rules["channel_names"]),
                channel_units=tuple(rules["channel_units"]),
                sample_rate_hz=rules["sample_rate_hz"],
                name=rules["name"],
                attribution=rules["attribution"],
                task=rules["task"],
                target_units=tuple(rules["target_units"]),
            )


def prepare(
    dataset: SequenceDataset,
    validation_fraction: float,
    seed: int,
    padding: str | None = None,
    standardize: bool = True,
) -> PreparedData:
    """Cut a validation part from the training part and standardize everything.

    Args:
        dataset: windows in raw units.
        validation_fraction: share of the training windows, between 0 and 1; of a classification each class
            in proportion, and at least one window of it.
        seed: of the cut. The same seed cuts the same windows.
        padding: "end" puts the padding behind the recordings, for a model that is told their length; None
            leaves it where the data set has it.
        standardize: False leaves the windows as they are (padding is 0); targets are standardized anyway.

    Raises:
        InputError: a class has too few training windows, or values overflow float32 when standardized.
    """
    kept, held_out = _cut(dataset, validation_fraction, seed)
    if padding == "end":
        dataset = _padded_at_end(dataset)
    steps = dataset.x_train.shape[1]
    real_train = real_steps(dataset.lengths_train, steps, dataset.padding)
    real_test = real_steps(dataset.lengths_test, steps, dataset.padding)
    rule = (
        Preprocessing.fit(dataset.x_train[kept], real_train[kept], dataset.padding)
        if standardize
        else Preprocessing.identity(steps, dataset.x_train.shape[2], dataset.padding)
    )
    y_train, y_test = dataset.y_train, dataset.y_test
    if dataset.task == "regression":
        rule = rule.with_targets(y_train[kept])
        y_train, y_test = rule.apply_to_targets(y_train), rule.apply_to_targets(y_test)
    raw_train = rule.fill_padding(dataset.x_train, real_train)
    raw_test = rule.fill_padding(dataset.x_test, real_test)
    with np.errstate(over="ignore", invalid="ignore"):
        x_train, x_test = rule.apply(raw_train), rule.apply(raw_test)
    if not (np.isfinite(x_train).all() and np.isfinite(x_test).all()):
        raise InputError(
            "The values are too far apart: standardized, they overflow float32.",
            "Look for outliers, or express the channel in a larger unit.",
        )
    return PreparedData(
        x_train=x_train[kept],
        y_train=y_train[kept],
        x_validation=x_train[held_out],
        y_validation=y_train[held_out],
        x_test=x_test,
        y_test=y_test,
        raw_test=raw_test,
        preprocessing=rule,
        class_names=dataset.class_names,
        channel_names=dataset.channel_names,
        channel_units=dataset.channel_units,
        sample_rate_hz=dataset.sample_rate_hz,
        name=dataset.name,
        attribution=dataset.attribution,
        task=dataset.task,
        target_units=dataset.target_units,
        lengths_train=dataset.lengths_train[kept],
        lengths_validation=dataset.lengths_train[held_out],
        lengths_test=dataset.lengths_test,
    )


def _padded_at_end(dataset: SequenceDataset) -> SequenceDataset:
    """The same recordings, each from the first step of its window; labels of steps go along."""
    moved: dict[str, Any] = {}
    for part in ("train", "test"):
        lengths = getattr(dataset, f"lengths_{part}")
        for name in (f"x_{part}", *([f"y_{part}"] if dataset.task == "per-step" else [])):
            moved[name] = moved_padding(getattr(dataset, name), lengths, "end")
    return replace(dataset, **moved, padding="end")


def _cut(dataset: SequenceDataset, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the training windows to keep and to hold out, each class in proportion."""
    from sklearn.model_selection import train_test_split

    if not 0 < fraction < 1:
        raise InputError(f"The validation fraction is {fraction}; allowed is a number between 0 and 1.")
    if dataset.task != "classification":
        return _cut_by_chance(len(dataset.y_train), fraction, seed)
    counts = np.bincount(dataset.y_train, minlength=len(dataset.class_names))
    total, classes = len(dataset.y_train), len(counts)
    held_out = max(classes, round(fraction * total))
    if counts.min() < 2 or total - held_out < classes:
        rarest = dataset.class_names[int(counts.argmin())]
        raise InputError(
            f"Too few training windows to cut a validation part: {total} for {classes} classes, "
            f"'{rarest}' has {counts.min()}, and {held_out} would be held out.",
            "Every class needs at least 2 windows; record more, or lower the validation fraction.",
        )
    parts = train_test_split(
        np.arange(total), test_size=held_out, random_state=seed, stratify=dataset.y_train
    )
    kept, validation = (np.sort(part) for part in parts)
    return kept, validation


def _cut_by_chance(total: int, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The same without classes to keep in proportion."""
    held_out = max(1, round(fraction * total))
    if total - held_out < 1:
        raise InputError(
            f"Too few training windows to cut a validation part: {held_out} of {total} would be held out.",
            "Record more, or lower the validation fraction.",
        )
    order = np.random.default_rng(seed).permutation(total)
    return np.sort(order[held_out:]), np.sort(order[:held_out])
