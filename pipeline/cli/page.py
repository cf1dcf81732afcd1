"""The page of a command's `--html FILE`: whether FILE can be written is known before anything is measured."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from models.errors import InputError


def require_writable(path: Path | None) -> None:
    """Raise an InputError where a page could not be written to a path; None: no page is wanted."""
    if path is None:
        return
    with _beside(path) as temporary:
        temporary.touch()
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def write_page(path: Path, page: str) -> None:
    """Write a page, whole or not at all.

    Raises:
        InputError: it cannot be written.
    """
    with _beside(path) as temporary:
        # A file name need not be UTF-8: what cannot be encoded is spelled out.
        temporary.write_text(page, encoding="utf-8", errors="backslashreplace", newline="\n")
        temporary.replace(path)


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A file beside the page, gone afterwards; what the disk refuses becomes an InputError."""
    temporary = path.parent / f".{path.name}.partial"
    try:
        yield temporary
    except OSError as error:
        raise InputError(
            f"Cannot write the page '{path}': {error.strerror}.",
            "Name a file after --html, in a folder that is there and that you may write to.",
        ) from error
    finally:
        with contextlib.suppress(OSError):  # where it could not be made, it cannot be removed
            temporary.unlink(missing_ok=True)
