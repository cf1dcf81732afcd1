"""`pipeline build`: flags, exit codes, summary."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_stages import FakeStage, contents

from models import errors
from pipeline.cli.flags import ConfigOption, config_options
from pipeline.config_reader import settings
from pipeline.stages import StageContext

Faked = dict[str, FakeStage]


def raising(error: BaseException) -> Callable[[StageContext], None]:
    def fail(context: StageContext) -> None:
        raise error

    return fail


def test_a_build_ends_with_the_verdict_and_everything_beside_it(
    invoke: Any, faked: Faked, tmp_path: Path
) -> None:
    done = invoke("build", "--out", tmp_path / "out")
    assert done.code == 0
    assert done.out.splitlines()[-1] == "PARITY PASSED"
    assert "accuracy_drop" in done.out
    assert "<= 0.01" in done.out
    assert "97.0 % 94.8 % to 98.3 %, 359 of 370" in done.out
    assert "model_int8.tflite " in done.out
    assert f"Report: {tmp_path / 'out' / 'report.html'}" in done.out
    assert "Note: Here [bold]int8[/bold] is slower." in done.out
    assert all(len(line) <= 80 for line in done.out.splitlines() if not line.startswith("Report: "))
    assert "1/6 data: first run" in done.err
    assert "1/6" not in done.out


def test_the_second_build_says_the_same_on_stdout(invoke: Any, faked: Faked, tmp_path: Path) -> None:
    first = invoke("build", "--out", tmp_path / "out")
    second = invoke("build", "--out", tmp_path / "out")
    assert second.out == first.out
    assert "1/6 data: kept from an earlier build" in second.err


def test_failed_parity_exits_1_with_all_files_also_when_kept(
    invoke: Any, faked: Faked, tmp_path: Path
) -> None:
    for _ in range(2):
        done = invoke("build", "--out", tmp_path / "out", "--limit-accuracy-drop", "0")
        assert done.code == 1
        assert "FAIL" in done.out
        assert done.out.splitlines()[-1] == "PARITY FAILED"
    assert (tmp_path / "out" / "report.html").is_file()


def test_flags_and_toml_reach_the_stages(invoke: Any, faked: Faked, tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("[model]\nunits = 32\n[train]\nseed = 4\n")
    invoke("build", "--config", file, "--units", 16, "--no-qat", "--out", tmp_path / "out")
    published = (tmp_path / "out" / "config.toml").read_text()
    assert "units = 16" in published
    assert "seed = 4" in published
    assert "qat = false" in published
    again = invoke("build", "--config", tmp_path / "out" / "config.toml", "--out", tmp_path / "out")
    assert "1/6 data: kept" in again.err
    assert "6/6 report: kept" in again.err


def test_the_output_folder_is_named_after_the_data(
    invoke: Any, faked: Faked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recordings.v2.npz").touch()
    assert invoke("build", "--data", "recordings.v2.npz", "--until", "data").code == 0
    assert invoke("build", "--data", "basic-motions", "--until", "data").code == 0
    assert sorted(p.name for p in Path("build").iterdir()) == ["basic-motions", "recordings.v2"]


def test_quiet_says_nothing_on_stderr(invoke: Any, faked: Faked, tmp_path: Path) -> None:
    done = invoke("build", "--out", tmp_path / "out", "--quiet")
    assert done.err == ""
    assert "PARITY PASSED" in done.out


def test_until_says_where_the_files_are(invoke: Any, faked: Faked, tmp_path: Path) -> None:
    done = invoke("build", "--out", tmp_path / "out", "--until", "convert")
    assert done.code == 0
    assert "PARITY" not in done.out
    assert f"Files: {tmp_path / 'out'}" in done.out


def test_three_mistakes_exit_2_and_nothing_is_written(invoke: Any, faked: Faked, tmp_path: Path) -> None:
    done = invoke("build", "--out", tmp_path / "out", "--units", 0, "--io", "int4", "--data", "basic-motion")
    assert done.code == 2
    assert done.err.startswith("Error: 3 mistakes in the configuration:\n")
    assert all(flag in done.err for flag in ("--units: ", "--io: ", "--data: "))
    assert done.err.splitlines()[-1].startswith("Tip: ")
    assert done.out == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("flags", [("--until", "trian"), ("--redo", "deploy"), ("--unitz", "3")])
def test_wrong_usage_exits_2(invoke: Any, faked: Faked, flags: tuple[str, ...]) -> None:
    done = invoke("build", *flags)
    assert done.code == 2
    assert flags[0] in done.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InputError("x"), 2),
        (errors.TrainingError("x"), 3),
        (errors.QuantizationError("x"), 4),
        (errors.ConversionError("x"), 5),
        (errors.VerificationError("x"), 6),
        (errors.ReportError("x"), 7),
        (OSError(errno.ENOSPC, "full"), 2),
        (KeyError("x"), 70),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_failure_of_a_stage_has_its_exit_code_and_loses_nothing(
    invoke: Any, faked: Faked, tmp_path: Path, error: BaseException, code: int
) -> None:
    invoke("build", "--out", tmp_path / "out")
    before = contents(tmp_path / "out")
    faked["train"].before_return = raising(error)
    done = invoke("build", "--out", tmp_path / "out", "--redo", "train")
    assert done.code == code
    assert ("Traceback" in done.err) == (code == 70)
    assert contents(tmp_path / "out") == before


def test_every_field_has_a_flag() -> None:
    def command(**flags: Any) -> None: ...

    config_options(command)
    options = {
        (option.section, option.opts[0].lstrip("-"))
        for option in command.__click_params__  # type: ignore[attr-defined]
        if isinstance(option, ConfigOption)
    }
    assert options == {(setting.section, setting.flag) for setting in settings()}


def test_help_groups_flags_by_table_with_limits_and_ends_with_examples(invoke: Any) -> None:
    text = invoke("build", "--help").out
    assert "[model] What is built:" in text
    assert "default: 64]" in " ".join(text.split())
    assert text.rstrip().splitlines()[-1].startswith("    pipeline build ")
