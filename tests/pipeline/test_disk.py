"""Refusals of the disk become errors a user can act on."""

import errno
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from models.errors import InputError, ReportError
from pipeline.disk import disk_errors, sha256_of


def test_checksum_of_a_known_text(tmp_path: Path) -> None:
    (tmp_path / "abc").write_text("abc")  # the example of FIPS 180-2
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_full_disk_is_seen_behind_a_library_that_hides_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 0))
    with pytest.raises(InputError, match="No space left"), disk_errors(tmp_path):
        raise RuntimeError("HDF5: can't write")


def test_a_full_disk_is_seen_behind_our_own_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No space left"), disk_errors(tmp_path):
        raise ReportError("Cannot write report.md") from OSError(errno.ENOSPC, "full")


def test_errors_about_other_files_pass(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), disk_errors(tmp_path / "out"):
        raise PermissionError(errno.EACCES, "denied", "/elsewhere/data.npz")


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOENT, errno.ELOOP, errno.EROFS])
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, number: int) -> None:
    with pytest.raises(InputError, match="Cannot write to"), disk_errors(tmp_path / "out"):
        raise OSError(number, "refused", str(tmp_path / "out"))
