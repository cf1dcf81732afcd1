"""What the disk does to us: refusals as errors a user can act on, checksums, and waiting for it."""

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from models.errors import InputError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
    errno.ENOENT,  # /proc/anything
    errno.ELOOP,
    errno.EINVAL,
    errno.EIO,
}


@contextlib.contextmanager
def disk_errors(folder: Path, tip: str = "Choose a folder you may write to with --out.") -> Iterator[None]:
    """Turn the disk's refusals in `folder` into errors a user can act on; other errors pass."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        number = cause.errno if isinstance(cause, OSError) else None
        if number in _FULL or _is_full(folder):
            raise InputError(
                f"No space left on the disk of {folder}.",
                "Free some space and run the same command again: finished stages are kept.",
            ) from error
        if isinstance(cause, OSError) and number in _DENIED and _concerns(cause.filename, folder):
            raise InputError(f"Cannot write to {folder}: {cause.strerror}.", tip) from error
        raise


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's contents, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_full(folder: Path) -> bool:
    """Whether under 64 KiB are free: libraries report a full disk under many names."""
    try:
        return shutil.disk_usage(folder).free < 64 * 1024
    except OSError:
        return False


def _concerns(name: object, folder: Path) -> bool:
    """Whether a file name in an error lies in the folder or on the way to it."""
    return isinstance(name, str) and (Path(name).is_relative_to(folder) or folder.is_relative_to(name))


def sync(path: Path) -> None:
    """Wait until a file or a folder's list of names is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
