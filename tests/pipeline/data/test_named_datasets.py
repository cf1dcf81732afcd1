"""What aeon really carries, against what we say about it."""

import numpy as np
import pytest

from pipeline.data.dataset import SequenceDataset, real_steps
from pipeline.data.registry import DatasetInfo, describe, load_dataset


@pytest.fixture(scope="module", params=describe(), ids=lambda info: info.name)
def pair(request: pytest.FixtureRequest) -> tuple[DatasetInfo, SequenceDataset]:
    return request.param, load_dataset(request.param.name)


def test_data_is_as_described(pair: tuple[DatasetInfo, SequenceDataset]) -> None:
    info, data = pair
    assert data.x_train.shape == (info.train_windows, info.steps, info.channels)
    assert data.x_test.shape == (info.test_windows, info.steps, info.channels)
    assert data.x_train.dtype == data.x_test.dtype == np.float32
    assert data.y_train.dtype == data.y_test.dtype == np.int64
    assert len(data.class_names) == info.classes
    assert len(data.channel_names) == len(data.channel_units) == info.channels
    lengths = np.concatenate([data.lengths_train, data.lengths_test])
    assert (lengths.min(), lengths.max()) == (info.shortest_steps, info.steps)
    assert data.padding == ("front" if info.shortest_steps < info.steps else "none")
    assert (data.attribution, data.sample_rate_hz) == (info.attribution, info.sample_rate_hz)


def test_every_class_is_in_both_parts(pair: tuple[DatasetInfo, SequenceDataset]) -> None:
    info, data = pair
    for labels in (data.y_train, data.y_test):
        assert set(labels.tolist()) == set(range(info.classes))


def test_exactly_the_padded_steps_are_nan(pair: tuple[DatasetInfo, SequenceDataset]) -> None:
    info, data = pair
    for windows, lengths in ((data.x_train, data.lengths_train), (data.x_test, data.lengths_test)):
        real = np.broadcast_to(real_steps(lengths, info.steps)[..., np.newaxis], windows.shape)
        np.testing.assert_array_equal(np.isfinite(windows), real)


def test_windows_are_the_recordings_of_aeon_end_to_end() -> None:
    from aeon.datasets import load_basic_motions, load_japanese_vowels

    recordings, labels = load_japanese_vowels(split="test")
    data = load_dataset("japanese-vowels")
    np.testing.assert_array_equal(
        data.x_test[5, -recordings[5].shape[1] :], recordings[5].T.astype(np.float32)
    )
    assert data.class_names[data.y_test[5]] == f"speaker {labels[5]}"
    windows, labels = load_basic_motions(split="train")
    data = load_dataset("basic-motions")
    np.testing.assert_array_equal(data.x_train[7], windows[7].T.astype(np.float32))
    assert [data.class_names[label] for label in data.y_train] == labels.tolist()
