from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.errors import InputError
from pipeline.windows import read_windows


def csv(folder: Path, text: str) -> Path:
    path = folder / "window.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", ["1,2\n3,4\n", "x,y\n1,2\n3,4\n\n", "\ufeffx, y\r\n1, 2\r\n3, 4e0\r\n"])
def test_csv_is_one_window_with_or_without_a_header(tmp_path: Path, text: str) -> None:
    (window,) = read_windows(csv(tmp_path, text))
    assert window.tolist() == [[1, 2], [3, 4]]
    assert window.dtype == np.float32


def test_npy_holds_one_window_or_several(tmp_path: Path) -> None:
    values = np.arange(12.0).reshape(2, 3, 2)
    np.save(tmp_path / "one.npy", values[0])
    np.save(tmp_path / "two.npy", values)
    np.testing.assert_array_equal(read_windows(tmp_path / "one.npy"), values[:1])
    np.testing.assert_array_equal(read_windows(str(tmp_path / "two.npy")), values)


def test_npz_prefers_raw_features_to_x_test(tmp_path: Path) -> None:
    raw = np.ones((1, 2, 3))
    np.savez(tmp_path / "golden.npz", x_test=raw * 2, raw_features=raw, labels=np.array([object()]))
    np.testing.assert_array_equal(read_windows(tmp_path / "golden.npz"), raw)
    np.savez(tmp_path / "data.npz", x_test=raw * 2)
    np.testing.assert_array_equal(read_windows(tmp_path / "data.npz"), raw * 2)


@pytest.mark.parametrize(
    ("windows", "lengths"),
    [("raw_features", "lengths"), ("x_test", "lengths_test"), ("x_test", "lengths")],
)
def test_windows_of_an_npz_are_cut_to_their_lengths(tmp_path: Path, windows: str, lengths: str) -> None:
    raw = np.arange(12.0).reshape(2, 3, 2)
    padded = raw.copy()
    padded[1, 1:] = np.nan
    told: list[str] = []
    np.savez(tmp_path / "d.npz", **{windows: padded, lengths: [3, 1]})
    first, second = read_windows(tmp_path / "d.npz", (), told.append)
    assert (first.tolist(), second.tolist()) == (raw[0].tolist(), raw[1, :1].tolist())
    assert told == []
    np.savez(tmp_path / "d.npz", **{windows: raw, lengths: [3, 4]})
    with pytest.raises(InputError, match=f"{lengths} has to hold .* from 1 to 3 .* window 1 is 4"):
        read_windows(tmp_path / "d.npz")


def test_columns_of_the_models_names_in_other_places_are_refused(tmp_path: Path) -> None:
    for header in ("y,x", "y,z"):
        path = csv(tmp_path, f"{header}\n1,2\n")
        with pytest.raises(InputError, match=f"are {header[0]}, {header[2]}; the model takes x, y") as caught:
            read_windows(path, ("x", "y"))
        assert caught.value.tip == "Reorder the columns."


def test_columns_of_foreign_names_are_taken_in_their_order_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    path = csv(tmp_path, "y,x\n1,2\n")
    assert read_windows(path, ("y", "x"), told.append)[0].tolist() == [[1, 2]]
    assert read_windows(path, (), told.append)[0].tolist() == [[1, 2]]
    assert told == []
    assert read_windows(path, ("a", "b"), told.append)[0].tolist() == [[1, 2]]
    assert told == [
        "The columns of 'window.csv' are y, x; the model takes a, b. They were taken in this order."
    ]


def test_unknown_keys_of_an_npz_are_told(tmp_path: Path) -> None:
    told: list[str] = []
    raw = np.ones((1, 2, 3))
    np.savez(tmp_path / "golden.npz", raw_features=raw, labels=[0], float_logits=raw, class_names=["a"])
    read_windows(tmp_path / "golden.npz", (), told.append)
    assert told == []
    np.savez(tmp_path / "d.npz", x_test=raw, y_test=[0], subject=[7])
    read_windows(tmp_path / "d.npz", (), told.append)
    assert told == ["Not read in 'd.npz': subject."]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no rows of numbers"),
        ("x,y\n", "holds no rows of numbers"),
        ("1,2\n3\n", "line 2: 1 columns where others have 2"),
        ("x,y\n1,2\n3,\n", "line 3, column 2: '' is not a number"),
        ("1;2\n3;4\n", "holds no rows of numbers|'3;4' is not a number"),
        ("1,2\n3,four\n", "line 2, column 2: 'four' is not a number"),
        ("1,two\n3,4\n", "line 1, column 2: 'two' is not a number"),
        ("1,2\nnan,4\n", "1 of 4 values are NaN.* window 0, step 1, channel 0"),
        ("1,2\n3,inf\n", "window 0, step 1, channel 1"),
        ("1,1e99\n", "window 0, step 0, channel 1"),
        ('1,"2\n', "not a text file of comma-separated values"),
    ],
)
def test_bad_csv_is_refused_with_a_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_windows(csv(tmp_path, text))


def test_a_picture_is_no_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\x89PNG\xff\x00")
    with pytest.raises(InputError, match="not a text file"):
        read_windows(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(5), r"shape \(5,\); allowed are"),
        (np.zeros((1, 2, 3, 4)), r"shape \(1, 2, 3, 4\); allowed are"),
        (np.zeros((0, 3)), "holds no values"),
        (np.array([["a"]]), "holds <U1 values"),
        (np.array([[[0.0], [np.nan]]]), "window 0, step 1, channel 0"),
    ],
)
def test_bad_array_is_refused(tmp_path: Path, values: np.ndarray, message: str) -> None:
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(InputError, match=message):
        read_windows(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("name", "content"), [("a.npy", b"\x93NUMPY"), ("a.npz", b"PK\x03\x04"), ("b.npz", b"")]
)
def test_damaged_array_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="damaged or not a numpy file"):
        read_windows(tmp_path / name)


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[1, "a"]], object))
    with pytest.raises(InputError, match="Python objects"):
        read_windows(tmp_path / "a.npy")


def test_npz_without_a_known_key_lists_what_it_has(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", features=np.zeros((1, 2, 3)))
    with pytest.raises(InputError, match=r"neither the key 'raw_features' nor 'x_test'\. It has: features"):
        read_windows(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["absent.csv", "absent.npy", "absent.npz"])
def test_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"Cannot read .*No such file"):
        read_windows(tmp_path / name)


@pytest.mark.parametrize("name", ["window.wav", "window"])
def test_unknown_kind_of_file(name: str) -> None:
    with pytest.raises(InputError, match=r"unknown kind of file .* Known: \.csv, \.npy, \.npz"):
        read_windows(name)
