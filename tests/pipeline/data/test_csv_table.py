from pathlib import Path

import pytest

from models.errors import InputError
from pipeline.data.csv_table import Table


def table(folder: Path, text: str | bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_come_with_their_lines(tmp_path: Path, separator: str) -> None:
    text = "a,b\n1,2\n\n3,4\r\n".replace(",", separator)
    found = Table.open(table(tmp_path, "\ufeff" + text))
    assert found.columns == ("a", "b")
    assert list(found.rows()) == [(2, ["1", "2"]), (4, ["3", "4"])]


def test_quoted_cells_may_hold_anything(tmp_path: Path) -> None:
    found = Table.open(table(tmp_path, 'a,"b, c"\n"x\ny",2\n'))
    assert found.columns == ("a", "b, c")
    assert list(found.rows()) == [(3, ["x\ny", "2"])]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("\n1,2\n", "is empty"),
        ("1,2,3\n4,5,6\n", "is numbers: 1,2,3"),
        ("a,,c\n", "line 1: column 2 has no name"),
        ("a,b,a\n", "line 1: 'a' names two columns"),
        (b"\xff\xfea\x00", "is not a text file"),
        ('"a,b\n', "is not a text file"),
    ],
)
def test_a_first_line_that_names_no_columns(tmp_path: Path, text: str | bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        Table.open(table(tmp_path, text))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        Table.open(tmp_path / "t.csv")


@pytest.mark.parametrize("row", ["1", "1,2,3", "1,5,2,5"])
def test_a_row_of_another_width(tmp_path: Path, row: str) -> None:
    found = Table.open(table(tmp_path, f"a,b\n1,2\n{row}\n"))
    with pytest.raises(InputError, match=r"t\.csv', line 3: \d columns; line 1 names 2"):
        list(found.rows())


def test_damage_behind_the_first_line(tmp_path: Path) -> None:
    found = Table.open(table(tmp_path, b"a,b\n" + b"1,2\n" * 10_000 + b"1,\xff\n"))
    with pytest.raises(InputError, match="is not a text file"):
        list(found.rows())


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("nan", "'nan' is no finite number"),
        ("-inf", "'-inf' is no finite number"),
        ("1e999", "'1e999' is no finite number"),
        ("", "it is empty"),
        (" ", "it is empty"),
        ("1_0", "'1_0' is no finite number"),
        ("x", "'x' is no finite number"),
    ],
)
def test_cells_that_are_no_numbers(tmp_path: Path, cell: str, why: str) -> None:
    found = Table.open(table(tmp_path, "a,b\n"))
    with pytest.raises(InputError, match=f"line 7, column 'b': {why}"):
        found.numbers(7, ["1", cell], [0, 1])


def test_numbers() -> None:
    found = Table(Path("t.csv"), ("a", "b", "c"), ",")
    assert found.numbers(2, ["1", " -2.5e1 ", "x"], [1, 0]) == [-25.0, 1.0]
    assert found.places(["c", "a"]) == [2, 0]
    with pytest.raises(InputError, match=r"has no column 'd'\. It has: a, b, c"):
        found.places(["d"])
