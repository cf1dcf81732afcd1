"""Tiny .tflite files of the stock converter, made once a session in a process of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

FOREIGN = ("bidirectional_int8", "dynamic_dense_only")
BASIC = ("float", "int8", "int8_io", "use_bias")
FUSION = (
    "dynamic",
    "unroll",
    "mask",
    "recurrent_dropout",
    "recurrent_activation",
    "activation",
    "return_state",
    "stateful",
    "gru",
    "keras_3",
    "second_of_two",
    "two",
    "bidirectional",
    "flex",
)


def _build(folder: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    script = Path(__file__).with_name("tiny.py")
    done = subprocess.run([sys.executable, script, folder, *names], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return {name: (folder / f"{name}.tflite").read_bytes() for name in names}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Models with attention by mode: float, int8, int8_io; use_bias is a WHILE loop."""
    return _build(tmp_path_factory.mktemp("tiny"), BASIC)


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the stock converter makes of models that are not ours."""
    return _build(tmp_path_factory.mktemp("foreign"), FOREIGN)


@pytest.fixture(scope="session")
def fusion(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One model for each thing that keeps an LSTM from fusing, and some that fuse (27 s)."""
    return _build(tmp_path_factory.mktemp("fusion"), FUSION)
