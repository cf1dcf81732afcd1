"""Time models in a child process: what the native code does not survive becomes an error message."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters import child, schema
from converters.findings import memory
from models.errors import FuselageError, InputError, VerificationError
from pipeline.benchmark.percentiles import percentile
from pipeline.benchmark.profile import profile_ms
from pipeline.benchmark.result import Startup
from pipeline.benchmark.runners import Runner, call, load_inputs, open_runner, settle
from pipeline.parity.latency import interleaved_times_ms
from pipeline.progress import Progress

JOB, START_JOB = "pipeline.benchmark.measuring:time_job", "pipeline.benchmark.measuring:start_job"
PROCESSES = 3
LIMIT_S = 60
"""Of a first call: a file with a loop that never ends is stopped here."""


@dataclass(frozen=True)
class Candidate:
    """A model to time.

    Attributes:
        name: as it is told.
        path: its file; inputs: the file of its inputs, see `runners.save_inputs`.
        runner: one of `runners.RUNNERS`.
        profiled: whether to time its operators too.
    """

    name: str
    path: Path
    inputs: Path
    runner: str
    profiled: bool = False


@dataclass(frozen=True)
class Timed:
    """What the child found.

    Attributes:
        times_ms: of each candidate, one a round.
        memory_bytes: of each .tflite, as LiteRT without delegates lays it out.
        profiles: of each candidate that was to be profiled, the times of every prefix of its graph:
            [prefixes][runs], milliseconds.
    """

    times_ms: dict[str, list[float]]
    memory_bytes: dict[str, int]
    profiles: dict[str, list[list[float]]]


def time_together(
    candidates: Sequence[Candidate], rounds: int, warm_up: int, threads: int, progress: Progress
) -> Timed:
    """Time all candidates in one child, where they take turns.

    Raises:
        InputError: a model that cannot be loaded, or that answers with what is no number; one that ends the
            process.
    """
    progress.start("Timing in turn", rounds)
    with tempfile.TemporaryDirectory() as folder:
        arguments = {
            "candidates": [_plain(one) for one in candidates],
            "rounds": rounds,
            "warm_up": warm_up,
            "threads": threads,
        }
        relay = _Relay(progress, candidates)
        found = child.run_in_child(JOB, Path(folder), arguments, relay, relay.crashed)
    progress.finish()
    return Timed(**found)


def start_fresh(candidate: Candidate, threads: int, progress: Progress) -> Startup:
    """Load it and call it once, in a few processes that have never seen it.

    Raises:
        InputError: as of `time_together`.
    """
    found: dict[str, list[float]] = {"load_ms": [], "first_ms": []}
    for _ in range(PROCESSES):
        with tempfile.TemporaryDirectory() as folder:
            relay = _Relay(progress, [candidate])
            arguments = {**_plain(candidate), "threads": threads}
            for name, value in child.run_in_child(
                START_JOB, Path(folder), arguments, relay, relay.crashed
            ).items():
                found[name].append(value)
        progress.advance()
    middle = {name: percentile(values, 50) or 0.0 for name, values in found.items()}
    return Startup(processes=PROCESSES, **middle)


def _plain(candidate: Candidate) -> dict[str, Any]:
    return {key: str(one) if isinstance(one, Path) else one for key, one in asdict(candidate).items()}


class _Relay:
    """Hears from the child which candidate it is at, and how many rounds are done."""

    def __init__(self, progress: Progress, candidates: Sequence[Candidate]) -> None:
        self._progress, self._candidates = progress, candidates
        self._at: Candidate | None = None

    def message(self, text: str) -> None:
        what, number = text.split()
        if what == "at":
            self._at = self._candidates[int(number)]
        else:
            self._progress.advance(int(number))

    def crashed(self, code: int, how: str) -> FuselageError:
        """The child is gone: by the file, where a signal ended it."""
        name = "the models" if self._at is None else f"'{self._at.path}'"
        if code == -signal.SIGALRM:
            return InputError(f"One call of {name} did not come to an end within {LIMIT_S} s.")
        if code < 0:
            return InputError(
                f"The native code crashed on {name}: its process {how}",
                "pipeline inspect says what can be seen without running the file.",
            )
        return VerificationError(f"{name} could not be timed: the process {how}")


# --- In the child ---------------------------------------------------------------------------------


def time_job(folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    """Load all candidates, then time them in turn; the body of the child process."""
    threads, runners = arguments["threads"], {}
    for place, one in enumerate(arguments["candidates"]):
        child.say(f"at {place}")
        runners[one["name"]] = _opened(one, threads)
    for place, one in enumerate(arguments["candidates"]):
        child.say(f"at {place}")
        _try(one, runners[one["name"]])
    done = _Counted()
    times = interleaved_times_ms(
        {name: lambda runner=runner: call(runner) for name, runner in runners.items()},  # type: ignore[misc]
        arguments["rounds"],
        arguments["warm_up"],
        done.round,
        dict.fromkeys(runners, settle),
    )
    done.flush()
    memory_bytes, profiles = {}, {}
    for place, one in enumerate(arguments["candidates"]):
        child.say(f"at {place}")
        if one["runner"] != "tflite":
            continue
        memory_bytes[one["name"]] = _memory(Path(one["path"]))
        if one["profiled"]:
            model = schema.read_model(one["path"])
            profiles[one["name"]] = profile_ms(model, load_inputs(Path(one["inputs"])), threads)
    return {"times_ms": times, "memory_bytes": memory_bytes, "profiles": profiles}


def start_job(folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    """Time the way from the file to the first answer; the body of a child process."""
    child.say("at 0")
    inputs = load_inputs(Path(arguments["inputs"]))
    _import(arguments["runner"])
    start = time.perf_counter()
    runner = open_runner(arguments["runner"], Path(arguments["path"]), inputs, arguments["threads"])
    ready = time.perf_counter()
    signal.alarm(LIMIT_S)
    call(runner)
    answered = time.perf_counter()
    return {"load_ms": (ready - start) * 1e3, "first_ms": (answered - ready) * 1e3}


def _opened(one: Mapping[str, Any], threads: int) -> Runner:
    try:
        return open_runner(one["runner"], Path(one["path"]), load_inputs(Path(one["inputs"])), threads)
    except (InputError, RuntimeError, ValueError) as error:
        raise InputError(f"'{one['path']}' cannot be run: {error}") from error


def _try(one: Mapping[str, Any], runner: Runner) -> None:
    """One call: it has to end, and to answer with numbers. What is computed on NaN has times of its own."""
    signal.alarm(LIMIT_S)
    try:
        answers = call(runner)
    except (RuntimeError, ValueError) as error:
        raise InputError(f"'{one['path']}' cannot be run: {error}") from error
    finally:
        signal.alarm(0)
    if not all(np.isfinite(one).all() for one in answers if one.dtype.kind == "f"):
        raise InputError(
            f"'{one['path']}' answers seeded inputs with NaN or infinity; its time would say nothing.",
            "pipeline inspect says what is wrong with it.",
        )


def _memory(path: Path) -> int:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=path.read_bytes(),  # its name need not be UTF-8
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    return memory.from_interpreter(interpreter, schema.read_model(path))


def _import(runner: str) -> None:
    """What a program has imported before it opens its first model."""
    if runner == "onnxruntime":
        import onnxruntime  # noqa: F401
    else:
        import ai_edge_litert.interpreter  # noqa: F401


class _Counted:
    """Tells the parent of the rounds, now and then: a message for each would be part of what is timed."""

    def __init__(self, every: int = 20) -> None:
        self._every, self._waiting = every, 0

    def round(self) -> None:
        self._waiting += 1
        if self._waiting == self._every:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            child.say(f"rounds {self._waiting}")
        self._waiting = 0
