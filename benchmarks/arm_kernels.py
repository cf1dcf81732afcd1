"""fuselage-kernels as arm64 code under emulation: executed instructions of whole models, built in and ours.

    python benchmarks/arm_kernels.py MODEL.tflite ...

The library is compiled with gcc-aarch64-linux-gnu; the interpreter is the aarch64 wheel. Instructions are not
time, but the same in every run. tests/kernels/test_arm64.py compares results through the same door.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.targets import emulator
from pipeline.targets.cache import cache_folder
from pipeline.targets.counting import _fixed_addresses, _plugin
from pipeline.targets.tools import call, failure, need

KERNELS = Path(__file__).parents[1] / "kernels"
CPUS = ("cortex-a53", "cortex-a72", "cortex-a76")


@dataclass(frozen=True)
class Run:
    """What came out on one processor.

    Attributes:
        paths: the instruction sets that run there, best first.
        compared: by instruction set and for "built in": bytes compared, and bytes that differ.
        instructions: by model: of one invoke(), built in and ours.
        wrong: by instruction set: values of the functions inside that differ from their tables.
    """

    paths: tuple[str, ...]
    compared: dict[str, tuple[int, int]]
    instructions: dict[str, tuple[int, int]]
    wrong: dict[str, int]


def build(folder: Path, freestanding: bool = False) -> Path:
    """Cross-compile the library."""
    tip = "Install it, on Debian: apt-get install gcc-aarch64-linux-gnu cmake"
    for program in ("aarch64-linux-gnu-gcc", "cmake"):
        need(program, "Compiling for arm64", tip)
    toolchain, switch = KERNELS / "aarch64.cmake", "ON" if freestanding else "OFF"
    command = ["cmake", "-S", str(KERNELS), "-B", str(folder), "--toolchain", str(toolchain)]
    call([*command, f"-DFUSELAGE_FREESTANDING={switch}"], "CMake failed", tip)
    call(["cmake", "--build", str(folder)], "The library cannot be compiled for arm64", tip)
    return folder / "libfuselage_kernels.so"


def run(
    cpu: str,
    library: Path,
    compared: Mapping[str, tuple[bytes, Mapping[str, np.ndarray]]],
    counted: Mapping[str, bytes],
    functions: Mapping[str, np.ndarray] | None = None,
) -> Run:
    """Run models on one emulated processor.

    Args:
        compared: model and expected results by name, as arm_kernels_job.py reads them.
        counted: models whose instructions are counted, by name.
        functions: tables of the functions inside, as arm_kernels_job.py reads them.
    """
    machine = emulator.set_up(cache_folder())
    plugin = _plugin(cache_folder(), machine.versions["qemu"]) if counted else None
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copy(library, folder / "kernels.so")
        for name, (content, arrays) in compared.items():
            (folder / f"{name}.tflite").write_bytes(content)
            np.savez(folder / f"{name}.npz", allow_pickle=False, **arrays)
        for name, content in counted.items():
            (folder / f"{name}.tflite").write_bytes(content)
        if functions:
            np.savez(folder / "functions.npz", allow_pickle=False, **functions)
        job = Path(__file__).with_name("arm_kernels_job.py")
        marks = f"{plugin},out={folder / 'marks'}" if plugin else None
        command, environment = machine.command(cpu, ["-B", str(job), str(folder)], marks)
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", check=False, preexec_fn=_fixed_addresses,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{cpu}: {failure(done.returncode, done.stderr)}")
        result = json.loads((folder / "result.json").read_text())
        places = [int(line) for line in (folder / "marks").read_text().split()] if plugin else []
    return Run(
        tuple(result["paths"]),
        {path: (total, differing) for path, (total, differing) in result["compared"].items()},
        _counts(result["counted"], places),
        result["wrong"],
    )


def _counts(names: Sequence[str], places: Sequence[int]) -> dict[str, tuple[int, int]]:
    assert len(places) == 6 * len(names), "something else calls getppid()"
    counts = {}
    for number, name in enumerate(names):
        at = places[6 * number : 6 * number + 6]
        nothing = at[1] - at[0]
        counts[name] = (at[3] - at[2] - nothing, at[5] - at[4] - nothing)
    return counts


def main(models: Sequence[str]) -> None:
    contents = {Path(model).stem: Path(model).read_bytes() for model in models}
    with tempfile.TemporaryDirectory() as folder:
        library = build(Path(folder))
        print("| model | processor | instruction set | built in | fuselage | fuselage / built in |")
        print("|---|---|---|---|---|---|")
        for cpu in CPUS:
            found = run(cpu, library, {}, contents)
            for name, (builtin, ours) in found.instructions.items():
                row = f"{name} | {cpu} | {found.paths[0]} | {builtin:,} | {ours:,} | {ours / builtin:.2f}"
                print(f"| {row} |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
