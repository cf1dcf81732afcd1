"""`pipeline report`."""

from pathlib import Path
from typing import Any

from fake_stages import FakeStage


def test_it_renders_again_and_ends_like_the_build(
    invoke: Any, faked: dict[str, FakeStage], tmp_path: Path
) -> None:
    built = invoke("build", "--out", tmp_path / "out")
    (tmp_path / "out" / "report.md").unlink()
    done = invoke("report", tmp_path / "out")
    assert done.code == 0
    assert done.out == built.out
    assert (tmp_path / "out" / "report.md").is_file()
    assert len(faked["verify"].runs) == 1


def test_failed_parity_still_exits_1(invoke: Any, faked: dict[str, FakeStage], tmp_path: Path) -> None:
    invoke("build", "--out", tmp_path / "out", "--limit-accuracy-drop", "0")
    assert invoke("report", tmp_path / "out").code == 1


def test_a_folder_without_a_build_exits_2(invoke: Any, tmp_path: Path) -> None:
    done = invoke("report", tmp_path / "none")
    assert done.code == 2
    assert "not the folder of a build" in done.err
    assert not (tmp_path / "none").exists()
