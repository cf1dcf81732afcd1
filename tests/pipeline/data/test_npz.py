from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import InputError
from pipeline.data.npz import read
from pipeline.data.registry import load_dataset


def good(**changes: Any) -> dict[str, Any]:
    """A tiny valid file: 4 + 3 windows of 5 steps, 2 channels, 2 classes. None takes a key away."""
    random = np.random.default_rng(0)
    arrays = {
        "x_train": random.normal(size=(4, 5, 2)),
        "y_train": np.array([0, 1, 0, 1]),
        "x_test": random.normal(size=(3, 5, 2)),
        "y_test": np.array([1, 0, 1]),
    }
    return {key: value for key, value in {**arrays, **changes}.items() if value is not None}


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "mine.npz"
    np.savez(path, **good(**changes))
    return path


def test_minimal_file_gets_default_names(tmp_path: Path) -> None:
    path = write(tmp_path)
    data = load_dataset(str(path))
    assert (data.name, data.padding, data.sample_rate_hz) == ("mine", "none", None)
    assert data.class_names == ("class 0", "class 1")
    assert data.channel_names == ("channel 0", "channel 1")
    assert data.channel_units == ("", "")
    assert data.lengths_train.tolist() == [5] * 4
    assert data.lengths_test.tolist() == [5] * 3
    np.testing.assert_array_equal(data.x_train, good()["x_train"].astype(np.float32))
    assert data.y_test.tolist() == [1, 0, 1]
    assert "mine.npz" in data.attribution


def test_optional_keys_are_used(tmp_path: Path) -> None:
    data = read(
        write(
            tmp_path,
            class_names=np.array(["<script>", "b"]),
            channel_names=np.array(["x", "y"]),
            channel_units=np.array(["g", "rad/s"]),
            sample_rate_hz=np.float64(50),
        )
    )
    assert data.class_names == ("<script>", "b")
    assert data.channel_names == ("x", "y")
    assert data.channel_units == ("g", "rad/s")
    assert data.sample_rate_hz == 50.0


def test_text_labels_are_sorted_into_classes(tmp_path: Path) -> None:
    labels = {"y_train": np.array(["walk", "run", "walk", "run"]), "y_test": np.array(["run", "run", "walk"])}
    data = read(write(tmp_path, **labels))
    assert data.class_names == ("run", "walk")
    assert data.y_train.tolist() == [1, 0, 1, 0]
    assert data.y_test.tolist() == [0, 0, 1]
    assert read(write(tmp_path, **labels, class_names=np.array(["walk", "run"]))).y_train.tolist() == [
        0,
        1,
        0,
        1,
    ]


@pytest.mark.parametrize("kind", [np.uint8, np.float64, bool])
def test_whole_numbers_of_any_type_are_labels(tmp_path: Path, kind: type) -> None:
    data = read(write(tmp_path, y_train=np.array([0, 1, 0, 1], kind)))
    assert data.y_train.tolist() == [0, 1, 0, 1]
    assert data.y_train.dtype == np.int64


def test_keys_of_other_tools_are_left_alone_and_named(tmp_path: Path) -> None:
    """Whatever they hold: what is not read cannot be damaged."""
    others = {"subject": np.arange(4), "session": np.array([{}], object)}
    assert read(write(tmp_path, **others)).unread == ("subject", "session")
    assert read(write(tmp_path, sample_rate_hz=50.0)).unread == ()


NAN = good()["x_train"].copy()
NAN[2, 3, 1] = np.nan
INFINITE = good()["x_test"].copy()
INFINITE[1, 0, 0] = -np.inf
HUGE = good()["x_test"].copy()
HUGE[0, 4, 1] = 1e300

