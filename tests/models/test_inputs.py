"""What a model is fed, with and without lengths."""

import numpy as np

from models.inputs import inputs_of, take, windows_in

FEATURES = np.arange(12, dtype=np.float32).reshape(3, 2, 2)


def test_without_lengths_the_windows_are_all_there_is() -> None:
    assert inputs_of(FEATURES, None) is FEATURES
    assert windows_in(FEATURES) is FEATURES
    np.testing.assert_array_equal(take(FEATURES, slice(1, 3)), FEATURES[1:])


def test_lengths_are_cut_with_their_windows() -> None:
    inputs = inputs_of(FEATURES, np.array([2, 1, 2]))
    assert windows_in(inputs) is FEATURES
    cut = take(inputs, np.array([1]))
    assert isinstance(cut, dict)
    assert cut["lengths"].dtype == np.int32
    np.testing.assert_array_equal(cut["lengths"], [1])
    np.testing.assert_array_equal(cut["features"], FEATURES[1:2])
