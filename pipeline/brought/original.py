"""The model that was given: its file, its answer, and the task that follows from the answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import InputError
from pipeline.disk import sha256_of

if TYPE_CHECKING:
    from models.foreign.files import Original
    from models.foreign.rebuild import Rebuilt

OPEN_STEPS = 16
"""Stands for a number of steps that the model leaves open, while only the kind of its answer is asked."""


@dataclass(frozen=True)
class Wanted:
    """What was asked for.

    Args:
        path: of the model.
        answer: name of the output that answers; None: the only one, or the first.
        check: names of layers whose values are checked too.
        task: None: what follows from the answer.
    """

    path: Path
    answer: str | None = None
    check: tuple[str, ...] = ()
    task: str | None = None

    def identity(self) -> dict[str, Any]:
        """What a result depends on: the model's content, not its folder."""
        return {
            "model": self.path.name,
            "sha256": _content(self.path),
            "answer": self.answer,
            "check": list(self.check),
            "task": self.task,
        }


@dataclass(frozen=True)
class Answer:
    """The output that answers.

    Attributes:
        name: in the original.
        tensor: of the rebuilt model, before the softmax or sigmoid where it ends with one.
        end: "softmax", "sigmoid" or None.
        task: None where only the data can tell: the answer is linear, one row a window.
    """

    name: str
    tensor: Any
    end: str | None
    task: str | None

    @property
    def size(self) -> int:
        """Classes, labels or targets."""
        return int(self.tensor.shape[-1])


def require_file(path: Path) -> None:
    """Raise an InputError where there is nothing at the path, before anything is loaded."""
    if not path.exists():
        raise InputError(f"There is no model '{path}'.", "Give the path of a .keras, .h5 or SavedModel.")


def open_original(wanted: Wanted, steps: int | None = None) -> tuple[Original, Rebuilt]:
    """Read and rebuild the model.

    Args:
        steps: of the data's windows; None: only what does not depend on them is asked.

    Raises:
        InputError, QuantizationError: see `models.foreign`.
    """
    from models.foreign.files import read_original
    from models.foreign.rebuild import rebuild

    original = read_original(wanted.path)
    if steps is None and original.steps is None:
        steps = OPEN_STEPS
    return original, rebuild(original.graph, original.weights_of, steps)


def answer_of(rebuilt: Rebuilt, wanted: Wanted) -> Answer:
    """Which output answers, and what it says about the task.

    Raises:
        InputError: no such output, one of a shape that no task has, or another task than was asked for.
    """
    names = list(rebuilt.outputs)
    name = wanted.answer or names[0]
    if name not in rebuilt.outputs:
        raise InputError(f"The model has no output '{name}', only {', '.join(names)}.", "See --output.")
    tensor = rebuilt.outputs[name]
    end, before = rebuilt.ends_with(tensor) or (None, tensor)
    rank, steps = len(tensor.shape), rebuilt.input.shape[1]
    if rank not in (2, 3) or (rank == 3 and tensor.shape[1] != steps):
        raise InputError(
            f"The output '{name}' is {list(tensor.shape)}; an answer is [batch, classes] or "
            f"[batch, {steps}, classes].",
            "Say with --output NAME which one it is.",
        )
    fitting = _TASKS[end, rank]
    if not fitting:
        raise InputError(f"The output '{name}' has a sigmoid for every step; of steps only a class is known.")
    if wanted.task is not None and wanted.task not in fitting:
        told = f"ends with a {end}" if end else "is linear"
        raise InputError(
            f"The task asked for is {wanted.task!r}; the output '{name}' {list(tensor.shape)} {told}, which "
            f"is for {' or '.join(fitting)}.",
            "Leave --task out.",
        )
    task = wanted.task or (fitting[0] if len(fitting) == 1 else None)
    return Answer(name, before, end, task)


_TASKS: dict[tuple[str | None, int], tuple[str, ...]] = {
    ("softmax", 2): ("classification",),
    ("softmax", 3): ("per-step",),
    ("sigmoid", 2): ("multi-label",),
    ("sigmoid", 3): (),
    (None, 2): ("classification", "regression", "multi-label"),
    (None, 3): ("per-step",),
}
"""The tasks of an answer by its end and the number of its axes."""


def _content(path: Path) -> str:
    """SHA-256 of a file, or of all files of a folder."""
    if path.is_file():
        return sha256_of(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    told = "\n".join(f"{file.relative_to(path)} {sha256_of(file)}" for file in files)
    return hashlib.sha256(told.encode()).hexdigest()
