"""The same file on two machines: how far its answers there may be from those here.

Every file runs twice on each machine. With the *reference* kernels both machines compute the same integers,
and a file of integers has to give the same bits. (The int8 LSTM has no second kernel: it is the machine's own
in either run.) With the *default* kernels, which are what an application gets, some operators have an own
implementation on one of them; what that may change is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.errors import VerificationError
from pipeline.parity import measurements as measure
from pipeline.parity.definitions import DEFINITIONS
from pipeline.parity.outputs import Array, Outputs
from pipeline.parity.tasks import task_named
from pipeline.parity.tasks.base import Values
from pipeline.parity.tolerances import INT8_STEP, keras_limits, promise_limits, softmax_steps
from pipeline.parity.verdict import Check
from pipeline.targets.arithmetic import Arithmetic
from pipeline.targets.job import Answers
from pipeline.targets.sensitivity import Sensitivity


def compare(
    here: Answers,
    there: Answers,
    reference: str,
    kernels: str,
    kind: Arithmetic,
    task: str,
    steps: int,
    ours: bool = True,
    behind: Sensitivity | None = None,
) -> list[Check]:
    """The checks of one file on one target with one kind of kernels.

    Args:
        reference: what the checks are told to be compared with.
        steps: of a window.
        ours: the file is one of ours, whose softmax gets its scores from equal integers.
        behind: how far the answers can move when the weights do; None: not known.
    """
    values: Values = {"outputs_different": different(here.raw, there.raw)}
    limits = limits_of(here, kernels, kind, task, steps, ours)
    closeness = task_named(task).closeness(here.outputs, there.outputs)
    values |= {name: value for name, value in closeness.items() if name in limits}
    if here.outputs.attends:
        weights = (here.outputs.distributions, there.outputs.distributions)
        values["attention_max_error"] = measure.max_error(*weights)
        if here.outputs.attention_step:
            values["attention_max_steps"] = measure.max_steps(*weights, here.outputs.attention_step)
    answers = (here.outputs.answers, there.outputs.answers)
    values["logits_max_relative_error"] = measure.max_relative_error(*answers)
    if here.outputs.logits_scale:
        values["logits_max_steps"] = measure.max_steps(*answers, here.outputs.logits_scale)
    if kind == "integer" and kernels == "default" and ours and here.outputs.attends:
        values["answers_unexplained"] = unexplained(here.outputs, there.outputs)
        limits["answers_unexplained"] = 0.0
        if behind and here.outputs.logits_scale:
            moved = np.abs(here.outputs.distributions - there.outputs.distributions).sum(axis=-1).max()
            limits["logits_max_steps"] = behind.steps(float(moved), here.outputs.logits_scale)
    return [
        Check(name, reference, one.relation, values.get(name), limits.get(name), one.unit, len(here.outputs))
        for name, one in DEFINITIONS.items()
        if name in values or name in limits
    ]


def limits_of(
    here: Answers, kernels: str, kind: Arithmetic, task: str, steps: int, ours: bool = True
) -> dict[str, float]:
    """The limits, by check; `steps` is T, of a window.

    *Integers, reference kernels*: the same bits.

    *Integers, default kernels*: the int8 SOFTMAX differs, as `softmax_steps` derives. Behind the weights
    nothing else differs: `compare` holds answers to the last bit where the weights are the same, elsewhere to
    what the weights that moved can do to them (`sensitivity`).

    *Float*: two float32 implementations of one function, as `keras_limits` derives.

    *Float attention*: of equal integers, the weights of two float32 softmaxes; a context that is quantized
    again may be rounded to the next int8.

    *Mixed*: a float that differs in its last bit may be rounded to the next int8, which is part of what
    quantization does; the promise's limits bound all of that.
    """
    if kind == "integer" and kernels == "reference":
        return {"outputs_different": 0.0}
    outputs = here.outputs
    if kind == "float":
        own = keras_limits(steps)
        return own if outputs.attends else {"logits_max_relative_error": own["logits_max_relative_error"]}
    promised = promise_limits(
        outputs.steps, len(outputs), outputs.attention_step, task=task, outputs=outputs.logits.shape[-1]
    )
    limits = {name: promised[name] for name in task_named(task).close if name in promised}
    if not outputs.attends:
        return limits
    if kind == "integer" and ours and outputs.attention_step == INT8_STEP:
        return {**limits, "attention_max_steps": float(softmax_steps(outputs.steps, INT8_STEP))}
    if kind == "float attention" and ours and outputs.attention_step is None:
        return {**limits, "attention_max_error": keras_limits(steps)["attention_max_error"]}
    return {**limits, "attention_max_error": promised["attention_max_error"]}


def unexplained(here: Outputs, there: Outputs) -> float:
    """How many numbers of the answers differ in windows whose attention weights are all the same."""
    differs = [
        (a != b).reshape(len(here), -1)
        for a, b in ((here.attention_weights, there.attention_weights), (here.logits, there.logits))
    ]
    return float(differs[1][~differs[0].any(axis=1)].sum())


def different(here: Mapping[str, Array], there: Mapping[str, Array]) -> float:
    """How many numbers of all outputs are not the same to the last bit.

    Raises:
        VerificationError: other outputs, or of another shape.
    """
    shapes = [{name: values.shape for name, values in one.items()} for one in (here, there)]
    if shapes[0] != shapes[1]:
        raise VerificationError(f"The outputs here are {shapes[0]}, on the target {shapes[1]}.")
    if any(values.dtype != np.float32 for one in (here, there) for values in one.values()):
        raise VerificationError("Outputs are float32; the target wrote something else.")
    return float(
        sum(int((a.view(np.uint32) != there[name].view(np.uint32)).sum()) for name, a in here.items())
    )
