"""How many Arm instructions an inference takes: counted under emulation, the same in every run.

    from pipeline.targets.counting import count_instructions

    counts = count_instructions(Path("model_int8.tflite"), features)
    print(counts.per_inference, counts.start_up, counts.by_op)

Instructions are not time: a processor executes several at once and waits for memory in between. They are
what two files, or two versions of one, can be compared by on a machine that has no Arm processor.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.resources
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from converters import schema
from converters.excerpt import prefix
from models.errors import InputError, VerificationError
from pipeline import runtime
from pipeline.parity.files import ModelFile
from pipeline.progress import Progress, Silence
from pipeline.targets import cpus, emulator
from pipeline.targets.cache import cache_folder
from pipeline.targets.tools import call, failure, need

REPEATS = 2  # of every window; the first fills caches that an interpreter keeps, the last is counted
_NO_RANDOM_ADDRESSES = 0x0040000  # ADDR_NO_RANDOMIZE of <sys/personality.h>
PLUGIN, COUNTER = "instructions.c", "counter.py"


WITHIN = 500
"""Instructions: what the difference of two models may be off by; their memory lies otherwise in each."""


@dataclass(frozen=True)
class OpInstructions:
    """What one operator of a model executes in an inference.

    Attributes:
        index: its place in the file; name: of the operator, "UNIDIRECTIONAL_SEQUENCE_LSTM".
        instructions: None where they are fewer than `below`, and no more than that is known.
        below: more than it executes, where `instructions` is None.
    """

    index: int
    name: str
    instructions: int | None
    below: int | None = None

    @classmethod
    def counted(cls, index: int, name: str, difference: int) -> OpInstructions:
        """Of the difference of two models: a bound where that is no more than what it may be off by."""
        if difference < WITHIN:
            return cls(index, name, None, 2 * WITHIN)
        return cls(index, name, difference)


@dataclass(frozen=True)
class InstructionCounts:
    """Executed instructions of one model on one processor, with the kernels the interpreter takes by default.

    Attributes:
        by_window: of invoke(), for each window; resetting the state and copying the window are not in it.
            The same in every run.
        start_up: from the file's content to an interpreter whose tensors are allocated, its wrapper in
            Python included. The same in every run to within some hundred instructions.
        by_op: each operator's part in the first window, in the file's order, by the interpreter's own
            kernels: its delegate, which takes several operators at once, is left out, so that the sum is a
            little more than `by_window[0]`. The first has what invoke() itself takes, and each is off by up
            to `WITHIN`, which for a RESHAPE may be all of it: then a bound is told.
        cpu: the emulated processor.
        versions: of qemu, Python, numpy, ai-edge-litert and the packages they ran with.
    """

    by_window: tuple[int, ...]
    start_up: int
    by_op: tuple[OpInstructions, ...]
    cpu: str
    versions: dict[str, str]

    @property
    def per_inference(self) -> int:
        """Mean over the windows, rounded."""
        return round(sum(self.by_window) / len(self.by_window))


def count_instructions(
    model: Path,
    features: np.ndarray,
    cpu: str = cpus.DEFAULT,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> InstructionCounts:
    """Count what an inference executes on an Arm processor.

    Args:
        model: a .tflite that takes one window.
        features: [n, time, features] or one window [time, features], float32, standardized.
        cpu: a name of `pipeline.targets.cpus.CPUS`.
        cache: where the emulation is set up; None: `pipeline.targets.cache.cache_folder`.

    Raises:
        InputError: no such processor; the model cannot be read or run; the features do not fit it.
        VerificationError: the emulation or the counter cannot be set up here.
    """
    if cpu not in cpus.CPUS:
        raise InputError(f"Unknown processor '{cpu}'. Known: {', '.join(cpus.CPUS)}.")
    file = ModelFile.read(model)
    windows = np.asarray(features, np.float32)
    windows = windows[np.newaxis] if windows.ndim == 2 else windows
    if windows.ndim != 3 or windows.shape[1:] != (file.steps, file.features) or not len(windows):
        raise InputError(
            f"The windows are {list(windows.shape)}; '{model}' takes [n, {file.steps}, {file.features}]."
        )
    cache = cache_folder(cache)
    machine = emulator.set_up(cache, progress or Silence())
    graph = schema.read_model(file.content)
    names = [schema.operator_name(graph, one) for one in graph.subgraphs[0].operators]
    parts = [schema.write_model(prefix(graph, count)) for count in range(1, len(names) + 1)]
    models = [
        _Job(file.content, len(windows)),
        *(_Job(content, 1, "undelegated") for content in parts),
    ]
    whole, *first = _run(machine, cpu, _plugin(cache, machine.versions["qemu"]), models, windows, model)
    up_to = [one.by_window[0] for one in first]
    return InstructionCounts(
        by_window=whole.by_window,
        start_up=whole.start_up,
        by_op=tuple(
            OpInstructions.counted(index, name, after - before)
            for index, (name, before, after) in enumerate(zip(names, [0, *up_to[:-1]], up_to, strict=True))
        ),
        cpu=cpu,
        versions=machine.versions,
    )


@dataclass(frozen=True)
class _Job:
    """A model, how many of the windows it is run on, and by which of `pipeline.runtime.KERNELS`."""

    content: bytes
    windows: int
    kernels: str = "default"


@dataclass(frozen=True)
class _Counted:
    """Of one model of a job; see pipeline/targets/counter.py for what is marked."""

    start_up: int
    by_window: tuple[int, ...]


def _run(
    machine: emulator.Emulator,
    cpu: str,
    plugin: Path,
    models: Sequence[_Job],
    windows: np.ndarray,
    path: Path,
) -> list[_Counted]:
    """Run every model in one process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = []
        for index, one in enumerate(models):
            (folder / f"{index}.tflite").write_bytes(one.content)
            job.append({"file": f"{index}.tflite", "windows": one.windows, "kernels": one.kernels})
        (folder / "job.json").write_text(json.dumps({"models": job, "repeats": REPEATS}), "utf-8")
        np.savez(folder / "windows.npz", features=windows)
        for source in (runtime.__file__, Path(__file__).with_name(COUNTER)):
            shutil.copy(source, folder)
        marks = folder / "marks"
        command, environment = machine.command(cpu, ["-B", COUNTER, "."], f"{plugin},out={marks}")
        done = subprocess.run(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", check=False, preexec_fn=_fixed_addresses,
        )  # fmt: skip
        if done.returncode:
            raise InputError(
                f"'{path}' cannot be run as {cpu} code: {failure(done.returncode, done.stderr)}"
            )
        return _counted(marks.read_text("ascii"), [one.windows for one in models])


