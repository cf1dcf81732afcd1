"""A folder that is whole or absent, and never replaces what is not an export."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.errors import InputError
from pipeline.disk import disk_errors

MARKER = "export.json"
FORMAT = "fuselage-export"
_TIP = "Choose a folder you may write to."


@contextlib.contextmanager
def export_folder(out: Path, kind: str, force: bool = False) -> Iterator[Path]:
    """Yield an empty folder to fill; it takes the name `out` only when the block has ended without an error.

    In an earlier export only the files that it had written are replaced or removed: what a person put beside
    them, an environment perhaps, is carried over.

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
        part = Path(tempfile.mkdtemp(prefix=f".{out.name}.part-", dir=out.parent))
    try:
        with disk_errors(out.parent, _TIP):
            part.chmod(0o755)
            yield part
            files = sorted(str(file.relative_to(part)) for file in part.rglob("*") if file.is_file())
            marker = {"format": FORMAT, "version": 1, "kind": kind, "files": files}
            (part / MARKER).write_text(json.dumps(marker, indent=1) + "\n", "utf-8")
            _put(part, out)
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


def _put(part: Path, out: Path) -> None:
    """Give the finished folder its name, and move over what the folder before had besides."""
    if not out.exists():
        part.rename(out)
        return
    before = Path(tempfile.mkdtemp(prefix=f".{out.name}.before-", dir=out.parent))
    ours = {Path(name) for name in (*_files(out), MARKER)}
    out.rename(before)  # an empty folder gives way to another
    try:
        part.rename(out)
    except OSError:
        before.rename(out)
        raise
    _carry_over(before, out, ours, Path())
    shutil.rmtree(before)


def _carry_over(before: Path, after: Path, ours: set[Path], inside: Path) -> None:
    """Move what is not ours, and has no successor of its name, to the same place in another folder."""
    for entry in sorted((before / inside).iterdir()):
        place = inside / entry.name
        folder = entry.is_dir() and not entry.is_symlink()
        if folder and ((after / place).is_dir() or any(file.is_relative_to(place) for file in ours)):
            if any(file not in ours for file in _below(entry, place)):
                (after / place).mkdir(exist_ok=True)
                _carry_over(before, after, ours, place)
        elif place not in ours and not os.path.lexists(after / place):
            entry.rename(after / place)


def _below(folder: Path, place: Path) -> Iterator[Path]:
    """Everything below a folder, as if the folder stood at `place`."""
    return (place / path.relative_to(folder) for path in folder.rglob("*"))


def _files(out: Path) -> list[str]:
    return [name for name in (_marker(out) or {"files": []})["files"] if isinstance(name, str)]


def _marker(out: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((out / MARKER).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    ours = isinstance(found, dict) and found.get("format") == FORMAT and isinstance(found.get("files"), list)
    return found if ours else None
