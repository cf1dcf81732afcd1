import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.config import NO_LABEL
from pipeline.data.dataset import SequenceDataset
from pipeline.data.describe import describe_dataset


def dataset(**changes: Any) -> SequenceDataset:
    """20 + 10 windows of 6 steps, 2 channels, 2 classes; nothing is wrong with them."""
    random = np.random.default_rng(0)
    data = SequenceDataset(
        name="good",
        x_train=random.normal(size=(20, 6, 2)).astype(np.float32),
        y_train=np.arange(20) % 2,
        x_test=random.normal(size=(10, 6, 2)).astype(np.float32),
        y_test=np.arange(10) % 2,
        lengths_train=np.full(20, 6),
        lengths_test=np.full(10, 6),
        class_names=("a", "b"),
        channel_names=("x", "y"),
        channel_units=("g", ""),
        sample_rate_hz=50.0,
        padding="none",
        attribution="",
    )
    return replace(data, **changes)


def suspicious(**changes: Any) -> tuple[str, ...]:
    return describe_dataset(dataset(**changes)).suspicious


def test_figures_of_good_data() -> None:
    found = describe_dataset(dataset(notes=("read",), unread=("extra",)))
    assert found.suspicious == ()
    assert (found.parts["train"].windows, found.parts["test"].windows) == (20, 10)
    assert (found.parts["train"].shortest, found.parts["train"].median) == (6, 6.0)
    assert [(one.name, one.train, one.test) for one in found.labels] == [("a", 10, 5), ("b", 10, 5)]
    assert found.channels[0].unit == "g"
    assert found.channels[1].largest == dataset().x_train[:, :, 1].max()
    assert found.notes == ("Not read in 'good': extra.", "read")
    assert found.held_out is None
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["parts"]["test"]["windows"] == 10


def test_padding_counts_nowhere() -> None:
    x = dataset().x_train.copy()
    x[:, :2] = np.nan
    found = describe_dataset(dataset(x_train=x, lengths_train=np.full(20, 4), padding="front"))
    assert found.channels[0].smallest == x[:, 2:, 0].min()
    assert found.parts["train"].longest == 4
    assert found.suspicious == ()


def test_what_the_reader_found_and_held_out() -> None:
    validation = np.arange(20) < 3
    found = describe_dataset(dataset(suspicious=("Told.",), validation=validation))
    assert found.suspicious == ("Told.",)
    assert found.held_out == 3


def changed(part: str, index: Any, value: Any) -> dict[str, np.ndarray]:
    x = getattr(dataset(), f"x_{part}").copy()
    x[index] = value
    return {f"x_{part}": x}


def test_a_channel_that_never_changes() -> None:
    (told,) = suspicious(**changed("train", (..., 1), 2.5))
    assert told == "Channel 'y' is 2.5 in all of training: it says nothing."


def test_clipping() -> None:
    x = np.clip(dataset().x_train, -1, None)
    told = [one for one in suspicious(x_train=x) if "clipping" in one]
    assert len(told) == 2
    assert told[0].startswith("Channel 'x' is at its limit -1 in ")
    # A channel of few values is a count or a switch.
    assert not [one for one in suspicious(x_train=np.rint(x)) if "clipping" in one]
    # The least value of log energies is silence.
    assert not [one for one in suspicious(x_train=x, front_end={}) if "clipping" in one]


@pytest.mark.parametrize("change", [lambda x: 9.81 * x, lambda x: x + 4, lambda x: x / 9.81])
def test_another_unit(change: Any) -> None:
    told = suspicious(x_test=change(dataset().x_test))
    assert len(told) == 2
    assert "another unit?" in told[0]


def test_balance() -> None:
    y = (np.arange(20) == 0).astype(int)
    (told,) = suspicious(y_train=y)
    assert told == "The classes are out of balance: 'a' has 19 training windows, 'b' 1."


def test_few_test_windows() -> None:
    (told,) = suspicious(y_test=(np.arange(10) < 4).astype(int))
    assert told == "Classes with fewer than 5 test windows: 'b' 4."


def test_windows_in_both_parts_and_copies() -> None:
    x = dataset().x_test.copy()
    x[:3] = dataset().x_train[:3]
    (told,) = suspicious(x_test=x)
    assert told == "3 of 10 test windows are in the training part too: they test nothing."
    (told,) = suspicious(**changed("train", 1, dataset().x_train[0]))
    assert told == "1 of 20 training windows are copies of others."


def test_windows_that_never_change() -> None:
    (told,) = suspicious(**changed("test", 4, 0.5))
    assert told == "1 of 10 test windows never change in any channel."


def test_labels_of_other_tasks() -> None:
    steps = np.zeros((10, 6), int)
    steps[:, 0], steps[:, 1] = NO_LABEL, 1
    per_step = describe_dataset(dataset(task="per-step", y_train=np.tile(steps, (2, 1)), y_test=steps))
    assert [(one.train, one.test) for one in per_step.labels] == [(80, 40), (20, 10)]
    both = np.ones((10, 2), int)
    labels = describe_dataset(dataset(task="multi-label", y_train=np.tile(both, (2, 1)), y_test=both))
    assert [(one.train, one.test) for one in labels.labels] == [(20, 10), (20, 10)]
    values = np.array([[1.0, 2.0]] * 10)
    means = describe_dataset(dataset(task="regression", y_train=values, y_test=values))
    assert [(one.train, one.test) for one in means.labels] == [(1, 1), (2, 2)]
    assert means.suspicious == ()
