import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.errors import InputError
from pipeline.config import AudioConfig, DataConfig
from pipeline.data.options import ReadOptions
from pipeline.data.registry import (
    describe,
    files_below,
    load_dataset,
    names,
    require_source,
    source_identity,
)


def test_names_are_sorted_and_described_in_that_order() -> None:
    assert {"basic-motions", "japanese-vowels"} <= set(names())
    assert names() == tuple(sorted(names()))
    assert tuple(info.name for info in describe()) == names()


def test_every_description_is_complete() -> None:
    for info in describe():
        assert info.summary
        assert info.attribution
        assert f"{info.channels} channels" in info.shape


def test_shape_tells_a_range_of_steps_only_where_there_is_one() -> None:
    shapes = {info.name: info.shape for info in describe()}
    assert " 100 steps" in shapes["basic-motions"]
    assert " 7-29 steps" in shapes["japanese-vowels"]


def test_describing_loads_no_heavy_library() -> None:
    code = (
        "import sys; from pipeline.data import describe; describe(); "
        "print([m for m in ('aeon', 'sklearn', 'scipy', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("source", ["japanese-vowel", "japanese_vowels", "Japanese-Vowels"])
def test_unknown_name_gets_a_suggestion(source: str) -> None:
    with pytest.raises(InputError, match=r"Known: .*japanese-vowels, or .* \.npz") as caught:
        load_dataset(source)
    assert caught.value.tip == "Did you mean 'japanese-vowels'?"


def test_unknown_name_like_no_other_points_to_the_list() -> None:
    with pytest.raises(InputError, match=r"Unknown data set 'data\.xlsx'") as caught:
        load_dataset("data.xlsx")
    assert "data list" in caught.value.tip


@pytest.mark.parametrize("use", [load_dataset, source_identity])
def test_missing_file_is_an_input_error(use, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=r"Cannot read '.*absent\.npz': No such file"):
        use(str(tmp_path / "absent.npz"))


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "folder.npz"
    folder.mkdir()
    with pytest.raises(InputError, match="holds nothing; needed is one kind of"):
        load_dataset(str(folder))


def test_identity_follows_the_content_not_the_folder(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first, copy = tmp_path / "a.npz", tmp_path / "other" / "a.npz"
    np.savez(first, x=np.zeros(3))
    copy.write_bytes(first.read_bytes())
    assert source_identity(str(first)) == source_identity(str(copy))
    np.savez(copy, x=np.ones(3))
    assert source_identity(str(first)) != source_identity(str(copy))


def test_identity_of_a_named_data_set_is_its_name() -> None:
    assert source_identity("basic-motions") == {"dataset": "basic-motions"}


class TestFolders:
    def test_a_folder_of_two_kinds_is_refused(self, tmp_path: Path) -> None:
        for name in ("a.wav", "b.csv"):
            (tmp_path / name).touch()
        with pytest.raises(InputError, match=r"holds \.csv and \.wav; needed is one kind of \.csv or"):
            load_dataset(str(tmp_path))

    def test_a_folder_of_another_kind_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp3").touch()
        with pytest.raises(InputError, match="holds 1 files of other kinds"):
            require_source(str(tmp_path))

    def test_the_identity_follows_names_and_content_below(self, tmp_path: Path) -> None:
        def identity(name: str, content: str, root: str = "x") -> dict[str, str]:
            path = tmp_path / root / "walks" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            found = source_identity(str(tmp_path / root / "walks"))
            path.unlink()
            return found

        first = identity("a.csv", "1")
        assert first == identity("a.csv", "1", "y")
        assert first["folder"] == "walks"
        assert len({str(one) for one in (first, identity("b.csv", "1"), identity("a.csv", "2"))}) == 3

    def test_hidden_files_do_not_count(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        for name in ("a.csv", "sub/B.CSV", ".c.csv", "sub/.d.csv"):
            (tmp_path / name).touch()
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git/e.csv").touch()
        assert files_below(tmp_path, ".csv") == ["a.csv", "sub/B.CSV"]


def test_an_option_that_would_do_nothing_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    options = ReadOptions(data=DataConfig(group="who"), audio=AudioConfig(mels=10))
    for source in (str(tmp_path / "a.npz"), "basic-motions"):
        with pytest.raises(InputError, match=r"\[data\] group, \[audio\] mels would do nothing"):
            load_dataset(source, options=options)
