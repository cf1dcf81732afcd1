"""A set-up that is there is whole; one that failed or was killed is not there."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
from filelock import FileLock

from models.errors import InputError
from pipeline.progress import Silence
from pipeline.targets.cache import VARIABLE, cache_folder, cached


def make(folder: Path) -> None:
    (folder / "file").write_text("whole")


def test_the_folder_is_that_given_else_the_variable_else_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "named"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder(tmp_path / "given") == tmp_path / "given"
    assert cache_folder() == tmp_path / "named"
    monkeypatch.delenv(VARIABLE)
    assert cache_folder() == tmp_path / "xdg" / "fuselage"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "fuselage"


def test_it_is_made_once_and_again_for_other_ingredients(tmp_path: Path) -> None:
    made: list[Path] = []

    def noted(folder: Path) -> None:
        made.append(folder)
        make(folder)

    first = cached(tmp_path, "root", {"numpy": "1"}, noted, Silence())
    assert (first / "file").read_text() == "whole"
    assert cached(tmp_path, "root", {"numpy": "1"}, noted, Silence()) == first
    assert cached(tmp_path, "root", {"numpy": "2"}, noted, Silence()) != first
    assert len(made) == 2


def test_a_set_up_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fails(folder: Path) -> None:
        make(folder)
        raise RuntimeError("no network")

    with pytest.raises(RuntimeError, match="no network"):
        cached(tmp_path, "root", {}, fails, Silence())
    assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == []


def _killed(cache: Path, ready: Path) -> None:
    def slow(folder: Path) -> None:
        make(folder)
        ready.touch()
        time.sleep(60)

    cached(cache, "root", {}, slow, Silence())


def test_a_set_up_that_is_killed_is_never_believed_and_swept_by_the_next(tmp_path: Path) -> None:
    cache, ready = tmp_path / "cache", tmp_path / "ready"
    child = multiprocessing.get_context("spawn").Process(target=_killed, args=(cache, ready))
    child.start()
    while not ready.exists():
        time.sleep(0.01)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    child.close()
    assert len(list(cache.glob(".part-*"))) == 1
    assert not list(cache.glob("root-*"))
    assert (cached(cache, "root", {}, make, Silence()) / "file").is_file()
    assert not list(cache.glob(".part-*"))


def test_who_waits_for_another_set_up_is_told(tmp_path: Path, heard: object) -> None:
    class Told(Silence):
        def message(self, text: str) -> None:
            assert "Another process is setting up" in text
            lock.release()

    lock = FileLock(tmp_path / ".lock")
    lock.acquire()
    assert cached(tmp_path, "root", {}, make, Told()).is_dir()


def test_a_cache_that_cannot_be_written_is_an_error_with_a_tip(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written") as caught:
        cached(tmp_path / "file" / "cache", "root", {}, make, Silence())
    assert "--cache" in caught.value.tip
