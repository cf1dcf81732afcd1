"""Where data comes from: data sets by name, and readers of files by suffix.

A data set or reader registers itself in the file that defines it; `pipeline.data` imports those files.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError
from pipeline.data.dataset import SequenceDataset


@dataclass(frozen=True)
class DatasetInfo:
    """What can be said about a data set without loading it.

    Attributes:
        name: what the user types.
        summary: one line.
        classes, channels: how many.
        steps: length of a window after padding; shortest_steps: of the shortest recording.
        train_windows, test_windows: how many.
        sample_rate_hz: steps per second.
        attribution: source, authors and licence.
    """

    name: str
    summary: str
    classes: int
    channels: int
    steps: int
    shortest_steps: int
    train_windows: int
    test_windows: int
    sample_rate_hz: float
    attribution: str

    @property
    def shape(self) -> str:
        """One line of shape facts."""
        shorter = f"{self.shortest_steps}-" if self.shortest_steps < self.steps else ""
        return (
            f"{self.classes} classes, {self.train_windows} training and {self.test_windows} test windows, "
            f"{shorter}{self.steps} steps of {self.channels} channels at {self.sample_rate_hz:g} Hz"
        )


Loader = Callable[[], SequenceDataset]
Reader = Callable[[Path, str | None], SequenceDataset]  # path, and the task where somebody asked for one

_datasets: dict[str, tuple[DatasetInfo, Loader]] = {}
_readers: dict[str, Reader] = {}


def register(info: DatasetInfo) -> Callable[[Loader], Loader]:
    """Register the decorated function as the loader of a named data set."""

    def add(load: Loader) -> Loader:
        _datasets[info.name] = (info, load)
        return load

    return add


def register_reader(suffix: str) -> Callable[[Reader], Reader]:
    """Register the decorated function as the reader of files that end in `suffix`."""

    def add(read: Reader) -> Reader:
        _readers[suffix] = read
        return read

    return add


def names() -> tuple[str, ...]:
    """Return the names of the data sets, sorted."""
    return tuple(sorted(_datasets))


def describe() -> tuple[DatasetInfo, ...]:
    """Return what is known about each data set, in the order of `names`, without loading any."""
    return tuple(_datasets[name][0] for name in names())


def load_dataset(source: str, task: str | None = None) -> SequenceDataset:
    """Load a data set by name, or read the user's file.

    Args:
        source: a registered name, or the path of a file with a registered suffix (.npz).
        task: what is to be learned; None: what the data says, or what follows from its labels.

    Raises:
        InputError: neither, or the file cannot be used, or not for that task.
    """
    dataset = read_dataset(source, task)
    if task not in (None, dataset.task):
        raise InputError(
            f"The task asked for is {task!r}; the data '{source}' is for {dataset.task!r}.",
            "Leave --task out: it follows from the data.",
        )
    return dataset


def read_dataset(source: str, task: str | None = None) -> SequenceDataset:
    """As `load_dataset`, but `task` counts only where the data says none; `task` of the result tells."""
    return _datasets[source][1]() if source in _datasets else _reader_of(source)(Path(source), task)


def source_identity(source: str) -> dict[str, str]:
    """Return what tells one source from another: a name, or a file's name and content.

    The folder a file lies in does not count; a changed content does.

    Raises:
        InputError: no such data set, or the file cannot be read.
    """
    if source in _datasets:
        return {"dataset": source}
    _reader_of(source)
    try:
        with open(source, "rb") as file:
            return {"file": Path(source).name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    except OSError as error:
        raise unreadable(Path(source), error) from error


def unreadable(path: Path, error: OSError) -> InputError:
    """Return the error for a file the system does not let us read."""
    return InputError(
        f"Cannot read '{path}': {error.strerror or error}.", "Check the path and its permissions."
    )


def _reader_of(source: str) -> Reader:
    reader = _readers.get(Path(source).suffix.lower())
    if reader is not None:
        return reader
    known = ", ".join(names())
    suffixes = " or ".join(sorted(_readers))
    close = difflib.get_close_matches(source.lower().replace("_", "-"), names(), n=1)
    raise InputError(
        f"Unknown data set '{source}'. Known: {known}, or the path of a file ending in {suffixes}.",
        f"Did you mean '{close[0]}'?" if close else "`pipeline data list` describes them.",
    )