BAD = {
    "missing keys": (
        {"x_test": None, "y_test": None},
        r"Missing .*: x_test, y_test\. It has: x_train, y_train",
    ),
    "misspelt key": ({"class_name": np.array(["a", "b"])}, "Unknown key 'class_name'"),
    "wrong rank": ({"x_train": np.zeros((4, 5))}, r"x_train has shape \(4, 5\); allowed is \[windows"),
    "no windows": ({"x_test": np.zeros((0, 5, 2)), "y_test": np.zeros(0, int)}, "x_test is empty"),
    "no channels": ({"x_train": np.zeros((4, 5, 0))}, "x_train is empty"),
    "single step": ({"x_train": np.zeros((4, 1, 2))}, "a single time step"),
    "texts as windows": ({"x_train": np.full((4, 5, 2), "a")}, "x_train holds <U1 values"),
    "complex windows": ({"x_train": np.zeros((4, 5, 2), complex)}, "x_train holds complex128 values"),
    "NaN": ({"x_train": NAN}, "x_train: 1 of 40 .* first at window 2, step 3, channel 1"),
    "infinite": ({"x_test": INFINITE}, "x_test: 1 of 30 .* first at window 1, step 0, channel 0"),
    "beyond float32": ({"x_test": HUGE}, "too large for float32; the first at window 0, step 4, channel 1"),
    "other channels": ({"x_test": np.zeros((3, 5, 3))}, r"\(5, 2\) .*x_test of \(5, 3\)"),
    "other steps": ({"x_test": np.zeros((3, 6, 2))}, r"\(5, 2\) .*x_test of \(6, 2\)"),
    "label count": ({"y_train": np.array([0, 1, 0])}, r"y_train has shape \(3,\), x_train holds 4 windows"),
    "one-hot": ({"y_train": np.eye(4, 2)}, r"y_train has shape \(4, 2\)"),
    "negative label": ({"y_train": np.array([0, -1, 0, 1])}, "y_train holds the label -1 at window 1"),
    "fractional label": ({"y_train": np.array([0, 1, 0.5, 1])}, "y_train holds the label 0.5 at window 2"),
    "NaN label": ({"y_train": np.array([0, 1, np.nan, 1])}, "y_train holds the label nan at window 2"),
    "test label": ({"y_test": np.array([0, 1, 2])}, "label 2 at window 2; .* whole numbers from 0 to 1"),
    "enormous label": (
        {"y_train": np.array([0, 1, 0, 2**62])},
        "y_train holds the label 4611686018427387904",
    ),
    "labels from 1": ({"y_train": np.array([1, 2, 1, 2])}, "No training window has the label 0"),
    "one class": ({"y_train": np.zeros(4, int), "y_test": np.zeros(3, int)}, "one class only"),
    "one text class": ({"y_train": np.full(4, "a"), "y_test": np.full(3, "a")}, "one class only"),
    "unknown text label": (
        {"y_train": np.array(["a", "b", "a", "b"]), "y_test": np.array(["a", "c", "b"])},
        "y_test holds the label 'c'; known are a, b",
    ),
    "mixed labels": ({"y_test": np.array(["a", "b", "a"])}, "y_test holds <U1 values"),
    "date labels": ({"y_train": np.zeros(4, "M8[s]")}, "y_train holds datetime64"),
    "too few class names": ({"class_names": np.array(["a"])}, "y_train holds the label 1 .* from 0 to 0"),
    "too many class names": ({"class_names": np.array(["a", "b", "c"])}, r"has the label 2 \('c'\)"),
    "class named twice": ({"class_names": np.array(["a", "a"])}, "names a class twice"),
    "class names as numbers": (
        {"class_names": np.array([1, 2])},
        "class_names has .* allowed is a list of texts",
    ),
    "class names as one text": ({"class_names": np.array("ab")}, r"class_names has shape \(\)"),
    "channel names": (
        {"channel_names": np.array(["x"])},
        "channel_names holds 1 texts; there are 2 channels",
    ),
    "channel units": ({"channel_units": np.array(["g"] * 3)}, "channel_units holds 3 texts"),
    "sample rate zero": ({"sample_rate_hz": 0.0}, "sample_rate_hz is 0.0; allowed is one positive number"),
    "sample rate NaN": ({"sample_rate_hz": np.nan}, "sample_rate_hz is nan"),
    "sample rate text": ({"sample_rate_hz": "50 Hz"}, "sample_rate_hz is 50 Hz"),
    "sample rates": ({"sample_rate_hz": np.array([50.0, 60.0])}, "sample_rate_hz is"),
    "objects": (
        {"class_names": np.array(["a", "b"], object)},
        "class_names' .*Python objects, .*never loaded",
    ),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD.keys())
def test_bad_file_is_refused_with_a_reason(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(write(tmp_path, **changes))


def test_misspelt_key_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(write(tmp_path, sample_rate=50.0))
    assert caught.value.tip == "Did you mean 'sample_rate_hz'?"


def test_windows_of_one_axis_are_refused_as_such_beside_lengths(tmp_path: Path) -> None:
    path = write(tmp_path, x_train=np.zeros(4), lengths_train=np.full(4, 5), lengths_test=np.full(3, 5))
    with pytest.raises(InputError, match=r"x_train has shape \(4,\); allowed is \[windows, time, channels\]"):
        read(path)
