"""What running a file has shown: numbers for the rules, taken in a child process.

A file that passes every check of ours can still end the interpreter, so the parent never runs it.
"""

from __future__ import annotations

import os
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters import schema
from converters.child import run_in_child
from models.errors import VerificationError

LIMIT_S = 60


@dataclass(frozen=True)
class LstmMeasurement:
    """What was seen of one fused LSTM; None for what could not be measured.

    Attributes:
        error: root mean square of (file's output - float LSTM of the same weights and inputs), as a share
            of the float output's standard deviation.
        error_if_tied: the same with one scale for hidden value, state and output.
        cell_saturated: share of the cell states, over all steps, that left the int16 range.
        cell_clipped: share of the cell states that the cell clip changed.
        largest_cell: largest |c| of the float LSTM of the same weights and inputs, without a clip.
    """

    error: float | None = None
    error_if_tied: float | None = None
    cell_saturated: float | None = None
    cell_clipped: float | None = None
    largest_cell: float | None = None


@dataclass(frozen=True)
class OutputChange:
    """How far an output of the file moves when the state's scales are tied.

    Attributes:
        name: of the output tensor, as the signature has it.
        largest: largest |difference|, in the output's own unit.
        spread: standard deviation of the output over all inputs, in the same unit.
    """

    name: str
    largest: float
    spread: float


@dataclass(frozen=True)
class RowSums:
    """Smallest and largest sum over the last axis of a softmax's output; exactly 1 in real numbers."""

    tensor: int
    smallest: float
    largest: float


@dataclass(frozen=True)
class Measurement:
    """What running a file has shown.

    Attributes:
        inputs: what it was run on, "16 seeded inputs"; "" if it was not run.
        real_data: True for windows that were given, False for noise.
        refused: why the interpreter does not run it: its own words, or how it ended the process.
        skipped: why we did not run it, though the interpreter might.
        memory_bytes: activations, scratch and state of LiteRT on the machine at hand, without delegates.
        lstms: one for each fused LSTM, in the order of the file; empty if it was not run.
        changes: of each output, if an LSTM's state scales are not tied.
        row_sums: of each quantized softmax of the main graph.
    """

    inputs: str = ""
    real_data: bool = False
    refused: str = ""
    skipped: str = ""
    memory_bytes: int | None = None
    lstms: tuple[LstmMeasurement, ...] = ()
    changes: tuple[OutputChange, ...] = ()
    row_sums: tuple[RowSums, ...] = ()


def measure(
    source: bytes | str | os.PathLike[str],
    windows: np.ndarray | None = None,
    name: str = "",
    limit_s: int = LIMIT_S,
    lengths: np.ndarray | None = None,
) -> Measurement:
    """Run a file in a child process and report what was seen.

    Args:
        source: path or content of a .tflite.
        windows: [n, ...] float32, as the file's input of them takes them in real numbers; the state is reset
            before each. None: seeded noise over the range that the inputs can represent.
        name: what to call these windows.
        limit_s: seconds that loading the file, or running it once, may take.
        lengths: [n], how many steps of each window count, the others being padding at the end; None: all.

    Raises:
        InputError: the model cannot be read, or the windows do not fit its input.
    """
    content = schema.read_bytes(source)
    schema.read_model(source)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "model.tflite").write_bytes(content)
        if windows is not None:
            np.save(folder / "windows.npy", windows.astype(np.float32), allow_pickle=False)
        if lengths is not None:
            np.save(folder / "lengths.npy", lengths, allow_pickle=False)
        try:
            arguments = {"name": name, "limit_s": limit_s}
            found = run_in_child("converters.findings.experiment:job", folder, arguments, crash=_crashed)
        except _Unmeasured as error:
            return Measurement(skipped=error.message)
        except VerificationError as error:
            return Measurement(refused=error.message)
    return from_json(found)


def from_json(found: dict[str, Any]) -> Measurement:
    """A measurement back from `dataclasses.asdict`."""
    parts = {"lstms": LstmMeasurement, "changes": OutputChange, "row_sums": RowSums}
    inner = {key: tuple(kind(**one) for one in found[key]) for key, kind in parts.items()}
    return Measurement(**{**found, **inner})


class _Unmeasured(VerificationError):
    """Our own part failed, so the file is not to blame."""


def _crashed(code: int, how: str) -> VerificationError:
    if code == -signal.SIGALRM:
        return VerificationError("It did not come to an end in time.")
    if code >= 0:  # not the interpreter, but Python around it
        return _Unmeasured(f"Measuring it failed: {how.splitlines()[-1]}")
    return VerificationError(f"Its process {how.splitlines()[0].split('. ')[0]}.")
