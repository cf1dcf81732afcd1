"""The files of a build's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import InputError
from pipeline.built_files import built_files


def folder(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).touch()
    return path


def test_the_int8_file_is_held_against_the_float_one(tmp_path: Path) -> None:
    names = ("model_float32.tflite", "model_dynamic.tflite", "model_int8.tflite", "model_int8_stock.tflite")
    built = built_files(folder(tmp_path, "golden.npz", *names))
    assert (built.float32.name, built.tested.name) == ("model_float32.tflite", "model_int8.tflite")
    assert [path.name for path in built.others] == ["model_dynamic.tflite"]
    assert built.golden == tmp_path / "golden.npz"


def test_without_an_int8_file_it_is_another(tmp_path: Path) -> None:
    names = ("golden.npz", "model_float32.tflite", "model_float16.tflite", "model_int8_attention16.tflite")
    built = built_files(folder(tmp_path, *names))
    assert built.tested.name == "model_float16.tflite"
    assert [path.name for path in built.others] == ["model_int8_attention16.tflite"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "has no model_float32.tflite"),
        (("model_float32.tflite", "model_int8.tflite"), "has no golden.npz"),
        (("golden.npz", "model_float32.tflite", "model_int8_stock.tflite"), "has no file beside"),
    ],
)
def test_what_is_no_finished_build_is_refused(tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        built_files(folder(tmp_path, *names))
