"""The data as every later stage sees it: standardized splits and what was done to make them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import InputError
from models.inputs import Inputs, inputs_of
from pipeline.data.dataset import SequenceDataset, moved_padding, real_steps
from pipeline.data.preprocessing import Preprocessing, portions
from pipeline.data.split import by_share

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
        front_end: what made the windows of samples, `FrontEnd.to_dict()`; None: nothing did.
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
    front_end: dict[str, Any] | None = None

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
            "front_end": self.front_end,
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
                front_end=rules["front_end"],
            )


def prepare(
    dataset: SequenceDataset,
    validation_fraction: float,
    seed: int,
    padding: str | None = None,
    consume: bool = False,
    standardize: bool = True,
) -> PreparedData:
    """Cut a validation part from the training part and standardize everything.

    Args:
        dataset: windows in raw units.
        validation_fraction: share of the training windows, between 0 and 1; of a classification each class
            in proportion, and at least one window of it. Where the data sets windows aside itself, these;
            where it says whose they are, nobody is on both sides.
        seed: of the cut. The same seed cuts the same windows.
        padding: "end" puts the padding behind the recordings, for a model that is told their length; None
            leaves it where the data set has it.
        consume: whether the training windows may be overwritten, so that large data is held once.
        standardize: False leaves the windows as they are (padding is 0); targets are standardized anyway.

    Raises:
        InputError: a class has too few training windows, or values overflow float32 when standardized.
    """
    kept, held_out = _cut(dataset, validation_fraction, seed)
    steps = dataset.x_train.shape[1]
    real_train = real_steps(dataset.lengths_train, steps, dataset.padding)
    rule = (
        Preprocessing.fit(dataset.x_train, real_train, padding or dataset.padding, kept)
        if standardize
        else Preprocessing.identity(steps, dataset.x_train.shape[2], padding or dataset.padding)
    )
    y_train, y_test = dataset.y_train, dataset.y_test
    if padding == "end" and dataset.task == "per-step":
        y_train = moved_padding(y_train, dataset.lengths_train, "end")
        y_test = moved_padding(y_test, dataset.lengths_test, "end")
    if dataset.task == "regression":
        rule = rule.with_targets(y_train[kept])
        y_train, y_test = rule.apply_to_targets(y_train), rule.apply_to_targets(y_test)
    every = np.arange(len(dataset.x_test))
    raw_test = _raw(dataset, rule, "test", every)
    x_validation = _standardized(dataset, rule, "train", held_out)
    # Row i of the result is row kept[i] >= i of the source, so that it may be written over what was read.
    x_train = _standardized(dataset, rule, "train", kept, dataset.x_train if consume else None)
    return PreparedData(
        x_train=x_train,
        y_train=y_train[kept],
        x_validation=x_validation,
        y_validation=y_train[held_out],
        x_test=_standardized(dataset, rule, "test", every),
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
        front_end=dataset.front_end,
    )


def _raw(dataset: SequenceDataset, rule: Preprocessing, part: str, rows: np.ndarray) -> np.ndarray:
    """Some windows in raw units, the padding where the rule has it and holding the channels' means."""
    lengths = getattr(dataset, f"lengths_{part}")[rows]
    windows = getattr(dataset, f"x_{part}")[rows]
    if rule.padding == "end" and dataset.padding != "end":
        windows = moved_padding(windows, lengths, "end")
    return rule.fill_padding(windows, real_steps(lengths, windows.shape[1], rule.padding))


def _standardized(
    dataset: SequenceDataset, rule: Preprocessing, part: str, rows: np.ndarray, into: np.ndarray | None = None
) -> np.ndarray:
    """Some windows as the model takes them, a portion at a time; into the first rows of an array if given."""
    if into is None:
        into = np.empty((len(rows), rule.steps, rule.features), np.float32)
    done = 0
    for some in portions(rows):
        with np.errstate(over="ignore", invalid="ignore"):
            made = rule.apply(_raw(dataset, rule, part, some))
        if not np.isfinite(made).all():
            raise InputError(
                "The values are too far apart: standardized, they overflow float32.",
                "Look for outliers, or express the channel in a larger unit.",
            )
        into[done : done + len(some)] = made
        done += len(some)
    return into[:done]


def _cut(dataset: SequenceDataset, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the training windows to keep and to hold out, each class in proportion."""
    from sklearn.model_selection import train_test_split

    if not 0 < fraction < 1:
        raise InputError(f"The validation fraction is {fraction}; allowed is a number between 0 and 1.")
    if dataset.validation is not None:
        return np.flatnonzero(~dataset.validation), np.flatnonzero(dataset.validation)
    if dataset.groups_train is not None:
        return _cut_by_groups(dataset, dataset.groups_train, fraction, seed)
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


def _cut_by_groups(
    dataset: SequenceDataset, groups: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The same with nobody on both sides."""
    one_class = np.zeros(len(groups), np.int64)
    classes = dataset.y_train if dataset.task == "classification" else one_class
    held_out = by_share(groups, classes, fraction, seed)
    if not held_out.any():
        raise InputError(
            f"The training windows are of {len(set(groups.tolist()))} people or recordings, and "
            "none can be held out for validation without losing a class.",
            "Record every class of more of them.",
        )
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


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
