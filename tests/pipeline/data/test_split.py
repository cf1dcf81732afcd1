import numpy as np
import pytest

from pipeline.data.split import by_share


def test_nobody_is_on_both_sides() -> None:
    groups = np.repeat(np.arange(10), 6)
    classes = np.tile([0, 1, 2], 20)
    taken = by_share(groups, classes, 0.3, seed=0)
    assert taken.sum() == 18  # 3 of 10 groups
    for group in range(10):
        assert len(set(taken[groups == group])) == 1


def test_every_class_gives_its_share_where_each_recording_is_its_own_group() -> None:
    classes = np.repeat([0, 1], [50, 10])
    taken = by_share(np.arange(60), classes, 0.2, seed=3)
    assert taken[:50].sum() == 10
    assert taken[50:].sum() == 2


def test_the_seed_decides() -> None:
    groups, classes = np.arange(40), np.zeros(40)
    first = by_share(groups, classes, 0.5, seed=0)
    np.testing.assert_array_equal(first, by_share(groups, classes, 0.5, seed=0))
    assert (first != by_share(groups, classes, 0.5, seed=1)).any()


def test_two_groups_by_hand() -> None:
    """Of 5 and 1 recordings a share of 0.2 is 1.2: the group of one is nearer to it."""
    groups = np.array(["a"] * 5 + ["b"])
    for seed in range(4):
        assert by_share(groups, np.zeros(6), 0.2, seed).tolist() == [False] * 5 + [True]


@pytest.mark.parametrize("seed", range(4))
def test_groups_larger_than_the_share(seed: int) -> None:
    """Each of two equal groups is more than twice the share; one is taken all the same."""
    taken = by_share(np.array([0, 0, 1, 1]), np.zeros(4), 0.1, seed)
    assert taken.sum() == 2


def test_one_group_cannot_be_parted() -> None:
    assert not by_share(np.zeros(5), np.arange(5), 0.2, seed=0).any()


def test_one_group_is_left() -> None:
    assert by_share(np.array([0, 1]), np.zeros(2), 0.9, seed=0).sum() == 1


@pytest.mark.parametrize("seed", range(8))
def test_something_of_every_class_is_left(seed: int) -> None:
    """Only a and b have class 1: at most one of them is taken."""
    groups = np.array(["a", "b", "c", "d"])
    taken = by_share(groups, np.array([1, 1, 0, 0]), 0.5, seed)
    assert taken.tolist() in ([True, False, True, False], [True, False, False, True],
                              [False, True, True, False], [False, True, False, True])  # fmt: skip


def test_people_who_each_have_a_class_cannot_be_parted() -> None:
    assert not by_share(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), 0.2, seed=0).any()
