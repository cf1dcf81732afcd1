"""The store: whole or absent, noticed when damaged, never anybody else's folder."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_stages import contents, fake_stages, run_build

from models.errors import InputError
from pipeline.store import MANIFEST, DamagedArtifact, Store

SUPPORT = Path(__file__).parents[1] / "support"
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def put(store: Store, text: str = "weights", stage: str = "train") -> None:
    def work(folder: Path) -> None:
        (folder / "sub").mkdir()
        (folder / "sub" / "w.h5").write_text(text)

    store.write(stage, {"version": 1, "options": {"units": 64}}, {"a": 1}, work)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    with Store(tmp_path / "out") as store:
        assert store.read("train") is None
        put(store)
        artifact = store.read("train")
        assert artifact is not None
        assert (artifact.folder / "sub" / "w.h5").read_text() == "weights"
        assert artifact.inputs["options"] == {"units": 64}
        assert artifact.config == {"a": 1}
        manifest = json.loads((artifact.folder / MANIFEST).read_text())
        assert manifest["stage"] == "train"
        assert manifest["fingerprint"] == artifact.fingerprint
        # printf weights | sha256sum
        assert manifest["files"]["sub/w.h5"]["sha256"].startswith("9a129038d9a00aed")
        assert manifest["files"]["sub/w.h5"]["size_bytes"] == 7


def test_identity_follows_contents_where_the_fingerprint_does_not(tmp_path: Path) -> None:
    with Store(tmp_path / "out") as store:
        put(store)
        first = store.read("train")
        put(store, "other weights")
        second = store.read("train")
    assert first is not None
    assert second is not None
    assert first.fingerprint == second.fingerprint
    assert first.identity != second.identity


@pytest.mark.parametrize(
    "damage", ["flip", "cut", "remove", "manifest cut", "manifest edited", "no manifest"]
)
def test_damage_is_noticed(tmp_path: Path, damage: str) -> None:
    with Store(tmp_path / "out") as store:
        put(store)
        weights, manifest = (store.root / "train" / name for name in ("sub/w.h5", MANIFEST))
        match damage:
            case "flip":
                weights.write_text("weightz")
            case "cut":
                weights.write_text("weigh")
            case "remove":
                weights.unlink()
            case "manifest cut":
                manifest.write_text(manifest.read_text()[:50])
            case "manifest edited":
                manifest.write_text(manifest.read_text().replace('"units": 64', '"units": 32'))
            case "no manifest":
                manifest.unlink()
        with pytest.raises(DamagedArtifact, match=MANIFEST if "manifest" in damage else "w.h5"):
            store.read("train")


def test_a_failing_stage_leaves_the_old_result_and_no_litter(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise ZeroDivisionError

    with Store(tmp_path / "out") as store:
        put(store)
        before = contents(store.out)
        with pytest.raises(ZeroDivisionError):
            store.write("train", {}, {}, fail)
        assert contents(store.out) == before
        assert store.read("train") is not None


def test_publishing_replaces_and_removes_what_no_longer_belongs(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Store(out) as store:
        store.publish({"a": "1", "b": "1", "c": "1"})
        (out / "c").write_text("edited by its owner")
        (out / "notes.txt").write_text("mine")
        store.publish({"a": "2"})
    assert {p.name: p.read_text() for p in out.iterdir() if p.is_file()} == {
        "a": "2",
        "c": "edited by its owner",
        "notes.txt": "mine",
    }


def test_a_damaged_record_of_what_was_published_is_no_obstacle(tmp_path: Path) -> None:
    with Store(tmp_path / "out") as store:
        store.publish({"a": "1"})
        for damage in ("{bad", "[]"):
            (store.root / "published.json").write_text(damage)
            store.publish({"a": "2"})
    assert (tmp_path / "out" / "a").read_text() == "2"


def test_files_that_are_not_outdated_stay_and_are_remembered(tmp_path: Path) -> None:
    with Store(tmp_path / "out") as store:
        store.publish({"a": "1", "b": "1"})
        store.publish({"a": "1"}, outdated=False)
        assert (tmp_path / "out" / "b").is_file()
        store.publish({"a": "1"})
    assert not (tmp_path / "out" / "b").exists()


def test_forgetting_leaves_foreign_files(tmp_path: Path) -> None:
    with Store(tmp_path / "out") as store:
        put(store)
        (store.out / "notes.txt").write_text("mine")
        store.forget()
        assert store.read("train") is None
        assert (store.out / "notes.txt").read_text() == "mine"
        assert Store.exists(store.out)


def test_a_folder_with_foreign_files_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match=r"thesis\.tex"), Store(tmp_path):
        pytest.fail("entered")
    assert contents(tmp_path) == {"thesis.tex": "years of work"}


def test_a_folder_called_stages_is_not_enough(tmp_path: Path) -> None:
    (tmp_path / "stages").mkdir()
    with pytest.raises(InputError, match="stages"), Store(tmp_path):
        pytest.fail("entered")


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path / "out") as store:
        (store.root / "store.json").write_text('{"format": "fuselage-store", "version": 2}\n')
    with pytest.raises(InputError, match="another version"), Store(tmp_path / "out"):
        pytest.fail("entered")


def test_litter_of_killed_builds_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".part-1").mkdir(parents=True)
    with Store(tmp_path) as store:
        (store.root / ".part-2" / "train").mkdir(parents=True)
    with Store(tmp_path) as store:
        assert sorted(p.name for p in store.root.iterdir()) == [".lock", "store.json"]
        assert [p.name for p in tmp_path.iterdir()] == ["stages"]


def test_two_builds_at_once_are_refused_and_the_lock_is_given_back(tmp_path: Path) -> None:
    with (
        Store(tmp_path / "out"),
        pytest.raises(InputError, match="Another build is running"),
        Store(tmp_path / "out"),
    ):
        pytest.fail("entered")
    with Store(tmp_path / "out"):
        pass


@pytest.mark.parametrize("inside", ["file/out", "file"])
def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, inside: str) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(InputError, match="Cannot write to"), Store(tmp_path / inside):
        pytest.fail("entered")
    assert (tmp_path / "file").read_text() == "a file"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_an_input_error_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    out = tmp_path / "out"
    run_build(out)
    before = contents(out)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left"):
        run_build(out, redo=["train"])
    monkeypatch.undo()
    assert contents(out) == before


@pytest.mark.slow
def test_a_kill_before_any_step_on_the_disk_is_survived(tmp_path: Path) -> None:
    script = SUPPORT / "kill_at_every_step.py"
    done = subprocess.run(
        [sys.executable, script, tmp_path], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    from_nothing, with_old_results = map(int, done.stdout.split())
    assert from_nothing > 60  # six stages with four steps each at the very least, and what is published
    assert with_old_results > from_nothing  # old results have to go


@pytest.mark.slow
def test_kills_at_random_moments_are_survived(tmp_path: Path) -> None:
    out, moments = tmp_path / "out", random.Random(0)
    command = [sys.executable, SUPPORT / "fake_stages.py", out, "0.05"]
    for _ in range(6):
        process = subprocess.Popen(command, env=ENVIRONMENT)
        time.sleep(0.3 + moments.random() * 0.6)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if Store.exists(out):
            with Store(out) as store:
                for stage in fake_stages():
                    store.read(stage.name)  # raises if damaged
    run_build(out)
    run_build(tmp_path / "whole")
    assert contents(out) == contents(tmp_path / "whole")
