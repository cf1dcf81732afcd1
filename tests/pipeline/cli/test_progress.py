"""Progress: occasional lines, a bar, silence."""

import contextlib
import io
import sys

import pytest

from pipeline.cli.progress import Bar, Lines, listener

SHOW_CURSOR = "\x1b[?25h"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def said() -> list[str]:
    return []


def test_lines_are_occasional_and_tell_the_time_left(said: list[str]) -> None:
    clock = Clock()
    lines = Lines(said.append, clock)
    lines.start("Training", 100)
    for _ in range(30):
        clock.now += 1.0
        lines.advance(note="loss 0.1")
    lines.finish()
    lines.message("done")
    # 10 steps took 10 s, so the other 90 take 90 s, and so on
    assert said == [
        "  Training",
        "  Training: 10 of 100, about 90 s left, loss 0.1",
        "  Training: 20 of 100, about 80 s left, loss 0.1",
        "  Training: 30 of 100, about 70 s left, loss 0.1",
        "  Training: done in 30.0 s",
        "done",
    ]


def test_an_unknown_total_has_no_time_left(said: list[str]) -> None:
    clock = Clock()
    lines = Lines(said.append, clock)
    lines.start("Reading", None)
    clock.now = 11.0
    lines.advance(3)
    assert said[-1] == "  Reading: 3"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    stream = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_a_terminal_gets_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    with listener(quiet=False) as progress:
        assert isinstance(progress, Bar)
        progress.start("Training [b]", 4)
        progress.advance(2, note="loss [0.1]")
        progress._bars.refresh()
        progress.finish()
        progress.message("[red]kept[/red]")
    for text in ("Training [b]", "2/4", "loss [0.1]", "[red]kept[/red]", SHOW_CURSOR):
        assert text in stream.getvalue()


def test_the_cursor_comes_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    with contextlib.suppress(ZeroDivisionError), listener(quiet=False) as progress:
        progress.start("Training", 4)
        raise ZeroDivisionError
    assert SHOW_CURSOR in stream.getvalue()


def test_a_file_gets_lines_and_quiet_gets_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet, expected in ((False, "hello\n"), (True, "")):
        with listener(quiet) as progress:
            progress.message("hello")
        assert capsys.readouterr().err == expected
