"""Lengths of windows that are padded at their end."""

import numpy as np
import pytest

from models.errors import InputError
from pipeline.data.lengths import checked_lengths, lengths_key, without_padding

WINDOWS = np.arange(12, dtype=np.float32).reshape(2, 3, 2)


def test_each_window_has_its_own() -> None:
    found = checked_lengths("lengths", np.array([1, 3], np.uint8), WINDOWS, "x_test")
    assert found.tolist() == [1, 3]
    assert found.dtype == np.int64


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ([1, 2, 3], r"the 2 windows of x_test; its shape is \(3,\)"),
        ([1.0, 2.0], "it holds float64 values"),
        (["1", "2"], "it holds <U1 values"),
        ([3, 0], "that of window 1 is 0"),
        ([4, 3], "one whole number from 1 to 3 .* that of window 0 is 4"),
    ],
)
def test_others_are_refused_and_the_message_says_what_is_wrong(lengths: list[object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        checked_lengths("lengths", np.array(lengths), WINDOWS, "x_test")


def test_the_first_step_stands_for_the_padding() -> None:
    padded = np.where(np.arange(12).reshape(2, 3, 2) > 8, np.float32(np.nan), WINDOWS)
    found = without_padding(padded, np.array([3, 1]))
    np.testing.assert_array_equal(found, [WINDOWS[0], WINDOWS[1][[0, 0, 0]]])


def test_the_key_goes_with_the_windows() -> None:
    both = ("lengths", "lengths_test")
    assert lengths_key("x_test", both) == "lengths_test"
    assert lengths_key("x_test", ("lengths",)) == "lengths"
    assert lengths_key("raw_features", both) == "lengths"
    assert lengths_key("raw_features", ("lengths_test",)) is None


NOTHING, REAL = [[0.0, 0.0]] * 2, [[1.0, 2.0], [3.0, 4.0], [5.0, 0.0]]


@pytest.mark.parametrize("front", [NOTHING, [[np.nan] * 2] * 2, [[0.0, np.nan]] * 2])
def test_a_window_that_is_padded_in_front_is_refused_by_its_number(front: list[list[float]]) -> None:
    windows = np.array([REAL + NOTHING, front + REAL], np.float32)
    words = r"the first 3 of the 5 steps of window 1 of x_test .* as 1 of 2 windows"
    with pytest.raises(InputError, match=words) as found:
        checked_lengths("lengths", np.array([3, 3]), windows, "x_test")
    assert "np.roll" in found.value.tip


@pytest.mark.parametrize(
    ("window", "length"),
    [
        (REAL + NOTHING, 3),
        (NOTHING + REAL, 5),  # nothing is padded
        (NOTHING + REAL + NOTHING, 5),  # zeros that were measured
        (NOTHING + REAL + [[np.nan] * 2] * 2, 5),
        (NOTHING + REAL + REAL[-1:] * 2, 5),  # the last step, held
        (REAL[:1] + NOTHING + REAL, 3),  # whatever stands behind
    ],
)
def test_what_may_be_padding_at_the_end_is_taken(window: list[list[float]], length: int) -> None:
    windows = np.array([window], np.float32)
    assert checked_lengths("lengths", np.array([length]), windows, "x_test").tolist() == [length]
