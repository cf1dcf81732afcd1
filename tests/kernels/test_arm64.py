"""The NEON paths as arm64 code under emulation, against the built-in kernel of this machine; the ELF file.

`pytest tests/kernels/test_arm64.py -m slow -s` prints how many bytes were compared on which processor.
"""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from int8_lstm_file import Int8Lstm, build
from kernel_cases import Running, random_input, random_lstm
from scripts import load_script
from source_tree import ROOT

from models.errors import VerificationError
from models.quantization import fixed_point

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("aarch64-linux-gnu-gcc") is None,
        reason="no cross-compiler for arm64: apt-get install gcc-aarch64-linux-gnu",
    ),
]
CASES, WINDOWS = 120, 2
CPUS = {
    "cortex-a53": ("neon", "plain"),
    "cortex-a72": ("neon", "plain"),
    "cortex-a76": ("neon-dotprod", "neon", "plain"),
}
EXPORTED = re.compile(r"tflite_plugin_\w+_delegate|fuselage_kernels_\w+|Java_fuselage_kernels_\w+")


arm = load_script(ROOT / "benchmarks" / "arm_kernels.py")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """The library by whether it is freestanding."""
    folder = tmp_path_factory.mktemp("arm64")
    return {free: arm.build(folder / str(free), free) for free in (False, True)}


@pytest.fixture(scope="module")
def expected() -> dict[str, tuple[bytes, dict[str, np.ndarray]]]:
    """Small LSTMs of every kind with what the built-in kernel makes of two windows, the state carried."""
    cases = {}
    for seed in range(CASES):
        lstm = small(seed)
        builtin = Running.of(lstm)
        windows = [random_input(lstm, 2 * seed + number) for number in range(WINDOWS)]
        results = [[result.copy() for result in builtin.run(x)] for x in windows]
        arrays = {str(n): np.stack(column) for n, column in enumerate(zip(*results, strict=True))}
        cases[f"{seed}"] = (build(lstm), {"x": np.stack(windows), **arrays})
    return cases


@pytest.mark.parametrize("cpu", ["cortex-a72", "cortex-a76"])
def test_all_inputs_of_all_functions(cpu: str, libraries: dict[bool, Path]) -> None:
    tables = {str(bits): table for bits, table in enumerate(fixed_point.tanh_tables())}
    tables["-1"] = fixed_point.logistic_table()
    try:
        run = arm.run(cpu, libraries[False], {}, {}, tables)
    except VerificationError as error:
        pytest.skip(f"no emulation here: {error}")
    assert run.wrong == dict.fromkeys(CPUS[cpu], 0)


def small(seed: int) -> Int8Lstm:
    """Emulation takes ten times as long: fewer steps, but every size and kind."""
    lstm = random_lstm(50_000 + seed)
    most = 400_000 // (lstm.units * (lstm.units + lstm.features))
    return replace(lstm, steps=max(1, min(lstm.steps, most)))


@pytest.mark.parametrize("freestanding", [False, True], ids=["hosted", "freestanding"])
@pytest.mark.parametrize("cpu", CPUS)
def test_every_path_gives_the_same_bytes(
    cpu: str,
    freestanding: bool,
    libraries: dict[bool, Path],
    expected: dict[str, tuple[bytes, dict[str, np.ndarray]]],
) -> None:
    cases = dict(list(expected.items())[:20]) if freestanding else expected
    try:
        run = arm.run(cpu, libraries[freestanding], cases, {})
    except VerificationError as error:
        pytest.skip(f"no emulation here: {error}")
    assert run.paths == CPUS[cpu]
    for path, (total, differing) in run.compared.items():
        print(f"\n{cpu}, {path}: {total:,} bytes of outputs and states, {differing} differing")
        assert total > 10_000
        assert differing == 0


def readelf(*arguments: str) -> str:
    return subprocess.run(
        ["aarch64-linux-gnu-readelf", "-W", *arguments], check=True, capture_output=True, text=True
    ).stdout


def test_the_freestanding_library_asks_nothing_of_a_phone(libraries: dict[bool, Path]) -> None:
    library = str(libraries[True])
    assert "AArch64" in readelf("-h", library)
    assert "NEEDED" not in readelf("-d", library)
    listed = readelf("--dyn-syms", library).splitlines()
    symbols = [line.split() for line in listed if re.match(r" +\d+:", line)]
    undefined = [line for line in symbols if line[6] == "UND" and len(line) > 7]
    assert not undefined
    named = {line[7] for line in symbols if line[3] == "FUNC"}
    assert {"tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate"} <= named
    assert all(EXPORTED.fullmatch(name) for name in named)
    relocations = set(re.findall(r"R_AARCH64_\w+", readelf("-r", library)))
    assert relocations <= {"R_AARCH64_RELATIVE"}


def test_the_freestanding_library_fits_pages_of_16_kib(libraries: dict[bool, Path]) -> None:
    segments = [line.split() for line in readelf("-l", str(libraries[True])).splitlines() if "LOAD" in line]
    assert segments
    for segment in segments:
        offset, address, align = int(segment[1], 16), int(segment[2], 16), int(segment[-1], 16)
        assert align >= 16384
        assert offset % 16384 == address % 16384
    stack = next(line for line in readelf("-l", str(libraries[True])).splitlines() if "GNU_STACK" in line)
    assert " RW " in stack  # not executable


def test_the_hosted_library_needs_the_c_library_alone(libraries: dict[bool, Path]) -> None:
    needed = re.findall(r"NEEDED.*\[(.*)\]", readelf("-d", str(libraries[False])))
    assert set(needed) <= {"libc.so.6", "ld-linux-aarch64.so.1"}
