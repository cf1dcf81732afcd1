from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.errors import InputError
from pipeline.data import preprocessing
from pipeline.data.dataset import SequenceDataset, pad_front
from pipeline.data.prepared import ARRAYS, PreparedData, prepare


def dataset(per_class: int = 10, classes: int = 3) -> SequenceDataset:
    """Padded recordings of 2-6 steps; in training, channel 0 holds the window's own number throughout."""
    random = np.random.default_rng(0)
    total = per_class * classes
    lengths = random.integers(2, 7, total)
    lengths[0] = 6
    train = [
        np.column_stack([np.full(length, index), random.normal(5, 2, length)])
        for index, length in enumerate(lengths)
    ]
    x_train, lengths_train = pad_front(train, 6)
    x_test, lengths_test = pad_front([random.normal(size=(length, 2)) for length in (3, 6)], 6)
    return SequenceDataset(
        name="toy",
        x_train=x_train,
        y_train=np.arange(total) % classes,
        x_test=x_test,
        y_test=np.array([0, 1]),
        lengths_train=lengths_train,
        lengths_test=lengths_test,
        class_names=tuple("abcdefghij"[:classes]),
        channel_names=("number", "noise"),
        channel_units=("", "g"),
        sample_rate_hz=10.0,
        padding="front",
        attribution="made up, ☃",
    )


def numbers(data: PreparedData, part: str) -> list[int]:
    """Which recordings a part holds, read back from channel 0 of their last step."""
    rule = data.preprocessing
    return [round(value * rule.std[0] + rule.mean[0]) for value in getattr(data, part)[:, -1, 0].tolist()]


def test_validation_is_cut_from_training_each_class_in_proportion() -> None:
    source = dataset()
    data = prepare(source, 0.2, seed=1)
    kept, held_out = numbers(data, "x_train"), numbers(data, "x_validation")
    assert sorted(kept + held_out) == list(range(30))
    assert np.bincount(data.y_validation).tolist() == [2, 2, 2]
    assert data.y_validation.tolist() == source.y_train[held_out].tolist()
    assert data.y_train.tolist() == source.y_train[kept].tolist()
    assert data.y_test.tolist() == [0, 1]


def test_the_seed_decides_the_cut() -> None:
    cuts = {seed: numbers(prepare(dataset(), 0.2, seed), "x_validation") for seed in (1, 2)}
    assert cuts[1] == numbers(prepare(dataset(), 0.2, 1), "x_validation")
    assert cuts[1] != cuts[2]


def test_constants_come_from_the_kept_training_steps_alone() -> None:
    source = dataset()
    data = prepare(source, 0.2, seed=1)
    steps = source.x_train[numbers(data, "x_train")].reshape(-1, 2)
    steps = steps[np.isfinite(steps[:, 0])].astype(np.float64)
    np.testing.assert_array_equal(data.preprocessing.mean, steps.mean(axis=0).astype(np.float32))
    np.testing.assert_array_equal(data.preprocessing.std, steps.std(axis=0).astype(np.float32))
    changed = replace(source, x_test=source.x_test * 100)
    assert prepare(changed, 0.2, seed=1).preprocessing == data.preprocessing


def test_padding_is_exactly_zero_and_the_recording_ends_at_the_last_step() -> None:
    source = dataset()
    data = prepare(source, 0.2, seed=1)
    assert (data.x_test[0, :3] == 0).all()
    assert (data.x_test[0, 3:] != 0).all()
    for part in ("x_train", "x_validation", "x_test", "raw_test"):
        values = getattr(data, part)
        assert values.dtype == np.float32
        assert np.isfinite(values).all()


def test_raw_test_windows_standardize_to_the_test_windows_bit_for_bit() -> None:
    data = prepare(dataset(), 0.2, seed=1)
    np.testing.assert_array_equal(data.preprocessing.apply(data.raw_test), data.x_test)
    np.testing.assert_array_equal(data.raw_test[0, 3:], dataset().x_test[0, 3:])


def test_small_parts_still_hold_one_window_a_class_out() -> None:
    assert len(prepare(dataset(per_class=4), 0.05, seed=0).x_validation) == 3


