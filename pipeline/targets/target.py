"""What a target is, and the ones there are by the word that names them."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models.errors import InputError, VerificationError
from pipeline.progress import Progress
from pipeline.targets import cpus
from pipeline.targets.tools import failure


@dataclass(frozen=True)
class Options:
    """What a user may say about targets.

    Attributes:
        cpu: the processor that is emulated, a name of `cpus.CPUS`.
        cache: where emulations are set up; None: the user's cache.
        python: the Python of a machine or phone; None: the usual one.
    """

    cpu: str = cpus.DEFAULT
    cache: Path | None = None
    python: str | None = None


class Target(Protocol):
    """A place where files are run."""

    @property
    def name(self) -> str:
        """As the user named it."""

    def prepare(self, progress: Progress) -> Mapping[str, str]:
        """Set up or look for what a job needs; returns what is known of the place, for the report.

        Raises:
            VerificationError: it is not there; the message says what to do.
        """

    def run(self, folder: Path, progress: Progress) -> None:
        """Run `runner.py` of a job's folder there; its answers are in `folder/out` afterwards.

        Progress advances by windows.

        Raises:
            VerificationError: it could not be run, or failed.
        """


@dataclass(frozen=True)
class _Known:
    """What stands behind a word: how a user writes it, the `Options` it heeds, and what makes the target."""

    form: str
    takes: tuple[str, ...]
    make: Callable[[str, Options], Target]


_TARGETS: dict[str, _Known] = {}


def target(
    word: str, form: str, takes: tuple[str, ...] = ()
) -> Callable[[Callable[[str, Options], Target]], Callable[[str, Options], Target]]:
    """Registers what makes a target from what stands behind `word:`.

    Args:
        form: how a user writes it.
        takes: names of the `Options` that it heeds.
    """

    def register(make: Callable[[str, Options], Target]) -> Callable[[str, Options], Target]:
        _TARGETS[word] = _Known(form, takes, make)
        return make

    return register


def target_named(text: str, options: Options) -> Target:
    """The target that a user named: "host", "arm64", "ssh:user@host", "adb".

    Raises:
        InputError: no such target, or what is behind the colon is no address.
    """
    word, _, rest = text.partition(":")
    if word not in _TARGETS:
        forms = ", ".join(one.form for one in _TARGETS.values())
        raise InputError(f"Unknown target '{text}'. Known: {forms}.")
    return _TARGETS[word].make(rest, options)


def targets_named(texts: Sequence[str], **options: str | Path | None) -> list[Target]:
    """Each target that a user named, once, with the options that are not None.

    Raises:
        InputError: as `target_named`; or an option that none of these targets heeds.
    """
    given = {name: value for name, value in options.items() if value is not None}
    targets = [target_named(text, Options(**given)) for text in dict.fromkeys(texts)]  # type: ignore[arg-type]
    heeded = {name for text in texts for name in _TARGETS[text.partition(":")[0]].takes}
    for name in [one for one in given if one not in heeded]:
        those = " or ".join(f"--target {one.form}" for one in _TARGETS.values() if name in one.takes)
        raise InputError(f"--{name} does nothing without {those}.", "Name such a target, or leave it out.")
    return targets


def without_address(word: str, rest: str) -> None:
    """Raise an InputError where something follows a target that has no address."""
    if rest:
        got = f"got '{word}:{rest}'"
        raise InputError(f"The target '{word}' takes no address, {got}.", f"Say --target {word}.")


def stream(
    command: Sequence[str],
    what: str,
    progress: Progress,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a program that tells on stdout how far it is, "ROLE windows" a line.

    Args:
        what: of the error.
        folder: where it runs.

    Raises:
        VerificationError: it failed; what it printed last on stderr is attached.
    """
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder,
        env=None if environment is None else dict(environment), text=True, errors="replace",
    ) as process:  # fmt: skip
        try:
            said = _followed(process, progress)
        finally:
            if process.poll() is None:
                process.terminate()
        code = process.wait()
    if code:
        raise VerificationError(f"{what}: {failure(code, said)}")


def _followed(process: subprocess.Popen[str], progress: Progress) -> str:
    """Pass progress on until the program has closed both ends; returns its stderr."""
    assert process.stdout is not None
    assert process.stderr is not None
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    reader.start()  # a full pipe would stop the program
    for line in process.stdout:
        words = line.split()
        if len(words) == 2 and words[1].isdecimal():
            progress.advance(int(words[1]))
    reader.join()
    return "".join(said)
