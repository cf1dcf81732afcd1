import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shared_data import REASON, SHARED
from source_tree import ROOT
from tables import COLUMNS, people, write_csv

from models.config import NO_LABEL
from models.errors import InputError
from pipeline.config import CsvConfig, DataConfig
from pipeline.data.csv_data import read_file, read_folder
from pipeline.data.dataset import SequenceDataset
from pipeline.data.options import ReadOptions
from pipeline.data.prepared import prepare
from pipeline.data.registry import load_dataset


def options(task: str | None = None, csv: dict[str, Any] | None = None, **data: Any) -> ReadOptions:
    return ReadOptions(
        task=task, data=DataConfig.model_validate(data), csv=CsvConfig.model_validate(csv or {})
    )


def read(folder: Path, rows: Any = None, asked: ReadOptions | None = None) -> SequenceDataset:
    path = write_csv(folder / "people.csv", COLUMNS, people() if rows is None else rows)
    return read_file(path, asked or options(test='subject in ("a", "b")'))


class TestLongFile:
    def test_each_recording_is_a_window(self, tmp_path: Path) -> None:
        data = read(tmp_path)
        assert (data.name, data.class_names, data.channel_names) == ("people", ("sit", "walk"), ("x", "y"))
        assert data.x_train.shape == (12, 6, 2)
        assert data.x_test.shape == (8, 6, 2)
        np.testing.assert_array_equal(data.x_test[1], [[1 + t, 1] for t in range(6)])  # a-walk-1
        assert data.y_test.tolist() == [1, 1, 0, 0] * 2
        assert data.padding == "none"
        assert data.groups_train is not None
        assert len(set(data.groups_train.tolist())) == 12
        assert data.notes[0] == (
            "Columns: id id; time time; label label; channels x, y; others subject."
        )

    def test_through_the_registry(self, tmp_path: Path) -> None:
        path = write_csv(tmp_path / "people.csv", COLUMNS, people())
        asked = options(test='subject == "a"', group="subject", csv={"sample_rate_hz": 10.0})
        assert load_dataset(str(path), options=asked).sample_rate_hz == 10.0
        with pytest.raises(InputError, match=r"\[data\] pattern would do nothing"):
            load_dataset(str(path), options=options(pattern="{label}.csv"))

    def test_windows_of_a_recording(self, tmp_path: Path) -> None:
        asked = options(test='subject == "a"', csv={"window": 3, "hop": 2})
        data = read(tmp_path, asked=asked)
        assert data.x_test.shape == (8, 3, 2)
        np.testing.assert_array_equal(data.x_test[:2, :, 0], [[1, 2, 3], [3, 4, 5]])
        assert data.notes[2:] == (
            "40 windows of 3 steps, one every 2, of 20 recordings.",
            "20 steps at the ends of recordings fill no window and were left out.",
        )

    def test_windows_of_one_recording_stay_together(self, tmp_path: Path) -> None:
        """Neither the test part nor the validation part shares a recording with another part."""
        data = read(tmp_path, people(steps=20), options(csv={"window": 4}, test_fraction=0.3))
        prepared = prepare(data, 0.25, seed=0)
        y_of = data.x_train[:, :, 0]
        assert len(prepared.x_train) % 5 == len(prepared.x_validation) % 5 == 0
        assert len(y_of) == 5 * len(set(np.asarray(data.groups_train).tolist()))

    def test_one_person_stays_together(self, tmp_path: Path) -> None:
        data = read(tmp_path, asked=options(group="subject", test_fraction=0.2))
        assert len(data.x_test) == 4
        assert data.groups_train is not None
        assert len(set(data.groups_train.tolist())) == 4
        prepared = prepare(data, 0.25, seed=0)
        assert len(prepared.x_validation) == 4

    def test_recordings_of_different_length_are_padded_in_front(self, tmp_path: Path) -> None:
        rows = [row for row in people() if not (row[0] == "a-sit-0" and float(row[1]) > 0.35)]  # type: ignore[arg-type]
        data = read(tmp_path, rows)
        assert data.padding == "front"
        assert sorted(data.lengths_test.tolist()) == [4] + [6] * 7
        short = data.x_test[data.lengths_test.argmin()]
        assert np.isnan(short[:2]).all()
        np.testing.assert_array_equal(short[2:, 0], [-1, 0, 1, 2])

    @pytest.mark.parametrize(("keep", "first"), [("start", 1.0), ("end", 3.0)])
    def test_what_is_too_long_is_cut(self, tmp_path: Path, keep: str, first: float) -> None:
        data = read(tmp_path, asked=options(test='subject == "a"', longest=4, keep=keep))
        assert data.x_test[0, :, 0].tolist() == [first, first + 1, first + 2, first + 3]
        told = f"20 of 20 recordings are longer than 4 steps, the longest has 6; their {keep} was kept."
        assert told in data.notes

    def test_a_label_that_changes(self, tmp_path: Path) -> None:
        rows = [(*row[:4], "walk" if row[1] != 0.5 else "sit", row[5]) for row in people()]
        with pytest.raises(InputError, match=r"None of the 20 recordings has a window .*: in all 20"):
            read(tmp_path, rows)
        asked = options(test='subject == "a"', csv={"window": 2, "hop": 1}, task="per-step")
        data = read(tmp_path, rows, asked)
        assert data.task == "per-step"
        assert data.y_test[:5].tolist() == [[1, 1]] * 4 + [[1, 0]]

    def test_labels_of_steps_of_padded_recordings(self, tmp_path: Path) -> None:
        rows = [row for row in people() if not (row[0] == "a-sit-0" and float(row[1]) > 0.35)]  # type: ignore[arg-type]
        data = read(tmp_path, rows, options("per-step", test='subject == "a"'))
        assert data.y_test[2].tolist() == [NO_LABEL] * 2 + [0] * 4

    def test_values_of_the_last_step(self, tmp_path: Path) -> None:
        csv = {"label": ["x"], "channels": ["y"], "window": 3}
        data = read(tmp_path, asked=options("regression", test='subject == "a"', csv=csv))
        assert data.y_test[:2].tolist() == [[3.0], [6.0]]
        assert data.class_names == ("x",)

    def test_several_labels(self, tmp_path: Path) -> None:
        rows = [(*row, int(row[4] == "walk"), int(row[3] == 1)) for row in people()]
        path = write_csv(tmp_path / "p.csv", COLUMNS + ",moves,second", rows)
        asked = options("multi-label", test='subject == "a"', csv={"label": ["moves", "second"]})
        data = read_file(path, asked)
        assert data.y_test.tolist() == [[1, 0], [1, 1], [0, 0], [0, 1]]
        assert data.class_names == ("moves", "second")
        assert data.channel_names == ("x", "y")
        with pytest.raises(InputError, match="There are 2 label columns; the task 'classification' has one"):
            read_file(path, options(csv={"label": ["moves", "second"]}))
        with pytest.raises(InputError, match="have to hold numbers"):
            read_file(path, options("multi-label", csv={"label": ["moves", "label"]}))

    def test_irregular_time_is_told(self, tmp_path: Path) -> None:
        rows: list[Any] = [list(row) for row in people()]
        for row in rows:
            row[1] += 5 * (row[0] == "a-sit-0" and row[1] > 0.3)
        (told,) = read(tmp_path, rows).suspicious
        assert told == (
            "In 1 recordings the time jumps, 1 times by more than half a step; the first is 'a-sit-0'."
        )

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ((3, "x", "nan"), "line 5, column 'x': 'nan' is no finite number"),
            ((3, "x", "1e300"), "a value of recording 'a-walk-0' overflows float32"),
            ((3, "label", ""), "line 5, column 'label': no label"),
            ((3, "time", "0.2"), "line 5: the time 0.2 comes after 0.2 in recording 'a-walk-0'"),
            ((3, "id", "a-walk-1"), "line 6: recording 'a-walk-0' goes on after another one"),
        ],
    )
    def test_mistakes_are_told_with_their_line(
        self, tmp_path: Path, change: tuple[int, str, str], why: str
    ) -> None:
        rows: list[Any] = [list(row) for row in people()]
        row, column, value = change
        rows[row][COLUMNS.split(",").index(column)] = value
        with pytest.raises(InputError, match=why):
            read(tmp_path, rows)

    @pytest.mark.parametrize(
        ("rule", "why"),
        [
            ("take < 2", "has no column|asks for take"),
            ('subject == "z"', "no recording is in the test part"),
            ('x > 2', "asks for x"),  # it changes within a recording
        ],
    )
    def test_rules_that_cannot_be_used(self, tmp_path: Path, rule: str, why: str) -> None:
        with pytest.raises(InputError, match=why):
            read(tmp_path, asked=options(test=rule))

    def test_windows_longer_than_everything(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="has a window with one label: the longest has 6 steps"):
            read(tmp_path, asked=options(csv={"window": 7}))

    def test_a_part_without_windows(self, tmp_path: Path) -> None:
        rows = [row for row in people() if row[5] != "a" or float(row[1]) < 0.25]  # type: ignore[arg-type]
        with pytest.raises(InputError, match="The 4 recordings of the test part have no window"):
            read(tmp_path, rows, options(test='subject == "a"', csv={"window": 4}))