def _fixed_addresses() -> None:
    """In the child: no random addresses. Loops over memory that is aligned otherwise take other steps."""
    ctypes.CDLL(None).personality(_NO_RANDOM_ADDRESSES)


def _counted(marks: str, windows: Sequence[int]) -> list[_Counted]:
    """The differences between marks, less what marking itself takes.

    Raises:
        VerificationError: there are more or fewer marks than the job has places.
    """
    places = [int(line) for line in marks.split()]
    wanted = sum(4 + 2 * REPEATS * count for count in windows)
    if len(places) != wanted:
        raise VerificationError(
            f"The counter wrote {len(places)} marks; the job has {wanted} places.",
            "Something else in the process calls getppid(): the counts would be wrong.",
        )
    found, start = [], 0
    for count in windows:
        end = start + 4 + 2 * REPEATS * count
        took = [after - before for before, after in zip(places[start:end:2], places[start + 1 : end : 2],
                                                        strict=True)]  # fmt: skip
        nothing, start_up, *invoked = took
        by_window = tuple(one - nothing for one in invoked[REPEATS - 1 :: REPEATS])
        found.append(_Counted(start_up - nothing, by_window))
        start = end
    return found


def _plugin(cache: Path, qemu: str) -> Path:
    """The compiled counter, in the cache.

    Args:
        qemu: its version, "7.2.22", on which the number of the plugin interface depends.

    Raises:
        VerificationError: no compiler, or it fails.
    """
    source = importlib.resources.files("pipeline.targets").joinpath(PLUGIN)
    interface = "1" if int(qemu.split(".")[0]) < 9 else "2"
    compiler = need("cc", "Counting instructions", "Install a C compiler, on Debian: apt-get install gcc")
    key = hashlib.sha256(f"{source.read_text('utf-8')} {interface}".encode()).hexdigest()[:16]
    library = cache / f"instructions-{key}.so"
    if not library.is_file():
        part = cache / f".{library.name}.{os.getpid()}"
        with importlib.resources.as_file(source) as path:
            call(
                [compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden",
                 f"-DINTERFACE={interface}", "-o", str(part), str(path)],
                "The instruction counter cannot be compiled", "Is the C compiler whole (libc6-dev)?",
            )  # fmt: skip
        part.replace(library)
    return library
