"""The library in a C program (kernels/tests/driver.c): sanitizers, valgrind, damaged graphs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from source_tree import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("cmake") is None or shutil.which("cc") is None, reason="no C compiler or no cmake here"
    ),
]
QUIET = {**os.environ, "LC_ALL": "C"}


def build(folder: Path, sanitize: bool) -> Path:
    switch = "ON" if sanitize else "OFF"
    configure = ["cmake", "-S", ROOT / "kernels", "-B", folder, "-DFUSELAGE_DRIVER=ON"]
    for command in (
        [*configure, f"-DFUSELAGE_SANITIZE={switch}", "-DCMAKE_C_FLAGS=-Werror"],
        ["cmake", "--build", folder, "--target", "driver"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, env=QUIET)
        if sanitize and "sanitize" in done.stderr + done.stdout and done.returncode:
            pytest.skip("this compiler has no sanitizers")
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "driver"


@pytest.fixture(scope="module")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("driver")
    return {name: build(folder / name, name == "sanitized") for name in ("plain", "sanitized")}


def run(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=QUIET)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_path_with_sanitizers(drivers: dict[str, Path]) -> None:
    assert "the same bytes" in run(drivers["sanitized"], "paths", 200)


def test_damaged_graphs_with_sanitizers(drivers: dict[str, Path]) -> None:
    for seed in range(3):
        assert "no crash" in run(drivers["sanitized"], "fuzz", 30_000, seed)


def test_create_and_destroy_ten_thousand_times(drivers: dict[str, Path]) -> None:
    print(run(drivers["plain"], "churn", 10_000))
    run(drivers["sanitized"], "churn", 1_000)  # its leak check at the end


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
@pytest.mark.parametrize("what", [("paths", 30), ("churn", 50), ("fuzz", 1_000)], ids=lambda what: what[0])
def test_valgrind_finds_nothing(what: tuple[str, int], drivers: dict[str, Path]) -> None:
    """valgrind shows a CPU with AVX2 and without AVX-512, so that path is the sanitizers' alone."""
    run("valgrind", "-q", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=all",
        drivers["plain"], *what)  # fmt: skip