class TestFolder:
    def folder(self, root: Path, layout: str) -> Path:
        """A file for each recording of `people`, without id, label and subject."""
        rows: dict[str, list[tuple[object, ...]]] = {}
        for identity, *cells, label, who in people():
            take = str(identity)[-1]
            path = layout.format(label=label, who=who, take=take)
            rows.setdefault(path, []).append((*cells, label))
        for path, lines in rows.items():
            write_csv(root / path, "time,x,y,label", lines)
        return root

    def test_labels_from_the_names(self, tmp_path: Path) -> None:
        folder = self.folder(tmp_path / "walks", "{label}_{who}_{take}.csv")
        data = read_folder(folder, options(pattern="{label}_{who}_{take}.csv", test='who == "a"'))
        assert data.name == "walks"
        assert data.class_names == ("sit", "walk")
        assert data.x_test.shape == (4, 6, 2)  # the column `label` is no channel

    def test_labels_from_folders(self, tmp_path: Path) -> None:
        data = read_folder(self.folder(tmp_path, "{label}/{who}{take}.csv"), options())
        assert data.class_names == ("sit", "walk")
        assert len(data.x_test) == 4

    def test_labels_from_a_column(self, tmp_path: Path) -> None:
        folder = self.folder(tmp_path, "{who}{label}{take}.csv")
        data = load_dataset(str(folder), options=options())
        assert data.class_names == ("sit", "walk")
        named = options(pattern="{who}_{rest}.csv", group="who", test='who == "b"')
        other = self.folder(tmp_path / "b", "{who}_{label}{take}.csv")
        assert len(read_folder(other, named).x_test) == 4

    def test_columns_may_stand_in_another_order(self, tmp_path: Path) -> None:
        folder = self.folder(tmp_path, "{label}/{who}{take}.csv")
        write_csv(folder / "walk/a0.csv", "y,x,label,time", [(9, t, "walk", t) for t in range(6)])
        data = read_folder(folder, options(test='file == "a0"'))
        assert data.x_test[1].tolist() == [[t, 9] for t in range(6)]

    def test_a_file_without_a_column(self, tmp_path: Path) -> None:
        folder = self.folder(tmp_path, "{label}/{who}{take}.csv")
        write_csv(folder / "walk/a0.csv", "time,y", [(0, 1)])
        with pytest.raises(InputError, match=r"a0\.csv' has no column 'x'. It has: time, y"):
            read_folder(folder, options())

    def test_a_file_without_rows(self, tmp_path: Path) -> None:
        folder = self.folder(tmp_path, "{label}/{who}{take}.csv")
        write_csv(folder / "walk/a0.csv", "time,x,y", [])
        with pytest.raises(InputError, match=r"a0\.csv' has a first line and no rows"):
            read_folder(folder, options())


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason=REASON)
def test_activities_from_a_table_are_those_of_the_archive(tmp_path: Path) -> None:
    """The way of docs/data.md, on every 20th window."""
    with np.load(SHARED / "har/uci_har_subset.npz") as arrays:
        parts = {name: arrays[name][::20] for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(tmp_path / "har.npz", **parts)
    script = ROOT / "examples" / "har_csv.py"
    subprocess.run([sys.executable, script, tmp_path / "har.npz", tmp_path / "har.csv"], check=True)
    data = read_file(tmp_path / "har.csv", options(test='part == "test"'))
    names = np.array(["walking", "upstairs", "downstairs", "sitting", "standing", "laying"])
    assert data.class_names == tuple(sorted(names))
    for part in ("train", "test"):
        np.testing.assert_array_equal(getattr(data, f"x_{part}"), parts[f"x_{part}"])
        said = np.array(data.class_names)[getattr(data, f"y_{part}")]
        np.testing.assert_array_equal(said, names[parts[f"y_{part}"]])
