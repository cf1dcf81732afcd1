"""Labels of every task, read from an .npz: what they become, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from models.errors import InputError
from pipeline.data.npz import read
from pipeline.data.options import ReadOptions
from pipeline.data.prepared import PreparedData, prepare
from pipeline.data.targets import target_values

STEPS = 5
TASK = {name: np.array(name) for name in ("classification", "multi-label", "regression", "per-step")}
LABELS = {"y_train": np.array([[0, 1], [1, 1], [1, 0], [0, 0]]), "y_test": np.array([[1, 1], [0, 0], [0, 1]]),
          "task": TASK["multi-label"]}  # fmt: skip
VALUES = {"y_train": np.array([1.0, 3.0, 5.0, 7.0]), "y_test": np.array([2.0, 4.5, 4.0]),
          "task": TASK["regression"]}  # fmt: skip
TEXTS = {"y_train": np.array([list("aabbb"), list("bbbaa"), list("aaaaa"), list("abbba")]),
         "y_test": np.array([list("aaabb")] * 3)}  # fmt: skip


def write(folder: Path, **changes: Any) -> Path:
    """4 + 3 windows of 5 steps, 2 channels. None takes a key away."""
    random = np.random.default_rng(0)
    arrays = {"x_train": random.normal(size=(4, STEPS, 2)), "x_test": random.normal(size=(3, STEPS, 2))}
    path = folder / "mine.npz"
    np.savez(path, **{key: value for key, value in {**arrays, **changes}.items() if value is not None})
    return path


def test_several_labels(tmp_path: Path) -> None:
    data = read(write(tmp_path, **LABELS, label_names=np.array(["hot", "wet"])))
    assert (data.task, data.class_names, data.target_units) == ("multi-label", ("hot", "wet"), ())
    assert data.y_train.tolist() == LABELS["y_train"].tolist()
    assert data.y_train.dtype == np.int64
    assert read(write(tmp_path, **LABELS)).class_names == ("label 0", "label 1")


def test_values(tmp_path: Path) -> None:
    named = {"target_names": np.array(["angle"]), "target_units": np.array(["deg"])}
    data = read(write(tmp_path, **VALUES, **named))
    assert (data.task, data.class_names, data.target_units) == ("regression", ("angle",), ("deg",))
    assert data.y_train.tolist() == [[1], [3], [5], [7]]
    two = {key: np.stack([VALUES[key], -VALUES[key]], axis=1) for key in ("y_train", "y_test")}
    data = read(write(tmp_path, **{**VALUES, **two}))
    assert (data.class_names, data.target_units) == (("target 0", "target 1"), ("", ""))
    assert data.y_test.shape == (3, 2)


def test_a_label_for_every_step_needs_no_task(tmp_path: Path) -> None:
    data = read(write(tmp_path, **TEXTS))
    assert (data.task, data.class_names) == ("per-step", ("a", "b"))
    assert data.y_train[0].tolist() == [0, 0, 1, 1, 1]
    numbers = {key: (values == "b").astype(int) for key, values in TEXTS.items()}
    assert (read(write(tmp_path, **numbers, task=TASK["per-step"])).y_train == data.y_train).all()


def test_a_task_that_is_said_is_taken(tmp_path: Path) -> None:
    whole = {"y_train": np.array([0, 1, 0, 1]), "y_test": np.array([0, 1, 1])}
    assert read(write(tmp_path, **whole)).task == "classification"
    assert read(write(tmp_path, **whole, task=TASK["regression"])).y_train.dtype == np.float32


BAD = {
    "unknown": ({**VALUES, "task": np.array("regresion")}, r"task is 'regresion'; allowed is one of"),
    "not a text": ({**VALUES, "task": np.array(1)}, "task is '1'"),
    "fractions without a task": ({**VALUES, "y_train": VALUES["y_train"] + 0.5, "task": None},
                                 "holds the label 1.5"),
    "other names": ({**LABELS, "class_names": np.array(["a", "b"])},
                    "class_names does not go with the task 'multi-label'"),
    "units of classes": ({**TEXTS, "target_units": np.array(["m"])}, "target_units does not go with"),
    "labels without a task": ({**LABELS, "task": None}, r"y_train has shape \(4, 2\)"),
    "a label of 2": ({**LABELS, "y_test": LABELS["y_test"] * 2},
                     "y_test holds 2 at window 0, label 0; allowed are 0 and 1"),
    "NaN label": ({**LABELS, "y_test": LABELS["y_test"] * np.nan}, "holds nan"),
    "text label": ({**LABELS, "y_test": np.full((3, 2), "a")}, "<U1 values"),
    "other labels": ({**LABELS, "y_test": np.zeros((3, 3))}, "there are 2 labels"),
    "flat labels": ({**LABELS, "y_train": np.zeros(4)}, r"needed is \[n, labels\]"),
    "a label that all have": ({**LABELS, "y_train": np.array([[1, 0], [1, 1]] * 2)},
                              "every window has the label 'label 0'"),
    "a label that none has": ({**LABELS, "y_train": np.array([[1, 0], [0, 0]] * 2)},
                              "no window has the label 'label 1'"),
    "names of labels": ({**LABELS, "label_names": np.array(["a"])}, "there are 2 labels"),
    "label named twice": ({**LABELS, "label_names": np.array(["a", "a"])},
                          "names a label twice"),
    "constant target": ({**VALUES, "y_train": np.ones(4)}, "'target 0' is 1 in all"),
    "infinite target": ({**VALUES, "y_test": np.array([1, np.inf, 2])},
                        "y_test: 1 of 3 values .* window 1, target 0"),
    "text target": ({**VALUES, "y_test": np.array(["a"] * 3)}, "allowed are numbers"),
    "rank of targets": ({**VALUES, "y_train": np.zeros((4, 1, 1))}, "needed is"),
    "units of targets": ({**VALUES, "target_units": np.array(["m", "s"])},
                         "there are 1 targets"),
    "other steps": ({**TEXTS, "y_test": TEXTS["y_test"][:, :4]}, r"y_test has shape \(3, 4\), .* of 5 steps"),
    "a step's label": ({"y_train": np.eye(4, 5), "y_test": np.full((3, 5), 7)},
                       "label 7 at window 0, step 0"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD.keys())
def test_bad_labels_are_refused_with_a_reason(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(write(tmp_path, **changes))


def test_fractions_are_told_how_to_become_targets(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(write(tmp_path, y_train=VALUES["y_train"] + 0.5, y_test=VALUES["y_test"]))
    assert "task='regression'" in caught.value.tip


def test_labels_of_windows_alone_are_checked_against_known_names() -> None:
    names, shape = ("a", "b"), (2, 3)
    steps = np.array([list("aba"), list("bbb")])
    assert target_values("per-step", "y", steps, names, shape).tolist() == [[0, 1, 0], [1, 1, 1]]
    assert target_values("regression", "y", np.array([1, 2]), ("u",), shape).tolist() == [[1], [2]]
    assert target_values("multi-label", "y", np.eye(2), names, shape).tolist() == [[1, 0], [0, 1]]
    with pytest.raises(InputError, match=r"y has shape \(2,\); of the task 'per-step' it is \[2, 3\]"):
        target_values("per-step", "y", np.array(["a", "b"]), names, shape)


class TestPrepared:
    def prepared(self, tmp_path: Path, **arrays: Any) -> PreparedData:
        return prepare(read(write(tmp_path, **arrays)), 0.25, seed=0)

    def test_targets_are_standardized_by_the_training_windows_that_were_kept(self, tmp_path: Path) -> None:
        data = self.prepared(tmp_path, **VALUES)
        rule = data.preprocessing
        assert (len(data.y_train), len(data.y_validation)) == (3, 1)
        assert data.y_train.mean() == pytest.approx(0, abs=1e-6)
        assert data.y_train.std() == pytest.approx(1, abs=1e-6)
        assert rule.restore_targets(data.y_test).ravel() == pytest.approx(VALUES["y_test"], abs=1e-5)
        everything = np.concatenate([data.y_train, data.y_validation])
        assert sorted(rule.restore_targets(everything).ravel()) == pytest.approx([1, 3, 5, 7], abs=1e-5)

    def test_what_is_no_regression_says_nothing_of_targets(self, tmp_path: Path) -> None:
        rule = self.prepared(tmp_path, **TEXTS).preprocessing
        assert set(rule.to_dict()) == {"mean", "std", "steps", "features", "padding"}

    @pytest.mark.parametrize("task", ["multi-label", "regression", "per-step"])
    def test_save_and_load(self, tmp_path: Path, task: str) -> None:
        labels = {"multi-label": LABELS, "regression": VALUES, "per-step": TEXTS}[task]
        data = self.prepared(tmp_path, **{"task": TASK[task], **labels})
        data.save(tmp_path)
        again = PreparedData.load(tmp_path)
        assert again.task == data.task == task
        assert (again.class_names, again.target_units) == (data.class_names, data.target_units)
        assert again.preprocessing == data.preprocessing
        assert (again.y_test == data.y_test).all()

    def test_too_few_windows_for_a_cut_by_chance(self, tmp_path: Path) -> None:
        source = read(write(tmp_path, **VALUES))
        with pytest.raises(InputError, match="4 of 4 would be held out"):
            prepare(source, 0.99, seed=0)


class TestLengths:
    """Windows of 5 steps of which only the first count."""

    lengths: ClassVar[dict[str, Any]] = {"lengths_train": np.array([5, 2, 3, 1]),
                                         "lengths_test": np.array([4, 5, 2])}  # fmt: skip

    def test_what_stands_behind_the_windows_is_not_read(self, tmp_path: Path) -> None:
        plain = read(write(tmp_path, **VALUES))
        x_train = plain.x_train.copy()
        x_train[1, 2:] = np.nan
        data = read(write(tmp_path, **VALUES, **self.lengths, x_train=x_train))
        assert (data.padding, data.lengths_train.tolist()) == ("front", [5, 2, 3, 1])
        assert (data.x_train[1, 3:] == plain.x_train[1, :2]).all()
        assert np.isnan(data.x_train[1, :3]).all()

    def test_prepared_for_a_model_that_is_told_the_length(self, tmp_path: Path) -> None:
        source = read(write(tmp_path, **VALUES, **self.lengths))
        data = prepare(source, 0.25, 0, padding="end")
        assert data.preprocessing.padding == "end"
        assert data.lengths_test.tolist() == [4, 5, 2]
        assert sorted([*data.lengths_train, *data.lengths_validation]) == [1, 2, 3, 5]
        assert (data.x_test[2, 2:] == 0).all()
        assert (data.x_test[2, :2] != 0).all()
        assert data.real_test is not None
        assert data.real_test.sum(axis=1).tolist() == [4, 5, 2]
        in_front = prepare(source, 0.25, 0)
        assert in_front.preprocessing == replace(data.preprocessing, padding="front")
        assert (in_front.x_test[2, 3:] == data.x_test[2, :2]).all()
        assert in_front.real_test is None
        data.save(tmp_path)
        assert (PreparedData.load(tmp_path).lengths_test == data.lengths_test).all()

    def test_steps_that_are_padding_have_no_label(self, tmp_path: Path) -> None:
        labels = {key: np.where(values == "a", "a", "b") for key, values in TEXTS.items()}
        labels["y_train"][1, 2:] = ""  # behind its two steps
        source = read(write(tmp_path, **labels, **self.lengths))
        assert source.class_names == ("a", "b")
        assert source.y_train[1].tolist() == [-1, -1, -1, 1, 1]
        data = prepare(source, 0.25, 0, padding="end")
        assert data.y_test[2].tolist() == [0, 0, -1, -1, -1]
        in_front = prepare(source, 0.25, 0)
        assert in_front.real_test is not None
        assert (in_front.real_test == (in_front.y_test >= 0)).all()

    @pytest.mark.parametrize("said", [True, False])
    def test_as_many_labels_as_steps_are_not_labels_of_steps(self, tmp_path: Path, said: bool) -> None:
        labels = {"y_train": np.array([[0, 1, 1, 0, 1], [0, 0, 0, 1, 0], [1, 0, 1, 0, 0], [1, 1, 0, 1, 1]]),
                  "y_test": np.array([[0, 1, 0, 1, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]])}  # fmt: skip
        task = {"task": np.array("multi-label")} if said else {}
        path = write(tmp_path, **labels, **self.lengths, **task)
        data = read(path, ReadOptions(None if said else "multi-label"))
        assert data.y_train.tolist() == labels["y_train"].tolist()

    @pytest.mark.parametrize("bad", [[5, 2, 3], [0, 1, 1, 1], [6, 1, 1, 1], [1.5, 1, 1, 1]])
    def test_lengths_that_are_none_are_refused(self, tmp_path: Path, bad: list[float]) -> None:
        lengths = {**self.lengths, "lengths_train": np.array(bad)}
        with pytest.raises(InputError, match="lengths_train has to hold one whole number from 1 to 5"):
            read(write(tmp_path, **VALUES, **lengths))

    def test_both_parts_need_theirs(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="only one is there"):
            read(write(tmp_path, **VALUES, lengths_test=np.array([1, 1, 1])))


def test_names_of_a_task_that_nobody_said_tell_how_to_say_it(tmp_path: Path) -> None:
    values = {"y_train": np.array([0.5, 1, 2, 3]), "y_test": np.array([1.0, 2, 3])}
    path = write(tmp_path, **values, target_names=np.array(["load"]))
    with pytest.raises(InputError, match="target_names does not go with the task 'classification'") as caught:
        read(path)
    assert "no task" in caught.value.tip
    assert "task='regression'" in caught.value.tip
