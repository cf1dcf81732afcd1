from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import InputError
from pipeline.config import DataConfig
from pipeline.data.options import ReadOptions
from pipeline.data.registry import load_dataset

HEADER = (
    "@problemName mine\n@timeStamps false\n@univariate false\n@equalLength {equal}\n"
    "@classLabel true up down\n@data\n"
)
CASES = ["1,2,3:10,20,30:up", "3,2,1:30,20,10:down"]


def write(path: Path, cases: list[str], equal: bool = True, header: str = HEADER) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header.format(equal=str(equal).lower()) + "\n".join(cases) + "\n")
    return path


def options(**data: Any) -> ReadOptions:
    return ReadOptions(data=DataConfig.model_validate(data))


def test_a_pair_of_files(tmp_path: Path) -> None:
    write(tmp_path / "Mine_TRAIN.ts", CASES * 2)
    write(tmp_path / "Mine_TEST.ts", CASES)
    data = load_dataset(str(tmp_path))
    assert (data.name, data.class_names, data.padding) == ("Mine", ("down", "up"), "none")
    assert data.x_train.shape == (4, 3, 2)
    assert data.x_test[0].tolist() == [[1, 10], [2, 20], [3, 30]]
    assert data.y_test.tolist() == [1, 0]
    assert data.channel_names == ("channel 0", "channel 1")


def test_equal_to_the_data_set_by_name() -> None:
    import aeon.datasets

    folder = Path(aeon.datasets.__file__).parent / "data" / "BasicMotions"
    ours, theirs = load_dataset(str(folder)), load_dataset("basic-motions")
    for key in ("x_train", "x_test", "y_train", "y_test"):
        np.testing.assert_array_equal(getattr(ours, key), getattr(theirs, key))
    assert ours.class_names == tuple(name.lower() for name in theirs.class_names)


def test_cases_of_different_length_are_padded_in_front(tmp_path: Path) -> None:
    cases = [*CASES, "1,2:1,2:up", "1,2,3,4:1,2,3,4:down"]
    write(tmp_path / "Mine_TRAIN.ts", cases, equal=False)
    write(tmp_path / "Mine_TEST.ts", CASES, equal=False)
    data = load_dataset(str(tmp_path))
    assert data.padding == "front"
    assert data.lengths_train.tolist() == [3, 3, 2, 4]
    assert np.isnan(data.x_train[2, :2]).all()
    assert data.x_train[2, 2:, 0].tolist() == [1, 2]


@pytest.mark.parametrize(("keep", "kept"), [("start", [1, 2]), ("end", [2, 3])])
def test_what_is_too_long_is_cut_and_told(tmp_path: Path, keep: str, kept: list[int]) -> None:
    write(tmp_path / "Mine_TRAIN.ts", CASES * 2)
    write(tmp_path / "Mine_TEST.ts", CASES)
    data = load_dataset(str(tmp_path), options=options(longest=2, keep=keep))
    assert data.x_test[0, :, 0].tolist() == kept
    assert data.notes == (f"6 of 6 cases are longer than 2 steps, the longest has 3; their {keep} was kept.",)


def test_one_file_is_parted_by_chance(tmp_path: Path) -> None:
    data = load_dataset(str(write(tmp_path / "mine.ts", CASES * 10)))
    assert np.bincount(data.y_test).tolist() == [2, 2]
    assert data.notes == ("The test part is chosen by chance, 0.2 of each class.",)


def test_values_are_a_regression(tmp_path: Path) -> None:
    header = HEADER.replace("@classLabel true up down", "@targetLabel true")
    cases = [f"1,2,{index}:{index}.5" for index in range(10)]
    path = write(tmp_path / "mine.ts", cases, header=header)
    data = load_dataset(str(path))
    assert data.task == "regression"
    assert sorted(np.concatenate([data.y_train, data.y_test])[:, 0].tolist()) == [i + 0.5 for i in range(10)]


def test_half_of_a_pair_points_to_the_folder(tmp_path: Path) -> None:
    path = write(tmp_path / "Mine_TRAIN.ts", CASES)
    with pytest.raises(InputError, match=r"'Mine_TRAIN\.ts' is one part") as caught:
        load_dataset(str(path))
    assert str(tmp_path) in caught.value.tip


@pytest.mark.parametrize("names", [["A_TRAIN.ts"], ["A_TRAIN.ts", "A_TEST.ts", "B_TEST.ts"], ["a.ts"]])
def test_a_folder_without_one_pair(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        write(tmp_path / name, CASES)
    with pytest.raises(InputError, match=r"needed is one NAME_TRAIN\.ts and one NAME_TEST\.ts"):
        load_dataset(str(tmp_path))


@pytest.mark.parametrize(
    ("cases", "why"),
    [
        ([], "has too few cases"),
        (["1,2,x:1,2,3:up"], "could not convert"),
        (["1,2,3:1,2,3:up", "1,2,3:up"], "Inconsistent number of dimensions"),
        (["1,2,3:1,2:up"], "different number of observations"),
        (["1,?,3:1,2,3:up", *CASES * 5], "case 0 of the .* part: 1 of 6 values are NaN"),
        (["1:2:up", "1:2:down"] * 5, "has one step"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, cases: list[str], why: str) -> None:
    with pytest.raises(InputError, match=why):
        load_dataset(str(write(tmp_path / "mine.ts", cases)))


def test_no_labels(tmp_path: Path) -> None:
    header = HEADER.replace("@classLabel true up down", "@classLabel false")
    with pytest.raises(InputError, match="has no labels"):
        load_dataset(str(write(tmp_path / "mine.ts", ["1,2:3,4"], header=header)))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"@data", b"@classLabel\n@data\n1:a\n", bytes(100)])
def test_what_is_no_ts_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine.ts").write_bytes(content)
    with pytest.raises(InputError, match=r"mine\.ts"):
        load_dataset(str(tmp_path / "mine.ts"))
