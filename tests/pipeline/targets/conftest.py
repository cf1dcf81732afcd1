"""Small files and windows for targets, and the emulation, where it can be set up."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hand_made import hand_made, metadata, padded_at_end
from target_files import SEED, windows

from models.errors import VerificationError
from pipeline.parity.files import ModelFile
from pipeline.progress import Silence
from pipeline.targets.cache import cache_folder
from pipeline.targets.emulator import Emulator, set_up
from pipeline.targets.job import TargetFile


@pytest.fixture
def integer_file() -> TargetFile:
    """A fused int8 LSTM with attention that carries no metadata."""
    return TargetFile(ModelFile.read(SEED), windows(20, 6, 3))


@pytest.fixture
def float_file(tmp_path: Path) -> TargetFile:
    """Hand made, with our metadata."""
    path = tmp_path / "float.tflite"
    path.write_bytes(hand_made(described=metadata()))
    return TargetFile(ModelFile.read(path), windows(20, 5, 3))


@pytest.fixture
def told_file(tmp_path: Path) -> TargetFile:
    """Hand made, told how many steps count."""
    path = tmp_path / "told.tflite"
    path.write_bytes(hand_made(lengths=True, described=padded_at_end()))
    real = np.arange(5) < np.array([[1], [3], [5]])
    return TargetFile(ModelFile.read(path), windows(3, 5, 3), real)


class Heard(Silence):
    """A listener that remembers."""

    def __init__(self) -> None:
        self.done, self.messages = 0, list[str]()

    def start(self, label: str, total: int | None) -> None:
        self.messages.append(label)

    def advance(self, n: int = 1, note: str = "") -> None:
        self.done += n

    def message(self, text: str) -> None:
        self.messages.append(text)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="session")
def emulation() -> Emulator:
    """The arm64 interpreter under qemu, set up in the user's cache where it is not there."""
    try:
        return set_up(cache_folder())
    except VerificationError as error:
        pytest.skip(f"arm64 cannot be emulated here: {error.message}")


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Puts scripts in front of the PATH: (name, text) -> its path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def put(name: str, text: str) -> Path:
        path = folder / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    return put
