"""A folder that is whole or absent, and never replaces what is not an export."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.errors import InputError
from pipeline.disk import disk_errors

MARKER = "export.json"
FORMAT = "fuselage-export"
ABANDONED_S = 3600.0
"""An export takes seconds: a part that is older was left by one that was killed."""
_TIP = "Choose a folder you may write to."


@contextlib.contextmanager
def export_folder(out: Path, kind: str, force: bool = False) -> Iterator[Path]:
    """Yield an empty folder to fill; it takes the name `out` only when the block has ended without an error.

    In a folder that is there only files of ours are replaced or removed, when all are ready, each by one
    rename: what a person put beside them, an environment perhaps, stays. Killed between two renames it holds
    files of both exports; the checksums in the marker, which comes last, do not fit then.

    Args:
        out: new, empty, or an earlier export of the same kind.
        kind: "python" or "c", for example; written into the folder.
        force: take any other folder too. What is in it stays, but for files whose names are written now.

    Raises:
        InputError: `out` holds something else, or cannot be written.
    """
    out = Path(os.path.abspath(out))
    _check(out, kind, force)
    with disk_errors(out.parent, _TIP):
        out.parent.mkdir(parents=True, exist_ok=True)
        # On the disk of what it becomes: a rename cannot leave it.
        beside = out if out.is_dir() else out.parent
        _sweep(beside, f".{out.name}.part-")
        part = Path(tempfile.mkdtemp(prefix=f".{out.name}.part-", dir=beside))
    try:
        with disk_errors(out.parent, _TIP):
            part.chmod(0o755)
            yield part
            files = sorted(str(file.relative_to(part)) for file in part.rglob("*") if file.is_file())
            digests = {name: hashlib.sha256((part / name).read_bytes()).hexdigest() for name in files}
            marker = {"format": FORMAT, "version": 1, "kind": kind, "files": files, "sha256": digests}
            (part / MARKER).write_text(json.dumps(marker, indent=1) + "\n", "utf-8")
            # Of another kind (--force) what was written is what stands in the folder: it stays.
            before = _files(out) if (_marker(out) or {}).get("kind") == kind else []
            _put(part, out)
            _remove_outdated(out, before)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def written_files(out: Path) -> list[Path]:
    """What an export wrote, in the order of their names; [] where the folder is none."""
    return [out / name for name in _files(out)]


def _check(out: Path, kind: str, force: bool) -> None:
    if not os.path.lexists(out):
        return
    if not out.is_dir():
        raise InputError(f"'{out}' is not a folder.", "Name a new folder.")
    marker = _marker(out)
    if marker is not None and marker.get("kind") == kind:
        return
    try:
        empty = not any(out.iterdir())
    except OSError as error:
        raise InputError(f"Cannot read the folder '{out}': {error.strerror}.") from error
    if not empty and not force:
        what = f"an export of another kind, {marker.get('kind')!r}" if marker else "no export"
        raise InputError(
            f"The folder '{out}' is not empty, and {what}.",
            "Name a new folder, or add --force: what is in it stays, but for files of the same names.",
        )


def _sweep(folder: Path, prefix: str) -> None:
    """Remove what an export that was killed has left; not what another one may be writing now."""
    for left in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another one has just ended
            if left.name.startswith(prefix) and time.time() - left.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(left, ignore_errors=True)


def _put(part: Path, out: Path) -> None:
    """Give the finished folder its name, or put its files into the one that is there, the marker last."""
    if not out.exists():
        part.rename(out)
        return
    made = [path.relative_to(part) for path in part.rglob("*") if path.is_file()]
    for file in sorted(made, key=lambda one: one == Path(MARKER)):
        if (out / file).is_dir():
            raise InputError(f"'{out / file}' is a folder; a file of this name is to be written.", _TIP)
        (out / file.parent).mkdir(parents=True, exist_ok=True)
        (part / file).replace(out / file)


def _remove_outdated(out: Path, before: list[str]) -> None:
    """Remove what an earlier export had written and this one has not, and folders that are empty by it."""
    for name in set(before) - set(_files(out)):
        if Path(name).is_absolute() or ".." in Path(name).parts:  # not written by us
            continue
        (out / name).unlink(missing_ok=True)
        for folder in (out / name).parents:
            if folder == out or any(folder.iterdir()):
                break
            folder.rmdir()


def _files(out: Path) -> list[str]:
    return [name for name in (_marker(out) or {"files": []})["files"] if isinstance(name, str)]


def _marker(out: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((out / MARKER).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    ours = isinstance(found, dict) and found.get("format") == FORMAT and isinstance(found.get("files"), list)
    return found if ours else None
