from pathlib import Path
from typing import Any

import pytest
from tables import write_csv

from models.errors import InputError
from pipeline.config import CsvConfig
from pipeline.data.csv_columns import Columns, find_columns
from pipeline.data.csv_table import Table


def found(folder: Path, columns: str, row: str = "", asked: tuple[str, ...] = (), **given: Any) -> Columns:
    cells = row.split(",") if row else ["1"] * (columns.count(",") + 1)
    table = Table.open(write_csv(folder / "t.csv", columns, [cells]))
    needs_id = given.pop("needs_id", True)
    needs_label = given.pop("needs_label", True)
    return find_columns(table, CsvConfig.model_validate(given), asked, needs_id, needs_label)


def test_by_their_names(tmp_path: Path) -> None:
    columns = found(tmp_path, "Recording,Timestamp,x,y,Activity,note,Subject", "r1,0.1,1,-2,walk,ok,7")
    assert columns == Columns("Recording", "Timestamp", ("Activity",), ("x", "y"), ("note", "Subject"))
    assert str(columns) == (
        "id Recording; time Timestamp; label Activity; channels x, y; others note, Subject"
    )


def test_as_somebody_says(tmp_path: Path) -> None:
    columns = found(
        tmp_path, "id,trial,x,y,z,class", id="trial", label=("y",), channels=("z",), time="x"
    )
    assert columns == Columns("trial", "x", ("y",), ("z",), ("id", "class"))


def test_what_a_rule_asks_for_is_no_channel(tmp_path: Path) -> None:
    columns = found(tmp_path, "id,x,night,label", asked=("night",))
    assert columns.channels == ("x",)
    assert columns.others == ("night",)


def test_without_need_of_a_label_none_is_taken_and_it_is_no_channel(tmp_path: Path) -> None:
    columns = found(tmp_path, "t,x,label", needs_id=False, needs_label=False)
    assert columns == Columns(None, "t", (), ("x",), ("label",))


def test_an_empty_first_cell_is_a_gap_and_no_text(tmp_path: Path) -> None:
    assert found(tmp_path, "id,x,y,label", "1,,2,a").channels == ("x", "y")


@pytest.mark.parametrize(
    ("columns", "given", "why"),
    [
        ("x,label", {}, "no column that tells recordings apart. It has: x, label"),
        ("id,x", {}, "no column that tells what is learned. It has: id, x"),
        ("id,label", {}, "no column of numbers left for a channel"),
        ("id,x,label", {"label": ("x",), "channels": ("x",)}, "'x' .* asked for as two things"),
        ("id,x,label", {"time": "id"}, "'id' .* asked for as two things"),
        ("id,x,label", {"channels": ("z",)}, "has no column 'z'. It has: id, x, label"),
        ("id,x,label", {"id": "z"}, "has no column 'z'"),
    ],
)
def test_what_cannot_be(tmp_path: Path, columns: str, given: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        found(tmp_path, columns, **given)


def test_no_rows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a first line and no rows"):
        find_columns(Table.open(write_csv(tmp_path / "t.csv", "id,x,label", [])), CsvConfig(), (), True, True)
