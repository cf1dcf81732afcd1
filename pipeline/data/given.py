"""Windows that files are compared on: a data set's test part, or an .npz with nothing but windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.config import NO_LABEL
from models.errors import InputError
from pipeline.data import names
from pipeline.data.archive import npz_keys, read_npz
from pipeline.data.dataset import moved_padding, pad_front, real_steps
from pipeline.data.lengths import checked_lengths, lengths_key, without_padding, zeros_for_padding
from pipeline.data.npz import LENGTHS, OPTIONAL, REQUIRED, checked_windows, sample_rate, unread_keys
from pipeline.data.options import ReadOptions
from pipeline.data.preprocessing import Preprocessing
from pipeline.data.registry import read_dataset
from pipeline.data.targets import names_of, said_task, texts

GOLDEN, PLAIN = ("raw_features", "features", "labels"), ("x_test", "y_test")
GOLDEN_ANSWERS = ("float_logits", "float_attention_weights")  # files are asked themselves
KEYS = (*GOLDEN, "lengths", *GOLDEN_ANSWERS, *REQUIRED, *OPTIONAL)  # all of an .npz of windows


@dataclass(frozen=True)
class GivenWindows:
    """Windows, and what is known about them.

    Attributes:
        name: of the data.
        recordings: each [time_i, channels] float32, raw units; empty where only `features` are known.
        features: [n, time, channels] float32, standardized; None where only `recordings` are known.
        labels: [n, ...], as `pipeline.data.targets` reads them; None where nobody knows them.
        task: what they are labels of; None where nobody says.
        lengths: [n], how many steps of `features` count, the others being padding at the end; None: all.
        class_names: of the classes, labels or targets, channel_names, channel_units: texts; empty where they
            are not known.
        sample_rate_hz: steps per second, None where it is not known.
        attribution: source, authors and licence.
        unread: what the file holds beside all this, by name.
    """

    name: str
    recordings: tuple[np.ndarray, ...] = ()
    features: np.ndarray | None = None
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    channel_names: tuple[str, ...] = ()
    channel_units: tuple[str, ...] = ()
    sample_rate_hz: float | None = None
    attribution: str = ""
    unread: tuple[str, ...] = ()
    task: str | None = None
    lengths: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.recordings and len(self.recordings) != len(self):
            raise InputError(
                f"There are {len(self.recordings)} raw windows, and {len(self)} standardized ones."
            )
        if len({recording.shape[1] for recording in self.recordings}) > 1:
            raise InputError("The windows differ in their number of channels.")
        if self.labels is not None and self.labels.shape[:1] != (len(self),):
            raise InputError(f"There are {len(self)} windows, and labels of shape {self.labels.shape}.")

    def __len__(self) -> int:
        return len(self.recordings) if self.features is None else len(self.features)

    def select(self, chosen: np.ndarray) -> GivenWindows:
        """Return the windows of the given indices [m], in that order."""
        return replace(
            self,
            recordings=tuple(self.recordings[index] for index in chosen) if self.recordings else (),
            features=None if self.features is None else self.features[chosen],
            labels=None if self.labels is None else self.labels[chosen],
            lengths=None if self.lengths is None else self.lengths[chosen],
        )

    def real_steps(self, steps: int) -> np.ndarray:
        """Return [n, steps] bool, True where a step of a window counts that is padded at the end."""
        if self.lengths is None:
            known = [len(recording) for recording in self.recordings] or [steps] * len(self)
            return real_steps(np.array(known), steps, "end")
        return real_steps(self.lengths, steps, "end")

    def standardized(
        self, rule: Preprocessing | None, steps: int, channels: int, at_end: bool = False
    ) -> np.ndarray:
        """Return what a model takes, [n, steps, channels] float32.

        Args:
            rule: standardizes `recordings`. Without a rule `features` are taken, or where there are none the
                recordings as they are.
            at_end: where shorter recordings are padded that no rule is for.

        Raises:
            InputError: the windows have another shape.
        """
        if self.recordings and (rule is not None or self.features is None):
            longest = max(map(len, self.recordings))
            width = self.recordings[0].shape[1]
            padding = rule.padding if rule is not None else "end" if at_end else "front"
            may_pad = padding != "none"
            shortest = min(map(len, self.recordings)) if not may_pad else steps
            if (width, longest <= steps, shortest) == (channels, True, steps):
                raw, lengths = pad_front(self.recordings, steps)
                real = real_steps(lengths, steps)
                if padding == "end":
                    raw, real = moved_padding(raw, lengths, "end"), real_steps(lengths, steps, "end")
                if rule is None:
                    return np.where(real[..., np.newaxis], raw, np.float32(0))
                return rule.apply(rule.fill_padding(raw, real))
            shape = (longest, width)
        else:
            assert self.features is not None
            shape = self.features.shape[1:]
            if shape == (steps, channels):
                return self.features
        raise InputError(
            f"The windows of '{self.name}' are {list(shape)} [time, channels]; "
            f"the model takes {[steps, channels]}."
        )


def read_given(source: str, task: str | None = None, labels: bool = True) -> GivenWindows:
    """Read the windows of a data set by name, of an .npz data set, of a `golden.npz`, or of an .npz with
    `x_test` and perhaps `y_test`.

    Args:
        task: what the models of these windows answer; counts where a data set does not say what it is for.
        labels: False reads and checks no labels of an .npz: windows are all that is needed.

    Raises:
        InputError: none of these, or the file cannot be used.
    """
    path = Path(source)
    if source not in names() and path.is_dir():
        raise InputError(
            f"'{source}' is a folder, and how it was read is not known here.",
            "Give the golden.npz of its build, which holds the test part.",
        )
    if source in names() or path.suffix.lower() != ".npz":
        return _test_part(source, task)
    present = npz_keys(path)
    if labels and set(REQUIRED) <= set(present):
        return _test_part(source, task)
    if {"raw_features", "features", "x_test"}.isdisjoint(present):
        raise InputError(
            f"'{path.name}' has no windows. It has: {', '.join(present) or 'nothing'}.",
            "It needs `x_test` (and `y_test` for accuracies), or what a build's golden.npz has.",
        )
    keys = PLAIN if "x_test" in present else GOLDEN
    told = lengths_key(keys[0], present)
    read = (*keys, *(() if told is None else (told,)), *(key for key in OPTIONAL if key not in LENGTHS))
    unused = () if labels else (*REQUIRED, *LENGTHS)
    ignored = unread_keys(present, (*read, *unused, *(GOLDEN_ANSWERS if keys is GOLDEN else ())))
    wanted = [key for key in read if key in present and (labels or key != keys[-1])]
    arrays = read_npz(path, lambda _: wanted)
    lengths = None if told is None else arrays[told]
    windows = {}
    for key in keys[:-1]:
        if key in arrays:
            windows[key], lengths = _windows(key, arrays[key], told, lengths)
    known, said = arrays.get(keys[-1]), said_task(arrays)
    if known is not None and lengths is not None and (said or task) == "per-step":
        known = _of_real_steps(known, lengths)
    return GivenWindows(
        name=path.stem,
        recordings=_recordings(windows[keys[0]], lengths) if keys[0] in windows else (),
        lengths=lengths,
        features=windows.get("features"),
        labels=known,
        class_names=names_of(arrays),
        task=said,
        channel_names=texts(arrays, "channel_names", next(iter(windows.values())).shape[2]),
        channel_units=texts(arrays, "channel_units", next(iter(windows.values())).shape[2]),
        sample_rate_hz=sample_rate(arrays),
        attribution=f"{path.name}, a file of the user's own.",
        unread=ignored,
    )


def _test_part(source: str, task: str | None) -> GivenWindows:
    """The test part of a labelled data set; what was padded is cut off again."""
    data = read_dataset(source, ReadOptions(task))
    return GivenWindows(
        name=data.name,
        recordings=_cut(data.x_test, data.lengths_test),
        labels=data.y_test,
        class_names=data.class_names,
        channel_names=data.channel_names,
        channel_units=data.channel_units,
        sample_rate_hz=data.sample_rate_hz,
        attribution=data.attribution,
        unread=data.unread,
        task=data.task,
    )


def _windows(
    key: str, values: np.ndarray, told: str | None, lengths: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Windows [n, time, channels] float32 with zeros for padding, and their lengths, both checked."""
    if told is None or lengths is None or values.ndim != 3 or values.size == 0:
        return checked_windows(key, values), lengths
    lengths = checked_lengths(told, lengths, values, key)
    windows = checked_windows(key, without_padding(values, lengths))
    return zeros_for_padding(windows, lengths), lengths


