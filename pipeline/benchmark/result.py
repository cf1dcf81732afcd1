"""What a benchmark has found, as plain data: for the terminal, the page and the JSON alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from converters.findings.memory import Memory
from pipeline.benchmark.environment import Environment
from pipeline.benchmark.percentiles import Latency
from pipeline.targets.counting import OpInstructions

SCHEMA = "fuselage-benchmark/1"


@dataclass(frozen=True)
class Startup:
    """From nothing to an answer, in fresh processes: milliseconds, the median of a few.

    The library is already imported, and the file is in the system's cache.

    Attributes:
        processes: how many were started.
        load_ms: from the file to a model that is ready: read, built, tensors allocated.
        first_ms: its first call, in which kernels lay out their memory and pack their weights.
    """

    processes: int
    load_ms: float
    first_ms: float


@dataclass(frozen=True)
class Operator:
    """One operator of the main graph in the profile.

    Attributes:
        place: from 0; None of what the call itself takes.
        name: the operator.
        output: shape and type of what it writes.
        ms: what it adds to a run: median of the difference of two prefixes of the graph, run in turn.
        low, high: an interval of at least 95 % around that median.
    """

    place: int | None
    name: str
    output: str
    ms: float
    low: float
    high: float

    @property
    def told_apart(self) -> bool:
        """Whether it takes more than the differences scatter."""
        return self.low > 0


@dataclass(frozen=True)
class Instructions:
    """Executed instructions on an emulated Arm core, and no time.

    Attributes:
        cpu: the emulated core.
        inference: of one `invoke`; the same in every run.
        startup: from the file's content to allocated tensors; the same to within some hundred.
        by_operator: of each operator of the main graph, in the file's order, by the interpreter's own
            kernels: without its delegate, so that they add up to a little more than `inference`. A bound
            where an operator takes no more than the counts may be off by.
        versions: of qemu and of what ran under it.
    """

    cpu: str
    inference: int
    startup: int
    by_operator: tuple[OpInstructions, ...]
    versions: dict[str, str]


@dataclass(frozen=True)
class Entry:
    """One model in the run, a file that was given or a peer of one.

    Attributes:
        name: as it is told; each once.
        peer_of: name of the file whose model it is, too; "" of a file that was given.
        runner: what runs it.
        size_bytes: of the file.
        lstms: by name what each fused LSTM computes in; empty of a peer.
        latency: of a call: state reset, inputs in, run, outputs out.
        startup: of a fresh process.
        memory: what it works in; None of a runner that does not tell.
        largest_error: largest difference of its outputs from those of `peer_of`; None of a given file.
        instructions: None where they were not counted.
    """

    name: str
    peer_of: str
    runner: str
    size_bytes: int
    lstms: dict[str, str]
    latency: Latency
    startup: Startup
    memory: Memory | None
    largest_error: float | None = None
    instructions: Instructions | None = None


@dataclass(frozen=True)
class Profile:
    """Where the time of a file goes.

    Attributes:
        name: of the file.
        runs: of each prefix.
        operators: in the order in which they run; the first is the call itself.
        skipped: why there is none; "" where there is one.
        whole_ms: of the whole file in the same runs, median; None where there is no profile.
    """

    name: str
    runs: int
    operators: tuple[Operator, ...]
    skipped: str = ""
    whole_ms: float | None = None

    def share(self, one: Operator) -> float | None:
        """Its part of the whole, from 0 to 1; None where it is not told apart from nothing.

        All shares together are at most 1: where noise makes the parts longer than the whole, they are parts
        of their own sum.
        """
        together = sum(operator.ms for operator in self.operators if operator.told_apart)
        whole = max(self.whole_ms or 0.0, together)
        return one.ms / whole if one.told_apart else None


@dataclass(frozen=True)
class Padding:
    """A fused int8 LSTM whose sizes leave a rest that Arm's kernel does one value at a time.

    Attributes:
        name: of the file.
        lstm: of the LSTM.
        features, units: as they are.
        cpu: the emulated core; "" where nothing was counted.
        instructions: of one inference of the LSTM alone.
        variants: of the LSTM alone with more (features, units), its instructions.
        skipped: why nothing was counted; "" where it was.
    """

    name: str
    lstm: str
    features: int
    units: int
    cpu: str = ""
    instructions: int | None = None
    variants: tuple[tuple[int, int, int], ...] = ()
    skipped: str = ""

    @property
    def best(self) -> tuple[int, int, int] | None:
        """The variant with the fewest instructions, if it has fewer than the LSTM as it is."""
        if self.instructions is None or not self.variants:
            return None
        best = min(self.variants, key=lambda variant: variant[2])
        return best if best[2] < self.instructions else None


@dataclass(frozen=True)
class Benchmark:
    """A run.

    Attributes:
        environment: what was measured on.
        inputs: what the models were fed.
        rounds, warm_up: that count, and that went before.
        entries: files first, in the order they were given.
        missing: what was not measured, and why.
        profiles: one for each file that was given; empty if none was asked for.
        paddings: one for each LSTM that has a rest.
        warnings: what has to be known to read the figures.
    """

    environment: Environment
    inputs: str
    rounds: int
    warm_up: int
    entries: tuple[Entry, ...]
    missing: tuple[str, ...] = ()
    profiles: tuple[Profile, ...] = ()
    paddings: tuple[Padding, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """In JSON's types; what was not measured is null."""
        return {"schema": SCHEMA, **asdict(self)}
