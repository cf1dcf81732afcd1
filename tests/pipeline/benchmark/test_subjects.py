"""Which files are measured, and what they are called."""

from pathlib import Path

import numpy as np
import pytest
from float_lstm_file import random_lstm
from int8_lstm_file import Int8Lstm, build

from models.errors import InputError
from pipeline.benchmark.subjects import read_float_of, read_subjects, short_names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A build folder's files, and one that is no model of the build."""
    made = tmp_path / "build"
    made.mkdir()
    int8 = build(Int8Lstm(np.ones((4, 2, 3), np.int8), np.ones((4, 2, 2), np.int8), np.ones((4, 2), np.int32),
                          (0.01,) * 4, (0.01,) * 4))  # fmt: skip
    for name, content in {"model_int8": int8, "model_float32": random_lstm(3, 2, 4), "other": int8}.items():
        (made / f"{name}.tflite").write_bytes(content)
    return made


def test_a_folder_stands_for_its_models_float_first(folder: Path) -> None:
    found = read_subjects([folder])
    assert [one.name for one in found] == ["model_float32.tflite", "model_int8.tflite"]
    assert [one.is_float for one in found] == [True, False]
    assert [one.folder for one in found] == [folder, folder]
    assert list(found[1].lstms.values()) == ["int8 8x8_16"]


def test_a_file_has_no_build_folder(folder: Path) -> None:
    (found,) = read_subjects([folder / "other.tflite"])
    assert found.folder is None


def test_the_float_file_is_the_one_beside(folder: Path) -> None:
    floats, int8 = read_subjects([folder])
    assert read_float_of(floats) is floats
    beside = read_float_of(int8)
    assert beside is not None
    assert beside.path == floats.path
    (folder / "model_float32.tflite").unlink()
    assert read_float_of(int8) is None


def test_names_are_as_long_as_it_takes() -> None:
    paths = [Path("/x/a/model.tflite"), Path("/x/b/model.tflite")]
    assert list(short_names(paths).values()) == ["a/model.tflite", "b/model.tflite"]
    assert short_names([paths[0]]) == {paths[0]: "model.tflite"}


def test_what_cannot_be_measured(folder: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.tflite"
    cut.write_bytes((folder / "model_int8.tflite").read_bytes()[:400])
    for given, message in (
        ([], "nothing to measure"),
        ([tmp_path / "none.tflite"], "Cannot read the model"),
        ([cut], "damaged or cut short"),
        ([tmp_path], "has no models"),
        ([folder, folder / "model_int8.tflite"], "given twice"),
    ):
        with pytest.raises(InputError, match=message):
            read_subjects(given)
