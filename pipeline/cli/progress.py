"""Progress on stderr: a live bar on a terminal, an occasional line elsewhere, nothing when quiet."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from pipeline.cli.output import printable
from pipeline.progress import Progress, Silence

INTERVAL_S = 10.0


@contextlib.contextmanager
def listener(quiet: bool) -> Iterator[Progress]:
    """The listener that suits stderr; a live bar is cleaned up on the way out, whatever happens."""
    if quiet:
        yield Silence()
    elif sys.stderr.isatty():
        with contextlib.closing(Bar()) as bar:
            yield bar
    else:
        yield Lines()


class Lines:
    """A line where a task starts, one every ten seconds, and one at its end."""

    def __init__(
        self,
        write: Callable[[str], object] = lambda line: print(line, file=sys.stderr, flush=True),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._clock = clock
        self._label = ""

    def start(self, label: str, total: int | None) -> None:
        self._label, self._total, self._done = printable(label), total, 0
        self._started = self._last = self._clock()
        self._write(f"  {self._label}")

    def advance(self, n: int = 1, note: str = "") -> None:
        self._done += n
        now = self._clock()
        if now - self._last < INTERVAL_S:
            return
        self._last = now
        of, left = "", ""
        if self._total and self._done:
            of = f" of {self._total}"
            left = f", about {(now - self._started) / self._done * (self._total - self._done):.0f} s left"
        self._write(f"  {self._label}: {self._done}{of}{left}{', ' if note else ''}{printable(note)}")

    def finish(self) -> None:
        self._write(f"  {self._label}: done in {self._clock() - self._started:.1f} s")

    def message(self, text: str) -> None:
        self._write(printable(text))


class Bar:
    """A bar with the time left, replaced by one line when its task is over."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TaskID,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bars = Progress(
            TextColumn("  {task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True, markup=False, highlight=False, emoji=False),
            redirect_stdout=False,
            transient=True,
        )
        self._bars.start()
        self._task = TaskID(0)

    def start(self, label: str, total: int | None) -> None:
        self._label, self._started = printable(label), time.monotonic()
        self._task = self._bars.add_task(self._label, total=total, note="")

    def advance(self, n: int = 1, note: str = "") -> None:
        self._bars.update(self._task, advance=n, note=printable(note))

    def finish(self) -> None:
        self._bars.remove_task(self._task)
        self.message(f"  {self._label}: {time.monotonic() - self._started:.1f} s")

    def message(self, text: str) -> None:
        self._bars.console.print(printable(text))

    def close(self) -> None:
        """Take the bar off the screen."""
        self._bars.stop()
