"""A folder is whole or absent, and nothing of anyone else's is lost."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from models.errors import InputError
from pipeline.export.folder import ABANDONED_S, MARKER, export_folder, written_files


def write(out: Path, names: dict[str, str], kind: str = "python", force: bool = False) -> None:
    with export_folder(out, kind, force) as folder:
        for name, text in names.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): file.read_text()
        for file in folder.rglob("*")
        if file.is_file() and file.name != MARKER
    }


def test_it_appears_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with export_folder(out, "c") as folder:
        assert not out.exists()
        (folder / "a").write_text("1")
    assert contents(out) == {"a": "1"}
    assert json.loads((out / MARKER).read_text()) == {
        "format": "fuselage-export", "version": 1, "kind": "c", "files": ["a"],
        "sha256": {"a": hashlib.sha256(b"1").hexdigest()},
    }  # fmt: skip
    assert written_files(out) == [out / "a"]
    assert [one.name for one in out.parent.iterdir()] == ["out"]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, {"a": "1"})
    with pytest.raises(InputError, match="Cannot write"):
        write(out, {"a": "2", "no/such/folder": "2"})
    assert contents(out) == {"a": "1"}
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_an_export_gives_way_to_the_next_but_not_what_stands_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, {"a": "1", "old/b": "1"})
    (out / "mine.py").write_text("mine")
    (out / "old" / "mine").write_text("mine")
    (out / ".venv" / "lib").mkdir(parents=True)
    (out / ".venv" / "lib64").symlink_to("lib")
    (out / "old" / "empty").mkdir()
    write(out, {"a": "2", "c": "2"})
    assert contents(out) == {"a": "2", "c": "2", "mine.py": "mine", "old/mine": "mine"}
    assert (out / ".venv" / "lib64").is_symlink()
    assert (out / "old" / "empty").is_dir()
    (out / "old" / "mine").unlink()
    write(out, {"a": "3", "old/b": "3"})
    (out / "old" / "empty").rmdir()
    write(out, {"a": "4"})
    assert contents(out) == {"a": "4", "mine.py": "mine"}
    assert not (out / "old").exists()
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_is_no_export_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(InputError, match="is not empty, and no export") as caught:
        write(tmp_path, {"a": "1"})
    assert "--force" in caught.value.tip
    assert contents(tmp_path) == {"mine": "mine"}


def test_an_export_of_another_kind_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "out", {"a": "1"}, "c")
    with pytest.raises(InputError, match="an export of another kind, 'c'"):
        write(tmp_path / "out", {"a": "2"}, "python")


def test_force_keeps_what_has_another_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("theirs")
    (tmp_path / "mine").write_text("mine")
    write(tmp_path, {"a": "1"}, force=True)
    assert contents(tmp_path) == {"a": "1", "mine": "mine"}


def test_what_a_killed_export_left_is_swept_and_what_another_writes_is_not(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for folder in (tmp_path, out):
        for name, age in ((".out.part-old", 2 * ABANDONED_S), (".out.part-new", 0), (".other.part-old", 1e5)):
            (folder / name).mkdir(parents=True)
            changed = (folder / name).stat().st_mtime - age
            os.utime(folder / name, (changed, changed))
        write(out, {"a": "1"}, force=True) if folder is out else write(out, {"a": "1"})
        assert {one.name for one in folder.iterdir()} >= {".out.part-new", ".other.part-old"}
        assert not (folder / ".out.part-old").exists()


def test_force_keeps_the_files_of_an_export_of_another_kind(tmp_path: Path) -> None:
    write(tmp_path, {"a": "1", "b": "1"}, "c")
    write(tmp_path, {"a": "2"}, "python", force=True)
    assert contents(tmp_path) == {"a": "2", "b": "1"}


def test_the_folder_one_stands_in_stays_that_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a": "1"})
    monkeypatch.chdir(tmp_path)
    inode = tmp_path.stat().st_ino
    write(Path("."), {"a": "2"})
    assert contents(tmp_path) == {"a": "2"}
    assert tmp_path.stat().st_ino == inode


def test_a_folder_in_the_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a" / "mine").mkdir(parents=True)
    with pytest.raises(InputError, match="is a folder; a file of this name"):
        write(tmp_path, {"a": "1"}, force=True)
    assert (tmp_path / "a" / "mine").is_dir()


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    write(tmp_path, {"a": "1"})
    assert contents(tmp_path) == {"a": "1"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError) as caught:
            write(out, {"a": "1"}, force=True)
        assert caught.value.tip in ("Name a new folder.", "Choose a folder you may write to.")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("marker", ["", "[]", '{"format": "fuselage-export"}', '{"files": []}'])
def test_a_marker_that_is_none_makes_no_export(tmp_path: Path, marker: str) -> None:
    (tmp_path / MARKER).write_text(marker)
    with pytest.raises(InputError, match="no export"):
        write(tmp_path, {"a": "1"})


def test_a_marker_cannot_reach_out_of_its_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, {"a": "1"})
    (tmp_path / "theirs").write_text("theirs")
    marker = json.loads((out / MARKER).read_text())
    (out / MARKER).write_text(json.dumps({**marker, "files": ["../theirs", "/etc/hostname", 3]}))
    write(out, {"a": "2"})
    assert (tmp_path / "theirs").read_text() == "theirs"
    assert contents(out) == {"a": "2"}
