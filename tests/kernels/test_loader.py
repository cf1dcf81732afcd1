"""The guards before first use, each with a case that makes it fail."""

import importlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from kernel_cases import fuselage_kernels
from selftest_model import selftest_model

loader, trial = fuselage_kernels.loader, fuselage_kernels.trial
selftest = importlib.import_module("fuselage_kernels.selftest")
load, Unavailable = fuselage_kernels.load, fuselage_kernels.Unavailable


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    trial.trial_problem.cache_clear()
    return tmp_path


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "run", started)


def test_the_self_tests_model_is_the_one_in_the_package() -> None:
    assert selftest.MODEL.read_bytes() == selftest_model()


@pytest.mark.slow
@pytest.mark.parametrize("interpreter", ["ai_edge_litert", "tensorflow"])
def test_the_self_test_passes_in_both_interpreters(interpreter: str) -> None:
    assert fuselage_kernels.describe(load(interpreter)).path == fuselage_kernels.runnable_paths()[0]


def test_a_success_is_remembered(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load("ai_edge_litert")
    assert len(list(own_cache.glob("fuselage-kernels/*.json"))) == 1
    trial.trial_problem.cache_clear()  # as in a new process
    monkeypatch.setattr(trial, "_try", lambda *_: "it was run again")
    load("ai_edge_litert")
    with pytest.raises(Unavailable, match="run again"):
        load("ai_edge_litert", path="plain")  # another path is another question
    monkeypatch.setattr(trial, "_cpu", lambda: "another CPU")
    trial.trial_problem.cache_clear()
    with pytest.raises(Unavailable, match="run again"):
        load("ai_edge_litert")


def test_where_nothing_can_be_remembered_it_works_all_the_same(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(own_cache / "a file"))
    (own_cache / "a file").write_text("")
    load("ai_edge_litert")


def failing(folder: Path, script: str) -> str:
    """A program that is started instead of Python."""
    program = folder / "python"
    program.write_text(f"#!{sys.executable}\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended by SIGSEGV"),
        ("import sys; sys.exit('the results differ from the zero state.')", "the results differ"),
        ("import sys; sys.exit(3)", "it printed nothing"),
        ("import time; time.sleep(60)", "did not end within"),
    ],
    ids=["crash", "difference", "silence", "hang"],
)
def test_a_failed_self_test_is_a_reason(
    script: str, said: str, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", failing(own_cache, script))
    monkeypatch.setattr(trial, "TIMEOUT_S", 1)
    with pytest.raises(Unavailable, match=said):
        load("ai_edge_litert")
    assert not list(own_cache.glob("fuselage-kernels/*.json"))


def test_without_a_python_to_start_there_is_no_self_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(Unavailable, match="no Python executable"):
        load("ai_edge_litert")


@pytest.mark.usefixtures("no_process")
class TestBeforeAnyProcess:
    def test_an_untested_version(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(loader.importlib.metadata, "version", lambda _: "99.0")
        with pytest.raises(Unavailable, match=r"ai_edge_litert 99.0 was not tested .*tested: 2.3.0"):
            load("ai_edge_litert")
        with pytest.raises(AssertionError, match="process was started"):
            load("ai_edge_litert", untested=True)

    def test_an_unknown_interpreter(self) -> None:
        with pytest.raises(Unavailable, match="Unknown interpreter 'torch'"):
            load("torch")

    def test_no_interpreter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(name: str) -> str:
            raise loader.importlib.metadata.PackageNotFoundError(name)

        monkeypatch.setattr(loader.importlib.metadata, "version", missing)
        with pytest.raises(Unavailable, match="No TFLite interpreter is installed"):
            load()
        with pytest.raises(Unavailable, match="tensorflow is not installed"):
            load("tensorflow")

    def test_an_unknown_path(self) -> None:
        with pytest.raises(Unavailable, match=r"cannot run 'avx1024'\. It runs: .*plain"):
            load("ai_edge_litert", path="avx1024")

    def test_no_library(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(loader, "LIBRARY", tmp_path / "libabsent.so")
        with pytest.raises(Unavailable, match=r"libabsent.so is missing"):
            load("ai_edge_litert")


def test_a_library_that_is_none_is_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lib.so").write_bytes(b"no library")
    monkeypatch.setattr(loader, "LIBRARY", tmp_path / "lib.so")
    with pytest.raises(Unavailable, match="cannot load the delegate"):
        loader.open_delegate("ai_edge_litert", None)


def test_the_self_test_fails_where_a_result_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours with another model: what a kernel that computes something else would look like."""
    real = loader.interpreter_of("ai_edge_litert").Interpreter

    class Shifted(real):  # type: ignore[misc, valid-type]
        def get_tensor(self, index: int) -> object:
            values = super().get_tensor(index)
            return values + 1 if self._delegates else values

    monkeypatch.setattr(loader.interpreter_of("ai_edge_litert"), "Interpreter", Shifted)
    assert "differ from the zero state" in selftest.compare("ai_edge_litert", None)


def test_the_default_interpreter_is_the_imported_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ai_edge_litert" in sys.modules
    assert loader._default_interpreter() == "ai_edge_litert"
    monkeypatch.delitem(sys.modules, "ai_edge_litert")
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    assert loader._default_interpreter() == "tensorflow"


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", os.sep + "somewhere")
    assert trial.cache_folder() == Path("/somewhere/.cache/fuselage-kernels")
