"""A peer that does not give the float file's outputs is not timed."""

from pathlib import Path

import numpy as np
import pytest
from float_lstm_file import random_lstm

from converters import schema
from models.errors import VerificationError
from pipeline.benchmark.peers.checking import compare, largest_error, limit, steps_of

A = [np.array([[1.0, 2.0]], np.float32), np.array([0.5], np.float32)]


def test_the_largest_difference_of_all_outputs() -> None:
    assert compare(A, A) == 0
    assert compare(A, [A[0] + [[0.0, -0.25]], A[1] + 0.125]) == 0.25


@pytest.mark.parametrize(
    ("other", "message"),
    [(A[:1], "shapes"), (A[::-1], "shapes"), ([A[0], np.array([np.nan], np.float32)], "not finite")],
)
def test_outputs_that_do_not_fit(other: list[np.ndarray], message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        compare(A, other)


def test_the_limit_by_hand() -> None:
    """29 x 2^-18, of outputs up to 2 twice that, of small outputs no less."""
    assert limit(29, A) == 29 / 2**18 * 2
    assert limit(29, [A[1]]) == 29 / 2**18


def test_files_are_compared_in_a_child_process(tmp_path: Path) -> None:
    paths = [tmp_path / "a.tflite", tmp_path / "b.tflite"]
    for seed, path in enumerate(paths):
        path.write_bytes(random_lstm(3, 4, 6, seed))
    assert steps_of(schema.read_model(paths[0])) == 6
    assert largest_error(paths[0], paths[0], "tflite", tmp_path / "same", exact=True) == 0
    assert largest_error(paths[0], paths[1], "tflite", tmp_path / "told", exact=False) > 0.01
    with pytest.raises(VerificationError, match=r"its outputs differ by .* is allowed"):
        largest_error(paths[0], paths[1], "tflite", tmp_path / "refused", exact=True)
