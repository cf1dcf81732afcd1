"""What a build redoes, why, and what it publishes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fake_stages import FakeStage, Listener, contents, fake_stages, run_build

from models.errors import InputError, TrainingError
from pipeline import stages as registry
from pipeline.build import PUBLISHED, changes, render_again
from pipeline.config import BuildConfig, ConvertConfig, ModelSection, TolerancesConfig
from pipeline.stages import StageContext
from pipeline.store import Store

MODELS = {name for name in PUBLISHED if name.endswith(".tflite")}
# The other models only where they are asked for.
MADE = {*PUBLISHED, "config.toml"} - MODELS | {"model_float32.tflite", "model_int8.tflite"}
ALL = ("data", "train", "quantize", "convert", "verify", "report")
SMALL = BuildConfig(model=ModelSection(units=(32,)))


def test_the_first_build_runs_all_stages_in_order_and_publishes(tmp_path: Path) -> None:
    result, listener = run_build(tmp_path / "out")
    assert result.built == ALL
    assert result.passed
    assert set(result.files) == MADE
    assert all(path.is_file() for path in result.files.values())
    assert (tmp_path / "out" / "config.toml").read_text() == BuildConfig().to_toml()
    assert listener.messages[0] == "1/6 data: first run"


def test_the_second_build_redoes_nothing(tmp_path: Path) -> None:
    run_build(tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "stages").glob("*/*")}
    result, listener = run_build(tmp_path / "out")
    assert result.built == ()
    assert result.parity is not None
    assert listener.about("train") == "kept from an earlier build"
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_changed_option_redoes_what_depends_on_it_and_says_why(tmp_path: Path) -> None:
    run_build(tmp_path / "out")
    result, listener = run_build(tmp_path / "out", SMALL)
    assert result.built == ALL[1:]
    assert listener.about("data") == "kept from an earlier build"
    assert listener.about("train") == "units 64 -> 32"
    assert listener.about("quantize") == "train changed"
    assert '"units": [32]' in (tmp_path / "out" / "model_int8.tflite").read_text().replace("\\", "")


@pytest.mark.parametrize(
    ("config", "built"),
    [
        (BuildConfig(convert=ConvertConfig(io="int8")), ALL[3:]),
        (BuildConfig(tolerances=TolerancesConfig(accuracy_drop=0.5)), ALL[4:]),
    ],
)
def test_a_late_option_redoes_only_late_stages(
    tmp_path: Path, config: BuildConfig, built: tuple[str, ...]
) -> None:
    run_build(tmp_path / "out")
    assert run_build(tmp_path / "out", config)[0].built == built


def test_a_raised_stage_version_is_a_reason(tmp_path: Path) -> None:
    run_build(tmp_path / "out")
    stages = fake_stages()
    stages[3].version = 2
    result, listener = run_build(tmp_path / "out", stages=stages)
    assert result.built == ALL[3:]
    assert listener.about("convert") == "stage version 1 -> 2"


def test_another_version_of_a_package_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline import build

    run_build(tmp_path / "out")
    version = build._version
    monkeypatch.setattr(build, "_version", lambda name: "9.9" if name == "numpy" else version(name))
    result, listener = run_build(tmp_path / "out")
    assert result.built == ALL
    assert listener.about("data") == f"numpy {version('numpy')} -> 9.9"


def test_a_damaged_artifact_is_named_and_built_again(tmp_path: Path) -> None:
    run_build(tmp_path / "out")
    whole = contents(tmp_path / "out")
    (tmp_path / "out" / "stages" / "train" / "weights.h5").write_text("rotten")
    result, listener = run_build(tmp_path / "out")
    assert listener.about("train") == "weights.h5 is damaged, building again"
    assert result.built == ("train",)  # the same result again: nothing after it has to follow
    assert contents(tmp_path / "out") == whole


def test_a_result_that_comes_out_different_is_followed(tmp_path: Path) -> None:
    run_build(tmp_path / "out")
    stages = fake_stages()
    stages[1].before_return = lambda context: (context.folder / "weights.h5").write_text(
        "another local optimum"
    )  # type: ignore[assignment,return-value]
    result, listener = run_build(tmp_path / "out", stages=stages, redo=["train"])
    assert result.built == ALL[1:]
    assert listener.about("train") == "asked for by --redo"
    assert listener.about("convert") == "quantize changed, train changed"


def test_fresh_forgets_everything_stored(tmp_path: Path) -> None:
    run_build(tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    result, _ = run_build(tmp_path / "out", fresh=True)
    assert result.built == ALL
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_until_stops_and_still_publishes_the_models(tmp_path: Path) -> None:
    result, _ = run_build(tmp_path / "out", until="convert")
    assert result.built == ALL[:4]
    assert set(result.files) == {"model_float32.tflite", "model_int8.tflite", "config.toml"}
    assert result.parity is None
    assert result.passed
    assert run_build(tmp_path / "out")[0].built == ALL[4:]


def test_stopping_early_removes_published_files_of_another_configuration(tmp_path: Path) -> None:
    run_build(tmp_path / "out")
    result, _ = run_build(tmp_path / "out", SMALL, until="train")
    assert set(result.files) == {"config.toml"}
    assert not (tmp_path / "out" / "model_int8.tflite").exists()


def test_redo_after_until_is_refused_before_anything_happens(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--redo report comes after --until train"):
        run_build(tmp_path / "out", until="train", redo=["report"])
    assert not (tmp_path / "out").exists()


def test_the_stock_file_is_published_while_it_is_asked_for(tmp_path: Path) -> None:
    stages = fake_stages()
    stages[3].files += ("model_int8_stock.tflite",)
    compared = BuildConfig(convert=ConvertConfig(compare_stock=True))
    result, listener = run_build(tmp_path / "out", compared, stages=stages)
    assert set(result.files) == {*MADE, "model_int8_stock.tflite"}
    result, listener = run_build(tmp_path / "out")
    assert listener.about("convert") == "compare_stock True -> False"
    assert set(result.files) == MADE
    assert not (tmp_path / "out" / "model_int8_stock.tflite").exists()


def test_a_removed_published_file_comes_back(tmp_path: Path) -> None:
    run_build(tmp_path / "out")
    (tmp_path / "out" / "model_int8.tflite").unlink()
    assert run_build(tmp_path / "out")[0].built == ()
    assert (tmp_path / "out" / "model_int8.tflite").is_file()


def test_failed_parity_is_a_result_with_all_files_and_stays_one_when_kept(tmp_path: Path) -> None:
    strict = BuildConfig(tolerances=TolerancesConfig(accuracy_drop=0.0))
    for built in (ALL, ()):
        result, _ = run_build(tmp_path / "out", strict)
        assert result.built == built
        assert not result.passed
        assert set(result.files) == MADE


def test_a_failing_stage_keeps_what_was_finished(tmp_path: Path) -> None:
    def diverge(context: StageContext) -> None:
        raise TrainingError("The loss is not finite.")

    stages = fake_stages()
    stages[1].before_return = diverge
    with pytest.raises(TrainingError):
        run_build(tmp_path / "out", stages=stages)
    assert run_build(tmp_path / "out")[0].built == ALL[1:]


def test_a_stage_that_reads_in_secret_is_a_bug(tmp_path: Path) -> None:
    def peek(context: StageContext) -> None:
        context.artifact("data")

    stages = fake_stages()
    stages[5].before_return = peek
    with pytest.raises(LookupError, match="without saying so"):
        run_build(tmp_path / "out", stages=stages)


@pytest.mark.parametrize("stage", ALL)
def test_a_kill_during_each_stage_is_survived(tmp_path: Path, stage: str) -> None:
    """The child kills itself when the stage has half of its work on the disk."""
    out = tmp_path / "out"
    script = (
        "import os, signal, sys; from pathlib import Path; from fake_stages import fake_stages, run_build\n"
        "def die(context): os.kill(os.getpid(), signal.SIGKILL)\n"
        "stages = fake_stages()\n"
        f"stages[{ALL.index(stage)}].before_return = die\n"
        "run_build(Path(sys.argv[1]), stages=stages)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", script, out], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    with Store(out) as store:
        assert [name for name in ALL if store.read(name)] == list(ALL[: ALL.index(stage)])
    assert run_build(out)[0].built == ALL[ALL.index(stage) :]
    run_build(tmp_path / "whole")
    assert contents(out) == contents(tmp_path / "whole")


class TestChanges:
    def test_every_kind_is_said_in_words(self) -> None:
        old = {
            "version": 1,
            "options": {"units": 64, "epochs": None, "source": {"dataset": "a"}},
            "reads": {"d": "1"},
        }
        new = {
            "version": 2,
            "options": {"units": 32, "epochs": 5, "source": {"file": "b"}},
            "reads": {"d": "2"},
        }
        assert list(changes(old, new)) == [
            "epochs auto -> 5",
            "source.dataset a -> nothing",
            "source.file nothing -> b",
            "units 64 -> 32",
            "d changed",
            "stage version 1 -> 2",
        ]

    def test_checksums_are_cut_but_compared_whole(self) -> None:
        old, new = ({"options": {"sha256": "a" * 63 + end}} for end in "bc")
        assert list(changes(old, new)) == ["sha256 aaaaaaaaaaaa... -> aaaaaaaaaaaa..."]
        assert list(changes(old, old)) == []


class TestRenderAgain:
    def again(self, out: Path, stage: FakeStage | None = None) -> tuple[str, ...]:
        return render_again(out, Listener(), stage or fake_stages()[-1]).built

    def test_it_runs_the_report_stage_only(self, tmp_path: Path) -> None:
        run_build(tmp_path / "out", SMALL)
        whole = contents(tmp_path / "out")
        (tmp_path / "out" / "report.md").unlink()
        assert self.again(tmp_path / "out") == ("report",)
        assert contents(tmp_path / "out") == whole

    def test_a_new_rendering_is_published_and_not_undone_by_the_next_build(self, tmp_path: Path) -> None:
        run_build(tmp_path / "out")
        stage = fake_stages()[-1]
        stage.before_return = lambda context: (context.folder / "report.md").write_text("better")  # type: ignore[assignment,return-value]
        self.again(tmp_path / "out", stage)
        assert run_build(tmp_path / "out")[0].built == ()
        assert (tmp_path / "out" / "report.md").read_text() == "better"

    def test_a_folder_without_a_build_is_refused_and_untouched(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="not the folder of a build"):
            self.again(tmp_path)
        assert not list(tmp_path.iterdir())

    def test_an_unfinished_build_is_refused(self, tmp_path: Path) -> None:
        run_build(tmp_path / "out", until="convert")
        with pytest.raises(InputError, match="'verify'"):
            self.again(tmp_path / "out")

    def test_a_damaged_verification_is_refused(self, tmp_path: Path) -> None:
        run_build(tmp_path / "out")
        (tmp_path / "out" / "stages" / "verify" / "parity.json").write_text("{}")
        with pytest.raises(InputError, match=r"parity\.json is damaged"):
            self.again(tmp_path / "out")

    def test_a_verification_of_other_models_is_refused(self, tmp_path: Path) -> None:
        run_build(tmp_path / "out")
        run_build(tmp_path / "out", SMALL, until="convert")
        with pytest.raises(InputError, match="older than 'convert'"):
            self.again(tmp_path / "out")


@pytest.mark.slow
def test_the_registered_stages_satisfy_the_protocol() -> None:
    config = BuildConfig()
    for position, name in enumerate(registry.NAMES):
        stage = registry.load(name)
        assert stage.name == name
        assert isinstance(stage.version, int)
        assert set(stage.reads) <= set(registry.NAMES[:position])
        json.dumps(stage.options(config), allow_nan=False)
