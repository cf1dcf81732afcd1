"""From errors to text and exit codes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from models.errors import FuselageError, InputError
from pipeline import build as engine
from pipeline.benchmark import run
from pipeline.cli.errors import EXIT_CODES, PipeBroken, Terminated, guarded
from pipeline.runtime import ModelFileError, WindowError

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def raise_(error: BaseException) -> None:
    raise error


def test_every_kind_of_our_errors_has_its_own_code() -> None:
    assert set(EXIT_CODES) == set(FuselageError.__subclasses__())
    assert sorted(EXIT_CODES.values()) == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("x"), 2),
        (ModelFileError("x"), 2),
        (WindowError("x"), 2),
        (click.UsageError("x"), 2),
        (click.ClickException("x"), 2),
        (ValueError("x"), 70),
        (MemoryError(), 70),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (Terminated(), 143),
    ],
    ids=lambda value: type(value).__name__,
)
def test_codes(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: raise_(error)) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err
    assert ("Traceback" in captured.err) == (code == 70)


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1)])
def test_what_a_command_returns_is_the_code(returned: object, code: int) -> None:
    assert guarded(lambda: returned) == code


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), Terminated()], ids=["interrupted", "terminated"])
def test_only_a_build_that_is_stopped_speaks_of_stages(
    invoke: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    told = "A build keeps its finished stages and goes on from there."
    monkeypatch.setattr(engine, "build", lambda *given, **more: raise_(stop))
    monkeypatch.setattr(run, "benchmark", lambda *given, **more: raise_(type(stop)()))
    assert told in invoke("build", "--quiet").err
    assert told not in invoke("benchmark", "model.tflite", "--quiet").err


def test_message_and_tip_are_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(lambda: raise_(InputError("It is [red]cut[/red] \x1b[31mshort.", "Copy it again.")))
    assert capsys.readouterr().err == "Error: It is [red]cut[/red] \\x1b[31mshort.\nTip: Copy it again.\n"


def test_no_tip_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(lambda: raise_(InputError("Short.")))
    assert capsys.readouterr().err == "Error: Short.\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_end_a_process_cleanly(tmp_path: Path, number: signal.Signals, code: int) -> None:
    script = tmp_path / "sleeper.py"
    script.write_text(
        "import sys, time\n"
        "import pipeline.cli as cli\n"
        "import click\n"
        "@click.command()\n"
        "def sleep():\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(30)\n"
        "cli.cli = sleep\n"
        "sys.argv = ['pipeline']\n"
        "cli.main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, script], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert "Traceback" not in err
    assert err.strip() in ("Interrupted.", "Terminated.")


def test_a_reader_of_stdout_that_leaves_is_no_error(tmp_path: Path) -> None:
    """`pipeline run ... | head -1`"""
    script = (
        "import sys, click, pipeline.cli as cli\n"
        "@cli.cli.command()\n"
        "def data():\n"
        "    for number in range(100000): click.echo(number)\n"
        "cli.cli.get_command = lambda ctx, name: data\n"
        "sys.argv = ['pipeline', 'data']\n"
        "cli.main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "0\n"
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=20) == 141
    assert err == ""


def test_a_broken_pipe_to_a_child_is_a_bug_and_not_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: raise_(PipeBroken())) == 70
    assert "Traceback" in capsys.readouterr().err
