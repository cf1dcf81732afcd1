"""Windows that files are compared on, from every source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.config import NO_LABEL
from models.errors import InputError
from pipeline.data.given import GivenWindows, as_given, read_given
from pipeline.data.preprocessing import Preprocessing

RULE = Preprocessing((1.0, 1.0), (2.0, 4.0), steps=3, features=2, padding="front")
FULL = Preprocessing((1.0, 1.0), (2.0, 4.0), steps=3, features=2, padding="none")
RAW = np.array([[[1, 1], [3, 5], [5, 9]], [[1, 1], [1, 1], [-1, -3]]], np.float32)
FEATURES = np.array([[[0, 0], [1, 1], [2, 2]], [[0, 0], [0, 0], [-1, -1]]], np.float32)


def test_raw_windows_are_standardized_by_the_rule() -> None:
    given = as_given(RAW, [0, 1], standardized=False)
    assert (given.standardized(RULE, 3, 2) == FEATURES).all()
    assert (given.standardized(None, 3, 2) == RAW).all()


def test_shorter_windows_are_padded_where_the_rule_says_so() -> None:
    given = as_given([RAW[0], RAW[0][1:]], None, standardized=False)
    assert (given.standardized(RULE, 3, 2) == FEATURES[[0, 0]]).all()  # what was cut off standardizes to zero
    assert (given.standardized(None, 3, 2)[1, 0] == 0).all()
    with pytest.raises(InputError, match=r"\[3, 2\] \[time, channels\]; the model takes \[4, 2\]"):
        as_given(RAW, None, standardized=False).standardized(FULL, 4, 2)
    with pytest.raises(InputError, match="the model takes"):
        given.standardized(FULL, 3, 2)


@pytest.mark.parametrize(("steps", "channels"), [(2, 2), (3, 3)])
@pytest.mark.parametrize("standardized", [True, False])
def test_another_shape_is_refused(steps: int, channels: int, standardized: bool) -> None:
    with pytest.raises(InputError, match=r"windows of 'windows' are \[3, 2\]"):
        as_given(RAW, None, standardized).standardized(RULE, steps, channels)


def test_features_are_taken_where_there_is_no_rule_and_raw_windows_where_there_is() -> None:
    given = GivenWindows("golden", tuple(RAW), FEATURES + 7)
    assert (given.standardized(None, 3, 2) == FEATURES + 7).all()
    assert (given.standardized(RULE, 3, 2) == FEATURES).all()
    assert (as_given(FEATURES, None, standardized=True).standardized(RULE, 3, 2) == FEATURES).all()


def test_some_can_be_chosen() -> None:
    given = GivenWindows("golden", tuple(RAW), FEATURES, np.array([4, 7])).select(np.array([1]))
    assert len(given) == 1
    assert given.labels is not None
    assert given.labels.tolist() == [7]
    assert (given.recordings[0] == RAW[1]).all()


@pytest.mark.parametrize(
    ("windows", "labels", "words"),
    [
        (RAW, [0], "2 windows, and labels of shape"),
        (RAW * np.nan, None, "NaN"),
        (RAW[0], None, r"allowed is \[windows, time, channels\]"),
        ([], None, "no windows"),
        ([RAW[0], RAW[0][:, :1]], None, "differ in their number of channels"),
        (np.array([["a"]]), None, "allowed"),
    ],
)
def test_bad_windows_are_refused(windows: np.ndarray, labels: list[int] | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        as_given(windows, labels, standardized=False)


class TestRead:
    def test_a_data_set_by_name_is_cut_to_its_real_steps(self) -> None:
        given = read_given("japanese-vowels")
        assert len(given) == 370
        assert sorted({len(one) for one in given.recordings})[0] == 7
        assert all(np.isfinite(one).all() for one in given.recordings)
        assert given.class_names[0] == "speaker 1"

    def test_a_whole_data_set_gives_its_test_part(self, tmp_path: Path) -> None:
        labels = np.array(["b", "a"] * 2)
        train = {"x_train": np.tile(RAW, (2, 1, 1)), "y_train": labels}
        np.savez(tmp_path / "d.npz", x_test=RAW, y_test=labels[:2], **train)
        given = read_given(str(tmp_path / "d.npz"))
        assert given.class_names == ("a", "b")
        assert given.labels is not None
        assert given.labels.tolist() == [1, 0]

    def test_a_whole_data_set_without_a_task_is_read_as_the_one_of_the_files(self, tmp_path: Path) -> None:
        rows = np.array([[0, 1], [1, 0]])
        np.savez(tmp_path / "d.npz", x_train=RAW, y_train=rows, x_test=RAW, y_test=rows)
        with pytest.raises(InputError, match="y_train has shape"):
            read_given(str(tmp_path / "d.npz"))
        given = read_given(str(tmp_path / "d.npz"), "multi-label")
        assert (given.task, np.asarray(given.labels).tolist()) == ("multi-label", rows.tolist())

    def test_what_a_data_set_says_of_itself_wins(self, tmp_path: Path) -> None:
        rows = {"y_train": [0, 1], "y_test": [0, 1]}
        np.savez(tmp_path / "d.npz", x_train=RAW, x_test=RAW, task="classification", **rows)
        assert read_given(str(tmp_path / "d.npz"), "regression").task == "classification"

    def test_labels_that_nobody_asks_for_are_not_checked(self, tmp_path: Path) -> None:
        rows = {"y_train": [[0], [5]], "y_test": ["no", "labels"]}
        np.savez(tmp_path / "d.npz", x_train=RAW, x_test=RAW, lengths_train=[9], lengths_test=[3, 1], **rows)
        given = read_given(str(tmp_path / "d.npz"), labels=False)
        assert (given.labels, given.unread) == (None, ())
        assert list(map(len, given.recordings)) == [3, 1]

    def test_a_test_part_alone(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "d.npz", x_test=RAW, class_names=np.array(["a", "b"]))
        given = read_given(str(tmp_path / "d.npz"))
        assert (given.labels, given.features, given.name) == (None, None, "d")
        assert (given.recordings[1] == RAW[1]).all()
        np.savez(tmp_path / "d.npz", x_test=RAW, y_test=[1, 0])
        labels = read_given(str(tmp_path / "d.npz")).labels
        assert labels is not None
        assert labels.tolist() == [1, 0]

    def test_a_golden_file(self, tmp_path: Path) -> None:
        rest = {"labels": [1, 0], "float_logits": RAW}
        np.savez(tmp_path / "golden.npz", raw_features=RAW, features=FEATURES, **rest)
        given = read_given(str(tmp_path / "golden.npz"))
        assert given.features is not None
        assert (given.features == FEATURES).all()
        assert len(given.recordings) == 2
        np.savez(tmp_path / "golden.npz", raw_features=RAW, features=FEATURES[:1])
        with pytest.raises(InputError, match="2 raw windows, and 1 standardized"):
            read_given(str(tmp_path / "golden.npz"))

    @pytest.mark.parametrize("key", ["lengths", "lengths_test"])
    def test_a_test_part_is_cut_to_its_lengths(self, tmp_path: Path, key: str) -> None:
        padded = RAW.copy()
        padded[1, 1:] = np.nan
        np.savez(tmp_path / "d.npz", x_test=padded, y_test=[1, 0], **{key: [3, 1]})
        given = read_given(str(tmp_path / "d.npz"))
        assert [one.tolist() for one in given.recordings] == [RAW[0].tolist(), RAW[1, :1].tolist()]
        assert given.real_steps(3).tolist() == [[True] * 3, [True, False, False]]
        assert given.unread == ()

    def test_labels_of_the_padding_are_none(self, tmp_path: Path) -> None:
        labels = np.array([[0, 1, 1], [1, 77, 77]])
        np.savez(tmp_path / "d.npz", x_test=RAW, y_test=labels, lengths_test=[3, 1], task="per-step")
        known = read_given(str(tmp_path / "d.npz")).labels
        assert known is not None
        assert known.tolist() == [[0, 1, 1], [1, NO_LABEL, NO_LABEL]]

    def test_features_alone_have_lengths_too(self, tmp_path: Path) -> None:
        padded = FEATURES.copy()
        padded[1, 1:] = np.nan
        np.savez(tmp_path / "d.npz", features=padded, lengths=[3, 1])
        given = read_given(str(tmp_path / "d.npz"))
        assert given.recordings == ()
        assert given.features is not None
        assert given.features[1].tolist() == [FEATURES[1, 0].tolist(), [0, 0], [0, 0]]
        assert given.lengths is not None
        assert given.lengths.tolist() == [3, 1]

    @pytest.mark.parametrize("windows", ["x_test", "raw_features", "features"])
    @pytest.mark.parametrize(
        ("lengths", "words"),
        [
            ([4, 1], "whole number from 1 to 3 .* window 0 is 4"),
            ([1, 0], "window 1 is 0"),
            (["3", "1"], "holds <U1 values"),
            ([3], r"its shape is \(1,\)"),
        ],
    )
    def test_lengths_that_do_not_fit_are_refused(
        self, tmp_path: Path, windows: str, lengths: list[object], words: str
    ) -> None:
        np.savez(tmp_path / "d.npz", **{windows: RAW}, lengths=np.array(lengths))
        with pytest.raises(InputError, match=f"lengths has to hold .*{words}"):
            read_given(str(tmp_path / "d.npz"))

    def test_keys_nobody_reads_are_named_and_a_misspelt_one_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "d.npz"
        np.savez(path, x_test=RAW, y_tset=[1, 0], subject=[7, 7])
        assert read_given(str(path)).unread == ("y_tset", "subject")
        np.savez(path, x_train=RAW, y_train=[1, 0], x_test=RAW, y_test=[1, 0], subject=[7, 7])
        assert read_given(str(path)).unread == ("subject",)
        np.savez(path, raw_features=RAW, features=FEATURES, labels=[1, 0], float_logits=RAW)
        assert read_given(str(path)).unread == ()
        np.savez(path, x_test=RAW, class_name=np.array(["a", "b"]))
        with pytest.raises(InputError, match="Unknown key 'class_name'"):
            read_given(str(path))

    def test_what_is_no_source_is_refused(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "d.npz", x_train=RAW)
        with pytest.raises(InputError, match=r"'d\.npz' has no windows\. It has: x_train"):
            read_given(str(tmp_path / "d.npz"))
        np.savez(tmp_path / "d.npz", x_test=RAW.astype(object))
        with pytest.raises(InputError, match="Python objects"):
            read_given(str(tmp_path / "d.npz"))
        with pytest.raises(InputError, match="Unknown data set"):
            read_given("japanese-vowel")


def test_a_folder_points_to_the_windows_of_its_build(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    with pytest.raises(InputError, match="is a folder, and how it was read is not known") as caught:
        read_given(str(tmp_path))
    assert "golden.npz" in caught.value.tip
