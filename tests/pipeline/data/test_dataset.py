import numpy as np
import pytest

from pipeline.data.dataset import moved_padding, pad_front, real_steps


def test_shorter_recordings_end_where_the_longest_ends() -> None:
    windows, lengths = pad_front([np.array([[1.0], [2.0], [3.0]]), np.array([[4.0]])], 3)
    np.testing.assert_array_equal(windows[0, :, 0], [1, 2, 3])
    np.testing.assert_array_equal(windows[1, :, 0], [np.nan, np.nan, 4])
    assert lengths.tolist() == [3, 1]
    assert windows.dtype == np.float32


def test_a_recording_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="broadcast"):
        pad_front([np.zeros((4, 1))], 3)


def test_real_steps_are_the_last_ones() -> None:
    assert real_steps(np.array([2, 0, 3]), 3).tolist() == [
        [False, True, True],
        [False, False, False],
        [True, True, True],
    ]


def test_real_steps_and_padding_on_either_side() -> None:
    values, lengths = np.array([[0, 0, 1, 2], [1, 2, 3, 4], [0, 0, 0, 9]]), np.array([2, 4, 1])
    assert real_steps(lengths, 4).tolist() == (values != 0).tolist()
    at_end = moved_padding(values, lengths, "end")
    assert at_end.tolist() == [[1, 2, 0, 0], [1, 2, 3, 4], [9, 0, 0, 0]]
    assert real_steps(lengths, 4, "end").tolist() == (at_end != 0).tolist()
    assert moved_padding(at_end, lengths, "front").tolist() == values.tolist()
