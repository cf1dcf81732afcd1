"""What is set up once and used again: folders that are whole or absent.

    CACHE/<name>-<key>/    set up completely; the key says what it was made of
    CACHE/.lock            held while something is set up
    CACHE/.part-<random>/  being set up, or left by a set-up that was killed; removed by the next one

A folder gets its final name by one rename, when all of it is on the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from models.errors import InputError
from pipeline.progress import Progress

VARIABLE = "FUSELAGE_CACHE"
PART = ".part-"


def cache_folder(given: Path | None = None) -> Path:
    """The folder that was given, else that of `FUSELAGE_CACHE`, else the user's cache (XDG)."""
    if given is not None:
        return given.absolute()
    if named := os.environ.get(VARIABLE):
        return Path(named).absolute()
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home).absolute() / "fuselage"


def cached(
    cache: Path, name: str, made_of: Mapping[str, str], make: Callable[[Path], None], progress: Progress
) -> Path:
    """The folder of this name and these ingredients, made first where it is not there.

    Args:
        cache: of `cache_folder`; created if missing.
        made_of: all that the content depends on; another value is another folder.
        make: fills an empty folder, which is moved to its final name afterwards.

    Raises:
        InputError: the cache cannot be written.
    """
    key = hashlib.sha256(json.dumps(dict(made_of), sort_keys=True).encode()).hexdigest()[:16]
    final = cache / f"{name}-{key}"
    if final.is_dir():
        return final
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache, progress):
            if final.is_dir():  # another process was first
                return final
            for leftover in cache.glob(PART + "*"):
                shutil.rmtree(leftover, ignore_errors=True)
            part = Path(tempfile.mkdtemp(prefix=PART, dir=cache))
            try:
                part.chmod(0o755)
                make(part)
                os.sync()  # thousands of small files: one wait for all
                part.rename(final)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise InputError(
            f"The cache {cache} cannot be written: {error.strerror or error}.",
            f"Choose another folder with --cache, or with the environment variable {VARIABLE}.",
        ) from error
    return final


@contextmanager
def _locked(cache: Path, progress: Progress) -> Iterator[None]:
    """Hold the cache's lock; say so where somebody else has it."""
    from filelock import FileLock, Timeout

    lock = FileLock(cache / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress.message("  Another process is setting up the emulation; waiting for it.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
