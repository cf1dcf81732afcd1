from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from models.errors import InputError
from pipeline.data.archive import as_windows, read_npy, read_npz, require_finite


def read_all(path: Path) -> dict[str, np.ndarray]:
    return read_npz(path, lambda present: present)


def test_only_the_chosen_arrays_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", keep=np.arange(2), other=np.array([object()]))
    assert list(read_npz(tmp_path / "a.npz", lambda present: [present[0]])) == ["keep"]


class Trap:
    """Unpickling it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("kind", ["npz", "npy", "pickle"])
def test_nothing_is_ever_unpickled(tmp_path: Path, kind: str) -> None:
    trap, path = tmp_path / "sprung", tmp_path / f"a.{kind}"
    values = np.array([Trap(trap)], object)
    if kind == "npz":
        np.savez(path, x=values)
    elif kind == "npy":
        np.save(path, values)
    else:
        path.write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(InputError):
        (read_npy if kind == "npy" else read_all)(path)
    assert not trap.exists()


def test_truncated_files_are_refused_at_every_length(tmp_path: Path) -> None:
    whole = io.BytesIO()
    np.savez_compressed(whole, x=np.arange(60.0).reshape(5, 4, 3))
    content = whole.getvalue()
    path = tmp_path / "cut.npz"
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(InputError):
            read_all(path)


def test_damaged_bytes_are_refused_or_harmless(tmp_path: Path) -> None:
    whole = io.BytesIO()
    np.savez(whole, x=np.arange(6.0))
    path = tmp_path / "damaged.npz"
    refused = 0
    for position in range(len(whole.getvalue())):
        content = bytearray(whole.getvalue())
        content[position] ^= 0xFF
        path.write_bytes(bytes(content))
        try:
            read_all(path)
        except InputError:
            refused += 1
    assert refused > 200


def test_an_array_that_claims_more_memory_than_there_is(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**50,)})
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue())
    with pytest.raises(InputError, match="array 'x'"):
        read_all(tmp_path / "bomb.npz")


def test_kinds_are_not_mixed_up(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3))
    (tmp_path / "array.npz").write_bytes((tmp_path / "a.npy").read_bytes())
    with pytest.raises(InputError, match=r"no \.npz file but a single array"):
        read_all(tmp_path / "array.npz")
    np.savez(tmp_path / "b.npz", x=np.arange(3))
    (tmp_path / "archive.npy").write_bytes((tmp_path / "b.npz").read_bytes())
    with pytest.raises(InputError, match=r"no \.npy file but an archive"):
        read_npy(tmp_path / "archive.npy")


def test_finite_values_pass_and_others_are_located() -> None:
    windows = np.zeros((2, 3, 4), np.float32)
    require_finite("x", windows)
    windows[1, 2, 3] = np.inf
    with pytest.raises(InputError, match=r"x: 1 of 24 .* window 1, step 2, channel 3"):
        require_finite("x", windows)


def test_too_large_numbers_become_infinite_without_a_warning() -> None:
    assert np.isinf(as_windows("x", np.array([1e300]))).all()
