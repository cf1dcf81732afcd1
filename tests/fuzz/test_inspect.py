"""Whatever the file: `pipeline inspect` prints, writes JSON and a page, or says what is wrong with it.

What it measures by running the file in a child process is left out here: see test_interpreter.py.
"""

import json
from pathlib import Path

import mutants
import pytest
from click.testing import CliRunner
from fuzzing import bounded, tries
from hypothesis import given
from hypothesis import strategies as st

from converters import inspection
from converters.findings import Measurement
from models.errors import FuselageError, InputError
from pipeline.cli.inspect import inspect

pytestmark = pytest.mark.slow

FILES = st.sampled_from(sorted(mutants.seeds().values()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module", autouse=True)
def _not_run() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspection, "measure", lambda *_, **__: Measurement(skipped="Not here."))
        yield


def look(folder: Path, content: bytes) -> None:
    model = folder / "model.tflite"
    model.write_bytes(content)
    for arguments in (["--html", str(folder / "page.html")], ["--json"]):
        with bounded(f"inspect {arguments[0]}"):
            result = CliRunner().invoke(inspect, [str(model), *arguments], standalone_mode=False)
        if result.exception is not None:
            if not isinstance(result.exception, InputError):
                raise result.exception
            return
        if arguments == ["--json"]:
            assert {"findings", "memory", "ops"} <= set(json.loads(result.stdout))


def test_whole_files_are_shown(folder: Path) -> None:
    for content in mutants.seeds().values():
        look(folder, content)
        assert (folder / "page.html").stat().st_size > 5000


@tries(150)
@given(FILES.flatmap(mutants.damaged))
def test_damaged_files(folder: Path, content: bytes) -> None:
    look(folder, content)


@tries(120)
@given(FILES.flatmap(mutants.senseless))
def test_senseless_files(folder: Path, content: bytes) -> None:
    look(folder, content)


@tries(60)
@given(mutants.documents())
def test_damaged_metadata(folder: Path, document: bytes) -> None:
    look(folder, mutants.with_document(document))


def test_the_harness_notices_a_bug(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(inspection, "summarize", broken)
    with pytest.raises(ZeroDivisionError):
        look(folder, mutants.seeds()["ours"])
    assert not issubclass(ZeroDivisionError, FuselageError)
