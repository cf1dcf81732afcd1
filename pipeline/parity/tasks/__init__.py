"""What two models are compared by, and a model is judged by, task by task."""

from __future__ import annotations

from models.errors import InputError
from pipeline.parity.tasks.base import Task, Values
from pipeline.parity.tasks.classification import Classification
from pipeline.parity.tasks.multi_label import MultiLabel
from pipeline.parity.tasks.per_step import PerStep
from pipeline.parity.tasks.regression import Regression

_TASKS: dict[str, Task] = {one.name: one for one in (Classification(), MultiLabel(), Regression(), PerStep())}

__all__ = ["Task", "Values", "task_named"]


def task_named(name: str) -> Task:
    """The task of that name.

    Raises:
        InputError: there is none.
    """
    if name not in _TASKS:
        raise InputError(f"Unknown task {name!r}. Known: {', '.join(sorted(_TASKS))}.")
    return _TASKS[name]
