"""Artifacts on disk: whole or absent, checked by checksum, found again by fingerprint.

    OUT/stages/store.json            says that the folder is ours
    OUT/stages/.lock                 held while a build runs
    OUT/stages/published.json        SHA-256 of what was copied to the top of OUT
    OUT/stages/<stage>/manifest.json inputs, fingerprint, SHA-256 and size of every file beside it
    OUT/stages/.part-<random>/       a result being written, or one being replaced; removed by the next build

A file gets its final name only by a rename after it is complete and on disk.
"""

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import InputError
from pipeline.config import canonical_json
from pipeline.disk import disk_errors, sha256_of, sync

MARKER = "store.json"
FORMAT = '{"format": "fuselage-store", "version": 1}\n'
MANIFEST = "manifest.json"
PART = ".part-"


class DamagedArtifact(Exception):
    """A stored result is not what its manifest says; the text names the file."""


@dataclass(frozen=True)
class Artifact:
    """The stored result of a stage.

    Args:
        folder: where its files are.
        inputs: everything the result depends on, by name.
        files: SHA-256 of each file, by name.
        config: the whole configuration of the build that made it, for information.
    """

    stage: str
    folder: Path
    inputs: dict[str, Any]
    files: dict[str, str]
    config: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the inputs: equal fingerprints, equal work."""
        return _digest(self.inputs)

    @property
    def identity(self) -> str:
        """SHA-256 of inputs and contents, which later stages have among their inputs.

        The contents count too, because training again need not give the same bits.
        """
        return _digest([self.inputs, self.files])


class Store:
    """The folder `stages/` of one output folder. Use as a context manager: it holds the lock.

    Args:
        out: the output folder; created if missing.
    Raises:
        InputError: on entering, where the folder cannot be written, belongs to someone else, or
            is used by another build.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.root = out / "stages"
        self._open = contextlib.ExitStack()

    def __enter__(self) -> "Store":
        with disk_errors(self.out):
            self._claim()
            self._lock()
            self._sweep()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def read(self, stage: str) -> Artifact | None:
        """The stored result of a stage, every checksum compared; None where there is none.

        Raises:
            DamagedArtifact: the manifest or a file is not as it was written.
        """
        folder = self.root / stage
        if not folder.exists():
            return None
        try:
            manifest = json.loads((folder / MANIFEST).read_text())
            artifact = Artifact(
                stage=manifest["stage"],
                folder=folder,
                inputs=manifest["inputs"],
                files={name: entry["sha256"] for name, entry in manifest["files"].items()},
                config=manifest["config"],
            )
            intact = (artifact.stage, artifact.fingerprint) == (stage, manifest["fingerprint"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedArtifact(MANIFEST) from error
        if not intact:
            raise DamagedArtifact(MANIFEST)
        for name, expected in artifact.files.items():
            path = folder / name
            if not path.is_file() or sha256_of(path) != expected:
                raise DamagedArtifact(name)
        return artifact

    def write(
        self, stage: str, inputs: Mapping[str, Any], config: Mapping[str, Any], work: Callable[[Path], None]
    ) -> Artifact:
        """Let `work` fill a folder, then put it in the place of the stage's old result.

        Whatever happens before the last line, the old result stays (or, for the moment between two
        renames, is gone); a half-written one is never seen under the stage's name.
        """
        with self._part() as part:
            folder = part / stage
            folder.mkdir()
            work(folder)
            names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
            artifact = Artifact(
                stage=stage,
                folder=self.root / stage,
                inputs=dict(inputs),
                files={name: sha256_of(folder / name) for name in names},
                config=dict(config),
            )
            manifest = {
                "stage": stage,
                "version": inputs.get("version"),
                "fingerprint": artifact.fingerprint,
                "inputs": artifact.inputs,
                "files": {
                    name: {"sha256": digest, "size_bytes": (folder / name).stat().st_size}
                    for name, digest in artifact.files.items()
                },
                "config": artifact.config,
            }
            (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
            for path in [*folder.rglob("*"), folder]:
                sync(path)
            if artifact.folder.exists():
                artifact.folder.rename(part / "replaced")
            folder.rename(artifact.folder)
            sync(self.root)
        return artifact

    def publish(self, files: Mapping[str, Path | str], outdated: bool = True) -> None:
        """Put files (a path to copy, or text) at the top of the output folder, each by one rename.

        What an earlier build published and this one does not is removed, unless somebody has changed
        it since: what lies at the top always belongs together.

        Args:
            outdated: False keeps those files too; for a build that found every result stored and
                stopped before the stages they come from.
        """
        record = self.root / "published.json"
        earlier = _digests_in(record)
        with self._part() as part:
            for name, source in files.items():
                copy = part / name
                if isinstance(source, Path):
                    shutil.copyfile(source, copy)
                else:
                    copy.write_text(source, encoding="utf-8")
                sync(copy)
            digests = {name: sha256_of(part / name) for name in files}
            for name, digest in earlier.items():
                old = self.out / name
                if not outdated:
                    digests.setdefault(name, digest)
                elif name not in files and old.is_file() and sha256_of(old) == digest:
                    old.unlink()
            for name in files:
                (part / name).replace(self.out / name)
            (part / record.name).write_text(json.dumps(digests, indent=2) + "\n")
            sync(part / record.name)
            (part / record.name).replace(record)
            sync(self.out)

    def forget(self) -> None:
        """Remove every stored result; everything outside the store stays."""
        with self._part() as part:
            for folder in [p for p in self.root.iterdir() if p.is_dir() and p != part]:
                folder.rename(part / folder.name)

    def _claim(self) -> None:
        """Make the folder ours by one rename, or find that it is. Refuse a folder with foreign files."""
        marker = self.root / MARKER
        if marker.is_file():
            if marker.read_text() != FORMAT:
                raise InputError(f"{self.out} was written by another version.", "Choose another --out.")
            return
        self.out.mkdir(parents=True, exist_ok=True)
        foreign = sorted(p.name for p in self.out.iterdir() if not p.name.startswith(PART))
        if foreign:
            raise InputError(
                f"{self.out} holds files that no build wrote, for example {foreign[0]!r}.",
                "Choose a new or empty folder with --out.",
            )
        try:
            part = Path(tempfile.mkdtemp(prefix=PART, dir=self.out))
            part.chmod(0o755)
            (part / MARKER).write_text(FORMAT)
            sync(part / MARKER)
            part.rename(self.root)
        except OSError:
            if not marker.is_file():  # else another build was first, and the lock decides
                raise

    def _lock(self) -> None:
        from filelock import FileLock, Timeout

        try:
            self._open.enter_context(FileLock(self.root / ".lock", timeout=0))
        except Timeout as error:
            raise InputError(
                f"Another build is running in {self.out}.", "Wait for it, or choose another --out."
            ) from error

    def _sweep(self) -> None:
        """Remove what killed builds left behind."""
        for folder in (self.root, self.out):
            for leftover in folder.glob(PART + "*"):
                shutil.rmtree(leftover, ignore_errors=True)

    @staticmethod
    def exists(out: Path) -> bool:
        """Whether a build has written to the folder."""
        return (out / "stages" / MARKER).is_file()

    @contextlib.contextmanager
    def _part(self) -> Iterator[Path]:
        part = Path(tempfile.mkdtemp(prefix=PART, dir=self.root))
        try:
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _digests_in(record: Path) -> dict[str, str]:
    """The checksums of what was published by name; none where the record is missing or damaged."""
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in content.items()} if isinstance(content, dict) else {}


def _digest(value: object) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