def test_save_and_load(tmp_path: Path) -> None:
    data = prepare(dataset(), 0.2, seed=1)
    data.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.npz", "preprocessing.json"]
    again = PreparedData.load(tmp_path)
    for key in ARRAYS:
        np.testing.assert_array_equal(getattr(again, key), getattr(data, key))
        assert getattr(again, key).dtype == getattr(data, key).dtype
    plain = dict.fromkeys(ARRAYS)
    assert replace(again, **plain) == replace(data, **plain)


def test_saving_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        prepare(dataset(), 0.2, seed=1).save(tmp_path / name)
    for file in ("data.npz", "preprocessing.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_a_fraction_that_cuts_nothing_or_all_is_refused(fraction: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        prepare(dataset(), fraction, seed=0)


def test_a_class_with_one_window_is_refused() -> None:
    source = dataset()
    source.y_train[source.y_train == 2] = 0
    source.y_train[0] = 2
    with pytest.raises(InputError, match="30 for 3 classes, 'c' has 1"):
        prepare(source, 0.2, seed=0)


def test_holding_out_nearly_everything_is_refused() -> None:
    with pytest.raises(InputError, match=r"Too few training windows .* 29 would be held out"):
        prepare(dataset(), 0.96, seed=0)


def test_values_that_overflow_when_standardized_are_refused() -> None:
    source = dataset()
    source.x_train[...] = np.where(np.isfinite(source.x_train), 1e-6, np.nan)
    source.x_train[:, -1] = 2e-6
    source.x_test[1, 0] = 3e38
    with pytest.raises(InputError, match="overflow float32"):
        prepare(source, 0.2, seed=0)


@pytest.mark.parametrize("padding", [None, "end"])
def test_consuming_the_windows_and_taking_them_in_portions_change_nothing(
    monkeypatch: pytest.MonkeyPatch, padding: str | None
) -> None:
    whole = prepare(dataset(), 0.2, 1, padding)
    monkeypatch.setattr(preprocessing, "PORTION", 4)
    source = dataset()
    pieces = prepare(source, 0.2, 1, padding, consume=True)
    for key in ARRAYS:
        # The moments may differ by the order of a float64 sum, which float32 does not show here.
        np.testing.assert_array_equal(getattr(whole, key), getattr(pieces, key), err_msg=key)
    assert np.shares_memory(pieces.x_train, source.x_train)
    assert not np.shares_memory(whole.x_train, source.x_train)


def test_windows_that_the_data_sets_aside_are_the_validation_part() -> None:
    chosen = np.arange(30) % 7 == 0
    data = prepare(replace(dataset(), validation=chosen), 0.5, seed=1)
    assert numbers(data, "x_validation") == np.flatnonzero(chosen).tolist()


def test_nobody_is_on_both_sides() -> None:
    who = np.array([f"person {index // 6}" for index in range(30)])
    data = prepare(replace(dataset(), groups_train=who), 0.2, seed=1)
    held_out = numbers(data, "x_validation")
    assert len(held_out) == 6
    assert len(set(who[held_out])) == 1


def test_one_person_cannot_be_parted() -> None:
    with pytest.raises(InputError, match="The training windows are of 1 people or recordings"):
        prepare(replace(dataset(), groups_train=np.full(30, "anna")), 0.2, seed=1)


def test_the_front_end_is_saved(tmp_path: Path) -> None:
    data = prepare(replace(dataset(), front_end={"kind": "log-mel", "mels": 2}), 0.2, seed=1)
    data.save(tmp_path)
    assert PreparedData.load(tmp_path).front_end == {"kind": "log-mel", "mels": 2}


def test_windows_for_a_model_of_its_own_stay_as_they_are_and_padding_is_zero() -> None:
    source = dataset()
    data = prepare(source, 0.2, seed=1, standardize=False)
    np.testing.assert_array_equal(data.x_test[0, 3:], source.x_test[0, 3:])
    assert (data.x_test[0, :3] == 0).all()
    np.testing.assert_array_equal(data.raw_test, data.x_test)
    assert set(data.preprocessing.std) == {1.0}
