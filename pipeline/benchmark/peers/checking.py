"""Hold a peer's outputs against the float file's, before anything is timed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from converters import schema
from converters.child import run_in_child
from converters.findings import samples
from models.errors import InputError, VerificationError
from pipeline.benchmark.runners import Array, call, open_runner

JOB = "pipeline.benchmark.peers.checking:compare_job"


def largest_error(
    reference: Path, candidate: Path, runner: str, folder: Path, exact: bool
) -> float:
    """Largest difference of two models' outputs on seeded inputs, taken in a child process.

    Args:
        reference: the float .tflite.
        runner: of the candidate.
        folder: to work in.
        exact: whether both compute the same function in float32: then the difference has a limit.

    Raises:
        VerificationError: the outputs do not fit each other, are no numbers, or differ by more than that.
    """
    arguments = {"reference": str(reference), "candidate": str(candidate), "runner": runner, "exact": exact}
    found = run_in_child(
        JOB, folder, arguments, crash=lambda _, how: VerificationError(f"The comparison of outputs {how}")
    )
    return float(found["largest_error"])


def limit(steps: int, outputs: Iterable[Array]) -> float:
    """How far two float32 implementations of one LSTM model may differ: T x 2^-18 of the largest output.

    Derived in `pipeline.parity.tolerances.keras_limits`; outputs below 1 count as 1, since what is added up
    inside (gates, attention weights) is of that size.
    """
    largest = max((float(np.abs(one).max(initial=0.0)) for one in outputs), default=0.0)
    return steps * 2.0**-18 * max(largest, 1.0)


def compare(ours: Sequence[Array], theirs: Sequence[Array]) -> float:
    """Largest difference of two lists of outputs, in their own order.

    Raises:
        VerificationError: they differ in number or shape, or hold what is no number.
    """
    shapes = [[one.shape for one in side] for side in (ours, theirs)]
    if shapes[0] != shapes[1]:
        raise VerificationError(f"outputs of shapes {shapes[1]} stand against {shapes[0]}")
    differences = [np.abs(a.astype(np.float64) - b) for a, b in zip(ours, theirs, strict=True)]
    if not all(np.isfinite(one).all() for one in differences):  # `max` would step over a NaN
        raise VerificationError("an output is not finite")
    return max((float(one.max(initial=0.0)) for one in differences), default=0.0)


def compare_job(folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    """The body of the child process."""
    reference, candidate = Path(arguments["reference"]), Path(arguments["candidate"])
    model = schema.read_model(reference)
    drawn = samples.seeded(model)
    worst = 0.0
    for row in range(samples.COUNT):
        inputs = [values[row] for values in drawn]
        try:
            ours = call(open_runner("tflite", reference, inputs, 1))
            theirs = call(open_runner(arguments["runner"], candidate, inputs, 1))
        except (InputError, RuntimeError, ValueError) as error:
            raise VerificationError(f"it does not run: {error}") from error
        worst = max(worst, compare(ours, theirs))
        allowed = limit(steps_of(model), ours)
        if arguments["exact"] and not worst <= allowed:
            raise VerificationError(
                f"its outputs differ by {worst:.2g} from the float file's; {allowed:.2g} is allowed"
            )
    return {"largest_error": worst}


def steps_of(model: schema.ModelT) -> int:
    """T: the longest second axis of an input [batch, time, ...]; 1 where there is none."""
    graph = model.subgraphs[0]
    shapes = [schema.shape(graph.tensors[index]) for index in schema.indices(graph.inputs)]
    return max((shape[1] for shape in shapes if len(shape) >= 3), default=1)
