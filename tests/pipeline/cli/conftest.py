"""Commands called as the console script calls them, without a process of their own."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from fake_stages import FakeStage, fake_stages

from pipeline import stages as registry
from pipeline.cli import cli
from pipeline.cli.errors import guarded


@dataclass(frozen=True)
class Outcome:
    """Exit code and what was written."""

    code: int
    out: str
    err: str


Invoke = Callable[..., Outcome]


@pytest.fixture
def invoke(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Call `pipeline` with arguments."""
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")  # so that what `build` sets is taken back

    def call(*arguments: object) -> Outcome:
        code = guarded(
            lambda: cli.main(args=[str(a) for a in arguments], prog_name="pipeline", standalone_mode=False)
        )
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeStage]:
    """Put fake stages in the place of the registered ones; returned by name."""
    stages = {stage.name: stage for stage in fake_stages()}
    monkeypatch.setattr(registry, "load", stages.__getitem__)
    return stages
