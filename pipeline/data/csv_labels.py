"""Labels of windows that were texts in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from models.config import NO_LABEL
from models.errors import InputError
from pipeline.data.dataset import SequenceDataset, real_steps
from pipeline.data.labels import in_order
from pipeline.data.targets import NAMES
from pipeline.data.windowing import PER_STEP, REGRESSION, Windows


def window_labels(labels: Sequence[Sequence[str]], windows: Windows, task: str) -> np.ndarray:
    """Return the labels of one recording's windows.

    Args:
        labels: of each label column one text a step of the recording.

    Returns:
        Texts [windows, columns], those of each window's last step; or where every step has a label [windows,
        steps], those of the first column.
    """
    if task == PER_STEP:
        texts = np.array(labels[0])
        return np.asarray(texts[windows.starts[:, np.newaxis] + np.arange(windows.steps)])
    last = windows.starts + windows.steps - 1
    return np.array([[column[step] for column in labels] for step in last]).reshape(len(last), len(labels))


def labels_of(each: Sequence[np.ndarray], task: str, steps: int, keep: str) -> np.ndarray:
    """Return the labels of all windows of some recordings, as of `window_labels`.

    Labels of steps are cut as their windows are, and have the first one in the place of padding in front.
    """
    if task != PER_STEP:
        return np.concatenate(each)
    rows = []
    for texts in each:
        kept = texts[:, :steps] if keep == "start" else texts[:, -steps:]
        rows.append(np.concatenate([np.repeat(kept[:, :1], steps - kept.shape[1], axis=1), kept], axis=1))
    return np.concatenate(rows)


def as_arrays(labels: Mapping[str, np.ndarray], task: str, columns: Sequence[str]) -> dict[str, np.ndarray]:
    """Return labels of the parts "train" and "test" as `read_targets` takes them, with their names.

    Raises:
        InputError: of several labels or a regression: a text that is no number.
    """
    if task in ("multi-label", REGRESSION):
        values = {f"y_{part}": _numbers(texts, columns) for part, texts in labels.items()}
        return {**values, NAMES[task]: np.array(columns)}
    classes = {f"y_{part}": texts if task == PER_STEP else texts[:, 0] for part, texts in labels.items()}
    return {**classes, "class_names": np.array(in_order(classes["y_train"]))}


def without_padded_labels(data: SequenceDataset) -> SequenceDataset:
    """Return the same with `NO_LABEL` where a step is padding."""
    train, test = (
        np.where(real_steps(lengths, labels.shape[1]), labels, NO_LABEL)
        for labels, lengths in ((data.y_train, data.lengths_train), (data.y_test, data.lengths_test))
    )
    return replace(data, y_train=train, y_test=test)


def _numbers(texts: np.ndarray, columns: Sequence[str]) -> np.ndarray:
    try:
        return texts.astype(np.float64)
    except ValueError as error:
        raise InputError(f"The label columns {', '.join(columns)} have to hold numbers: {error}.") from error
