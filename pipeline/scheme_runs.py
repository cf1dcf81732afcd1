"""Run the files of a build's schemes on the same windows, and take down what each comes to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converters import schema
from converters.findings import memory
from converters.inner_tensors import context_vectors
from converters.summary import ModelSummary, summarize
from models.errors import VerificationError
from models.quiet_tensorflow import stderr_held_back
from pipeline.parity.latency import median_latencies_ms
from pipeline.parity.measurements import accuracy
from pipeline.parity.outputs import Array, Outputs
from pipeline.parity.running import run_file
from pipeline.parity.verdict import Check
from pipeline.progress import Progress
from pipeline.report.schemes import SchemeResult
from pipeline.runtime import ModelFileError, SequenceClassifier
from pipeline.schemes import Scheme

_SMALLEST_HYBRID = 1024
"""Elements a weight matrix has to have before TFLite's dynamic-range mode quantizes its operator."""


@dataclass(frozen=True)
class SchemeRun:
    """A scheme's file and what it answered.

    Attributes:
        summary: what is in the file.
        outputs: on every window, with context vectors where the file shows them.
        latency_ms: median of one window; the files took turns.
        memory_bytes: activations, scratch and state.
    """

    scheme: Scheme
    path: Path
    summary: ModelSummary
    outputs: Outputs
    latency_ms: float
    memory_bytes: int


def run_schemes(
    schemes: Sequence[Scheme], folder: Path, features: Array, progress: Progress
) -> dict[str, SchemeRun]:
    """Run each file of `folder` on `features` [n, T, F]; by scheme name.

    Raises:
        VerificationError: a file cannot be run.
    """
    paths = {scheme.name: folder / scheme.file for scheme in schemes}
    classifiers = {name: open_file(path) for name, path in paths.items()}
    what = "both files" if len(schemes) == 2 else f"{len(schemes)} files"
    progress.start(f"Running {what}", len(schemes) * len(features))
    outputs = {name: run_file(one, features, progress) for name, one in classifiers.items()}
    progress.finish()
    latency_ms = median_latencies_ms(
        {name: lambda one=one: one.run(features[0]) for name, one in classifiers.items()}  # type: ignore[misc]
    )
    return {
        scheme.name: SchemeRun(
            scheme=scheme,
            path=paths[scheme.name],
            summary=summarize(paths[scheme.name]),
            outputs=_with_context(outputs[scheme.name], paths[scheme.name], features)
            if scheme.asked
            else outputs[scheme.name],
            latency_ms=latency_ms[scheme.name],
            memory_bytes=memory_of(paths[scheme.name]),
        )
        for scheme in schemes
    }


def result_of(run: SchemeRun, checks: Sequence[Check], labels: Array) -> SchemeResult:
    """The scheme's line in the report."""
    return SchemeResult(
        name=run.scheme.name,
        file=run.path.name,
        asked=run.scheme.asked,
        size_bytes=run.path.stat().st_size,
        memory_bytes=run.memory_bytes,
        latency_ms=run.latency_ms,
        accuracy=accuracy(run.scheme.name, run.outputs.logits, labels).value,
        lstms={lstm.name: lstm.kind for lstm in run.summary.lstms},
        lstm_note=lstm_note(run.scheme, run.summary),
        checks=tuple(checks),
    )


def open_file(path: Path) -> SequenceClassifier:
    """The file in the runtime that ships with it."""
    try:
        with stderr_held_back():  # the interpreter tells about its delegate
            return SequenceClassifier(path)
    except ModelFileError as error:
        raise VerificationError(
            f"{path.name} cannot be run: {error}", "Build again with --redo convert."
        ) from error


def memory_of(path: Path) -> int:
    """Bytes of activations, scratch and state that LiteRT lays out for the file, without delegates."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    model: Any = schema.read_model(path)
    with stderr_held_back():
        interpreter = Interpreter(
            model_path=str(path),
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    return memory.used(model, memory.from_interpreter(interpreter, model)).bytes


def lstm_note(scheme: Scheme, summary: ModelSummary) -> str:
    """Why an LSTM of a dynamic file computes in float; "" where none does, and of every other scheme."""
    left = [lstm for lstm in summary.lstms if lstm.kind == "float32"]
    if scheme.name != "dynamic" or not left:
        return ""
    sizes = ", ".join(f"{lstm.name} {lstm.units} x {lstm.features}" for lstm in left)
    return (
        f"{len(left)} of {len(summary.lstms)} LSTMs stayed in float32 ({sizes}): TFLite quantizes an LSTM "
        f"only where a gate's weights have at least {_SMALLEST_HYBRID} elements."
    )


def _with_context(outputs: Outputs, path: Path, features: Array) -> Outputs:
    """The outputs with the context vectors, where the file's structure shows one product for them."""
    try:
        context = context_vectors(path, features)
    except VerificationError:
        return outputs
    return dataclasses.replace(outputs, context=context)
