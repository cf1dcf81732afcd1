from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from models.augmentation import Augmentation, Batch, augment, shifted
from models.config import NO_LABEL

RAMP = np.arange(1, 9, dtype=np.float32).reshape(2, 4, 1)  # [2, 4, 1]: 1 2 3 4 and 5 6 7 8
LABELS = np.array([0, 1])


def rows(batch: Batch) -> list[list[float]]:
    return batch.x[:, :, 0].tolist()


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(1, 1, shape).astype(np.float32)


class TestShiftByHand:
    def test_later_and_earlier(self) -> None:
        moved = shifted(Batch(RAMP, LABELS), np.array([1, -2]))
        assert rows(moved) == [[0, 1, 2, 3], [7, 8, 0, 0]]
        assert moved.lengths is None
        assert moved.x.dtype == np.float32

    def test_lengths_follow(self) -> None:
        x = np.where(np.arange(4)[:, np.newaxis] < np.array([3, 2])[:, np.newaxis, np.newaxis], RAMP, 0)
        moved = shifted(Batch(x, LABELS, np.array([3, 2])), np.array([2, -1]))
        assert rows(moved) == [[0, 0, 1, 2], [6, 0, 0, 0]]
        assert moved.lengths is not None
        assert moved.lengths.tolist() == [4, 1]  # 3 + 2 steps do not fit

    def test_one_step_of_a_recording_stays(self) -> None:
        x = np.where(np.arange(4)[:, np.newaxis] < np.array([3, 1])[:, np.newaxis, np.newaxis], RAMP, 0)
        moved = shifted(Batch(x, LABELS, np.array([3, 1])), np.array([-4, -4]))
        assert rows(moved) == [[3, 0, 0, 0], [5, 0, 0, 0]]
        assert moved.lengths is not None
        assert moved.lengths.tolist() == [1, 1]

    def test_labels_of_steps_move_along(self) -> None:
        labels = np.array([[0, 1, 2, 3], [4, 5, 6, 7]])
        moved = shifted(Batch(RAMP, labels), np.array([1, -1]), per_step=True)
        assert moved.y.tolist() == [[NO_LABEL, 0, 1, 2], [5, 6, 7, NO_LABEL]]


class TestEachByItself:
    @pytest.fixture
    def random(self) -> np.random.Generator:
        return np.random.default_rng(5)

    def test_scale_is_one_factor_a_window(self, random: np.random.Generator) -> None:
        x = noise(500, 3, 2)
        factors = augment(Batch(x, LABELS), Augmentation(scale=0.25), random).x / x
        np.testing.assert_allclose(factors, np.broadcast_to(factors[:, :1, :1], x.shape), rtol=1e-6)
        assert 0.75 <= factors.min() < 0.77
        assert 1.23 < factors.max() <= 1.25

    def test_jitter_is_drawn_a_window_and_leaves_padding_alone(self, random: np.random.Generator) -> None:
        lengths = np.full(400, 150)
        x = np.zeros((400, 200, 1), np.float32)
        made = augment(Batch(x, LABELS, lengths), Augmentation(jitter=0.5), random).x
        assert not made[:, 150:].any()
        deviations = made[:, :150, 0].std(axis=1)  # of 150 values: known to 1 / sqrt(300), of which 4 times
        assert deviations.max() < 0.5 * (1 + 4 / 300**0.5)
        assert deviations.min() < 0.02
        np.testing.assert_allclose(deviations.mean(), 0.25, atol=4 * 0.5 / 12**0.5 / 400**0.5)

    @pytest.mark.parametrize("axis", [1, 2])
    def test_masks_are_stretches(self, random: np.random.Generator, axis: int) -> None:
        rule = (
            Augmentation(time_masks=1, time_mask_steps=3)
            if axis == 1
            else Augmentation(channel_masks=1, channel_mask_width=3)
        )
        x = np.ones((2000, 10, 10), np.float32)
        hidden = augment(Batch(x, LABELS), rule, random).x == 0
        across = hidden.all(axis=3 - axis)  # [n, 10], hidden in all of the other axis
        np.testing.assert_array_equal(hidden.any(axis=3 - axis), across)
        widths = across.sum(axis=1)
        counts = np.bincount(widths)
        assert len(counts) == 4  # 0 to 3, each a quarter: 500 of 2000, standard deviation 19
        assert (abs(counts - 500) < 5 * 19).all()
        assert (np.abs(np.diff(across.astype(int), axis=1)).sum(axis=1) <= 2).all()  # one stretch
        assert across[:, 0].any()
        assert across[:, -1].any()

    def test_a_mask_hides_at_most_half_of_a_recording_and_no_padding(
        self, random: np.random.Generator
    ) -> None:
        lengths = np.repeat([1, 2, 5, 10], 100)
        x = np.ones((400, 10, 1), np.float32)
        made = augment(
            Batch(x, LABELS, lengths), Augmentation(time_masks=1, time_mask_steps=100), random
        ).x
        hidden = made[:, :, 0] == 0
        for length in (1, 2, 5, 10):
            rows = hidden[lengths == length]
            assert rows.sum(axis=1).max() == length // 2
            assert not rows[:, length:].any()

    def test_shifts_go_both_ways_as_far_as_allowed(self, random: np.random.Generator) -> None:
        x = np.zeros((500, 9, 1), np.float32)
        x[:, 4] = 1
        made = augment(Batch(x, LABELS), Augmentation(time_shift=2), random).x
        assert set(made[:, :, 0].argmax(axis=1).tolist()) == {2, 3, 4, 5, 6}


ALL = Augmentation(2, 0.2, 0.3, 1, 2, 1, 2)


@pytest.mark.parametrize("lengths", [None, np.array([3, 6, 4, 1])])
def test_a_seed_decides_all_of_it_and_the_windows_stay_as_they_are(lengths: Any) -> None:
    x = noise(4, 6, 3)
    before = x.copy()
    batch = Batch(x, np.arange(4), lengths)
    first, again, other = (augment(batch, ALL, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.x, again.x)
    assert (first.x != other.x).any()
    np.testing.assert_array_equal(x, before)
    assert first.x.dtype == np.float32
    assert first.x.shape == x.shape


@pytest.mark.parametrize("field", [one.name for one in fields(Augmentation)])
def test_zeros_do_nothing(field: str) -> None:
    assert not Augmentation()
    assert replace(Augmentation(), **{field: 1})
    x = noise(2, 4, 1)
    np.testing.assert_array_equal(
        augment(Batch(x, LABELS), Augmentation(), np.random.default_rng(0)).x, x
    )
