"""What runs a model in a benchmark: each from the zero state, with inputs in its own types.

A call is what an application pays for one inference: state reset, inputs handed over, run, outputs read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from models.errors import InputError
from pipeline import runtime

Array = np.ndarray


class Runner(Protocol):
    """A model that is loaded and has its inputs."""

    def prepare(self) -> None:
        """Reset the state and hand the inputs over."""

    def run(self) -> None:
        """Compute, and nothing else."""

    def outputs(self) -> list[Array]:
        """What the last run has computed."""


def call(runner: Runner) -> list[Array]:
    """One inference, whole."""
    runner.prepare()
    runner.run()
    return runner.outputs()


_FEW = np.ones(64, np.float32)


def settle() -> None:
    """Leave the processor's vector registers as a program's own code between two windows leaves them.

    Some kernels of XNNPACK return with the upper halves of the AVX registers in use, and what runs SSE code
    next, TFLite's LSTM among it, is slowed down: a small model of its own in a bare loop took 23.7 us instead
    of 7.6 on an AMD EPYC, and so did its neighbour in the run. NumPy's loops end with the instruction that
    clears them, as does nearly all code that compilers make, so that standardizing a window is enough.
    """
    np.add(_FEW, _FEW)


class TfliteRunner:
    """A .tflite in the interpreter, as `pipeline.runtime` opens it: with the delegates it has by default.

    Raises:
        InputError: the interpreter refuses the file or its inputs.
    """

    def __init__(self, content: bytes, inputs: Sequence[Array], threads: int) -> None:
        try:
            self._interpreter = runtime.open_interpreter(content, threads)
        except runtime.ModelFileError as error:
            raise InputError(str(error)) from error
        self._inputs = list(
            zip([one["index"] for one in self._interpreter.get_input_details()], inputs, strict=True)
        )
        self._outputs = [one["index"] for one in self._interpreter.get_output_details()]

    def prepare(self) -> None:
        self._interpreter.reset_all_variables()
        for index, values in self._inputs:
            self._interpreter.set_tensor(index, values)

    def run(self) -> None:
        self._interpreter.invoke()

    def outputs(self) -> list[Array]:
        return [self._interpreter.get_tensor(index) for index in self._outputs]


class OnnxRunner:
    """An ONNX model on the processor, in as many threads as the others get."""

    def __init__(self, content: bytes, inputs: Sequence[Array], threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        names = [one.name for one in self._session.get_inputs()]
        self._feed = dict(zip(names, inputs, strict=True))
        self._found: list[Array] = []

    def prepare(self) -> None:
        """Nothing: an ONNX LSTM starts from zero, and the inputs are handed over as it runs."""

    def run(self) -> None:
        self._found = self._session.run(None, self._feed)

    def outputs(self) -> list[Array]:
        return self._found


Open = Callable[[bytes, Sequence[Array], int], Runner]

RUNNERS: dict[str, Open] = {"tflite": TfliteRunner, "onnxruntime": OnnxRunner}


def open_runner(kind: str, path: Path, inputs: Sequence[Array], threads: int) -> Runner:
    """Load a model; `kind` is one of `RUNNERS`."""
    return RUNNERS[kind](path.read_bytes(), inputs, threads)


def save_inputs(path: Path, inputs: Sequence[Array]) -> None:
    """Write the inputs of one inference, in the model's own order."""
    named: dict[str, Any] = {f"input{place:03d}": values for place, values in enumerate(inputs)}
    np.savez(path, **named)


def load_inputs(path: Path) -> list[Array]:
    """What `save_inputs` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        return [stored[name] for name in sorted(stored.files)]
