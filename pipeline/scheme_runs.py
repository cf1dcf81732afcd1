"""A build's files, open in the runtime that ships with them: what each answers and what it costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from converters import schema
from converters.findings import memory
from converters.summary import ModelSummary, summarize
from models.config import output_name
from models.errors import VerificationError
from models.quiet_tensorflow import stderr_held_back
from pipeline.parity.latency import median_latencies_ms
from pipeline.parity.outputs import Array, Outputs
from pipeline.parity.running import context_of, lengths_of, run_file
from pipeline.parity.tasks import Task
from pipeline.parity.verdict import Check
from pipeline.progress import Progress
from pipeline.report.schemes import SchemeResult
from pipeline.runtime import ModelFileError, SequenceModel, load_model
from pipeline.schemes import Scheme


@dataclass(frozen=True)
class SchemeFile:
    """The file of a scheme.

    Attributes:
        summary: what is in it.
        model: what runs it.
    """

    scheme: Scheme
    path: Path
    summary: ModelSummary
    model: SequenceModel

    @classmethod
    def open(cls, scheme: Scheme, folder: Path) -> SchemeFile:
        """Open the scheme's file in `folder`.

        Raises:
            VerificationError: the interpreter, or our runtime, refuses it.
        """
        path = folder / scheme.file
        try:
            with stderr_held_back():  # the interpreter tells about its delegate
                model = load_model(path)
        except ModelFileError as error:
            raise VerificationError(
                f"{path.name} cannot be run: {error}", "Build again with --redo convert."
            ) from error
        return cls(scheme, path, summarize(path), model)

    def answers(self, features: Array, real: Array | None, progress: Progress, task: str) -> Outputs:
        """What it says about every window of `features` [n, T, F]; if it was asked for, with its contexts.

        Args:
            real: [n, T], the steps that count, see `Outputs`; None: all.
        """
        told = self.model.takes_lengths
        outputs = run_file(
            self.model, features, progress, output_name(task), real=real, takes_lengths=told
        )
        query = (self.summary.metadata or {}).get("query")
        outputs = dataclasses.replace(outputs, queries=None if query is None else query == "all")
        if not self.scheme.asked:
            return outputs
        lengths = lengths_of(features, real) if told else None
        return dataclasses.replace(outputs, context=context_of(self.path.read_bytes(), features, lengths))

    def memory_bytes(self) -> int:
        """Bytes of activations, scratch and state that LiteRT lays out for it, without delegates."""
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        model = schema.read_model(self.path)
        with stderr_held_back():
            interpreter = Interpreter(
                model_path=str(self.path),
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            interpreter.allocate_tensors()
        return memory.used(model, memory.from_interpreter(interpreter, model)).bytes

    def result(
        self, checks: Sequence[Check], outputs: Outputs, targets: Array, task: Task, latency_ms: float
    ) -> SchemeResult:
        """Its line in the report."""
        accuracy = task.accuracy(self.scheme.name, outputs, targets)
        return SchemeResult(
            name=self.scheme.name,
            file=self.path.name,
            asked=self.scheme.asked,
            size_bytes=self.path.stat().st_size,
            memory_bytes=self.memory_bytes(),
            latency_ms=latency_ms,
            accuracy=None if accuracy is None else accuracy.value,
            scores=task.scores(outputs, targets),
            lstms={lstm.name: lstm.kind for lstm in self.summary.lstms},
            lstm_note=lstm_note(self.scheme, self.summary),
            checks=tuple(checks),
        )


def latencies_ms(files: Sequence[SchemeFile], window: Array) -> dict[str, float]:
    """Median time of one window [T, F] by scheme name; the files take turns."""
    return median_latencies_ms(
        {one.scheme.name: lambda one=one: one.model.run(window) for one in files}  # type: ignore[misc]
    )


def lstm_note(scheme: Scheme, summary: ModelSummary) -> str:
    """Which LSTMs do not compute in what the scheme promises; "" where each does."""
    other = {lstm.name: lstm.kind for lstm in summary.lstms if lstm.kind != scheme.lstm_kind}
    if not other:
        return ""
    told = ", ".join(f"{name} in {kind}" for name, kind in other.items())
    return f"{len(other)} of {len(summary.lstms)} LSTMs do not compute in {scheme.lstm_kind}: {told}."
