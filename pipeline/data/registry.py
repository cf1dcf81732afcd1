"""Where data comes from: data sets by name, and readers of files and folders by suffix.

A data set or reader registers itself in the file that defines it; `pipeline.data` imports those files.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError
from pipeline.data.dataset import SequenceDataset
from pipeline.data.options import ReadOptions


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
Reader = Callable[[Path, ReadOptions], SequenceDataset]


@dataclass(frozen=True)
class _Known:
    """A reader, and the options that it looks at."""

    read: Reader
    used: tuple[str, ...]


_datasets: dict[str, tuple[DatasetInfo, Loader]] = {}
_readers: dict[str, _Known] = {}
_folders: dict[str, _Known] = {}


def register(info: DatasetInfo) -> Callable[[Loader], Loader]:
    """Register the decorated function as the loader of a named data set."""

    def add(load: Loader) -> Loader:
        _datasets[info.name] = (info, load)
        return load

    return add


def register_reader(suffix: str, *used: str) -> Callable[[Reader], Reader]:
    """Register the decorated function as the reader of files that end in `suffix`.

    Args:
        used: the fields of [data] that it looks at, and "audio" for that table; others are refused.
    """
    return _adding(_readers, suffix, used)


def register_folder(suffix: str, *used: str) -> Callable[[Reader], Reader]:
    """Register the decorated function as the reader of folders of files that end in `suffix`; see above."""
    return _adding(_folders, suffix, used)


def _adding(where: dict[str, _Known], suffix: str, used: tuple[str, ...]) -> Callable[[Reader], Reader]:
    def add(read: Reader) -> Reader:
        where[suffix] = _Known(read, used)
        return read

    return add


def names() -> tuple[str, ...]:
    """Return the names of the data sets, sorted."""
    return tuple(sorted(_datasets))


def describe() -> tuple[DatasetInfo, ...]:
    """Return what is known about each data set, in the order of `names`, without loading any."""
    return tuple(_datasets[name][0] for name in names())


def load_dataset(
    source: str, task: str | None = None, options: ReadOptions | None = None
) -> SequenceDataset:
    """Load a data set by name, or read the user's file or folder.

    Args:
        source: a registered name, the path of a file with a registered suffix, or of a folder of such files.
        task: what is to be learned; None: what the data says, or what follows from its labels.
        options: how to read a file or folder; what its reader does not look at has to be left alone.

    Raises:
        InputError: none of these, or it cannot be used, or not for that task.
    """
    options = options or ReadOptions(task)
    dataset = read_dataset(source, options)
    if options.task not in (None, dataset.task):
        raise InputError(
            f"The task asked for is {options.task!r}; the data '{source}' is for {dataset.task!r}.",
            "Leave --task out: it follows from the data.",
        )
    return dataset


def read_dataset(source: str, options: ReadOptions) -> SequenceDataset:
    """As `load_dataset`, but its task counts only where the data says none; `task` of the result tells."""
    if source in _datasets:
        options.require_used(source, ())
        return _datasets[source][1]()
    reader = _reader_of(source)
    options.require_used(source, reader.used)
    return reader.read(Path(source), options)


def require_source(source: str) -> None:
    """Raise an InputError where there is no such source; of a folder only file names are looked at."""
    if source in _datasets:
        return
    _reader_of(source)
    if not Path(source).is_dir():
        try:
            with open(source, "rb"):
                pass
        except OSError as error:
            raise unreadable(Path(source), error) from error


def source_identity(source: str) -> dict[str, str]:
    """Return what tells one source from another: a name, or the name and content of a file or folder.

    Where it lies does not count; a changed content does, and in a folder the name of a file.

    Raises:
        InputError: no such data set, or a file cannot be read.
    """
    if source in _datasets:
        return {"dataset": source}
    _reader_of(source)
    path = Path(source)
    if not path.is_dir():
        return {"file": path.name, "sha256": _sha256(path)}
    content = hashlib.sha256()
    for name in files_below(path):
        content.update(f"{_sha256(path / name)} {name}\n".encode("utf-8", "surrogateescape"))
    return {"folder": path.resolve().name, "sha256": content.hexdigest()}


def files_below(folder: Path, suffix: str = "") -> list[str]:
    """Return the paths of the files in a folder, relative to it, with `/`, sorted; hidden ones are left out.

    Raises:
        InputError: a folder cannot be read.
    """

    def fail(error: OSError) -> None:
        raise unreadable(Path(error.filename or folder), error) from error

    found = []
    for where, folders, files in os.walk(folder, onerror=fail, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and name.lower().endswith(suffix):
                found.append(Path(where, name).relative_to(folder).as_posix())
    return sorted(found)


def _sha256(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> InputError:
    """Return the error for a file the system does not let us read."""
    return InputError(
        f"Cannot read '{path}': {error.strerror or error}.", "Check the path and its permissions."
    )


def _reader_of(source: str) -> _Known:
    path = Path(source)
    reader = _readers.get(path.suffix.lower())
    if path.is_dir():
        return _folder_reader(path)
    if reader is not None:
        return reader
    suffixes = " or ".join(sorted(_readers))
    close = difflib.get_close_matches(source.lower().replace("_", "-"), names(), n=1)
    raise InputError(
        f"Unknown data set '{source}'. Known: {', '.join(names())}, or the path of a file ending in "
        f"{suffixes}, or of a folder of {' or '.join(sorted(_folders))} files.",
        f"Did you mean '{close[0]}'?" if close else "`pipeline data list` describes them.",
    )


def _folder_reader(folder: Path) -> _Known:
    """The reader for the kind of file that the folder holds."""
    files = files_below(folder)
    found = [suffix for suffix in _folders if any(name.lower().endswith(suffix) for name in files)]
    if len(found) == 1:
        return _folders[found[0]]
    kinds = " or ".join(sorted(_folders))
    others = f"{len(files)} files of other kinds" if files else "nothing"
    has = " and ".join(sorted(found)) or others
    raise InputError(
        f"The folder '{folder}' holds {has}; needed is one kind of {kinds} files in it or in its folders.",
        "Is it the right folder?" if not found else "Put the others elsewhere.",
    )