def _of_real_steps(labels: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Labels [n, steps] with `NO_LABEL` for the padding; of another shape as they are, which is refused."""
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        return labels
    return np.where(real_steps(lengths, labels.shape[1], "end"), labels, NO_LABEL)


def _recordings(windows: np.ndarray, lengths: np.ndarray | None) -> tuple[np.ndarray, ...]:
    """Each window without the padding at its end."""
    if lengths is None:
        return tuple(windows)
    return tuple(window[:length] for window, length in zip(windows, lengths, strict=True))


def _cut(windows: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, ...]:
    steps = windows.shape[1]
    return tuple(window[steps - length :] for window, length in zip(windows, lengths, strict=True))


def as_given(
    windows: np.ndarray | Sequence[np.ndarray], labels: Sequence[int] | np.ndarray | None, standardized: bool
) -> GivenWindows:
    """Windows from memory: [n, time, channels], or a row of [time_i, channels] of different length.

    Args:
        standardized: True where they are what the model takes; False for raw units.

    Raises:
        InputError: another shape, or a value that is no finite number.
    """
    known = None if labels is None else np.asarray(labels)
    if standardized:
        return GivenWindows("windows", features=checked_windows("windows", np.asarray(windows)), labels=known)
    if not len(windows):
        raise InputError("There are no windows.")
    each = (checked_windows("windows", np.asarray(window)[np.newaxis])[0] for window in windows)
    return GivenWindows("windows", recordings=tuple(each), labels=known)
