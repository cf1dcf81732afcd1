"""From two sets of outputs to the checks of one group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from models.errors import VerificationError
from pipeline.parity import measurements as measure
from pipeline.parity.definitions import DEFINITIONS
from pipeline.parity.outputs import Array, Outputs
from pipeline.parity.tasks import Task, Values, task_named
from pipeline.parity.tolerances import (
    FINEST_STEP,
    QUARTER_STEP,
    keras_limits,
    promise_limits,
    training_limits,
)
from pipeline.parity.verdict import Check


def promise(
    float_model: Outputs,
    int8: Outputs,
    labels: Array | None,
    tolerances: Mapping[str, float | None] | None = None,
    task: str = "classification",
    weight_error: float = 1.0,
) -> list[Check]:
    """The int8 file against the original float model.

    What cannot be measured (attention that neither has, accuracy without labels) is reported as such and has
    no default limit; a limit that was asked for stays, and fails.

    Args:
        labels: what is true of each window, as the task has it ([n], classes); None where nobody knows.
        tolerances: from the config.
        task: what the models answer.
        weight_error: of the file's LSTM weights, as a share of what int8 does to them.
    """
    kind = task_named(task)
    values = _closeness(float_model, int8, kind)
    if float_model.attends or int8.attends:
        weights = _distributions(float_model, int8)
        top1 = measure.attention_top1(*weights, int8.attention_step or 0.0)
        values["attention_row_sum_error"] = measure.row_sum_error(int8.distributions)
        values["attention_top1_agreement"] = top1.agreement
        values["attention_top1_ties"] = top1.ties
    if labels is not None:
        values.update(kind.drops(float_model, int8, labels))
    given = {name for name, limit in (tolerances or {}).items() if limit is not None}
    limits = promise_limits(
        int8.steps, len(int8), int8.attention_step, tolerances, task, int8.logits.shape[-1], weight_error,
        padded=int8.real is not None,
    )  # fmt: skip
    can_be_absent = (*kind.judged, *(name for name in kind.promise if name.startswith("attention_")))
    absent = [name for name in can_be_absent if values.get(name) is None]
    limits = {name: limit for name, limit in limits.items() if name in given or name not in absent}
    checks = _checks("float_model", {**dict.fromkeys(absent), **values}, limits, len(int8))
    if len(int8.distributions) == len(int8):
        return checks
    # Several heads or queries a window: it is their rows that tie.
    return [replace(check, unit="rows") if check.unit == "windows" else check for check in checks]


def float_forward(forward: Outputs, int8: Outputs, task: str = "classification") -> list[Check]:
    """The int8 file against the float forward of its own weights: all of it is what quantization moved."""
    return _checks("float_forward", _closeness(forward, int8, task_named(task)), {}, len(int8))


def training_forward(twin: Outputs | None, int8: Outputs) -> list[Check]:
    """The int8 file against the fake-quantized forward it was trained with, in quantization steps.

    Args:
        twin: its outputs; None where they are missing, which fails the check that has a limit.
        int8: the outputs of the file, with the scale of its logits where they are to be compared.
    """
    values: Values = {}
    if twin is not None:
        _require_same_rows(twin, int8)
        if int8.attends:
            values.update(_attention_in_steps(twin, int8))
        if int8.logits_scale:
            logits = (twin.answers, int8.answers)
            values["logits_within_one_step"] = measure.share_within_steps(*logits, int8.logits_scale, 1)
            values["logits_equal"] = measure.share_within_steps(*logits, int8.logits_scale, 0.5)
            values["logits_max_steps"] = measure.max_steps(*logits, int8.logits_scale)
    limits = training_limits(int8.attention_step) if int8.attends or twin is None else {}
    return _checks("training_forward", values, limits, len(int8))


def _attention_in_steps(twin: Outputs, int8: Outputs) -> Values:
    """How far the attention weights of two are apart, in steps of the second's."""
    weights = (twin.real_weights, int8.real_weights)
    step = int8.attention_step or FINEST_STEP
    values: Values = {
        "attention_within_one_step": measure.share_within_steps(*weights, step, 1),
        "attention_equal": measure.share_within_steps(*weights, step, 0.5),
        "attention_max_steps": measure.max_steps(*weights, step),
    }
    if step < QUARTER_STEP:
        values["attention_within_quarter"] = measure.share_within_steps(*weights, QUARTER_STEP, 1)
    return values


def keras(
    float_model: Outputs, float32: Outputs, task: str = "classification", steps: int = 0
) -> list[Check]:
    """The float32 file against the Keras model it came from.

    Args:
        steps: of a window, for models without attention weights, which would tell.
    """
    closeness = task_named(task).closeness(float_model, float32)
    values: Values = {
        "logits_max_relative_error": measure.max_relative_error(float_model.answers, float32.answers),
        **{name: value for name, value in closeness.items() if name == "decision_agreement"},
    }
    limits = keras_limits(float32.steps or steps)
    if float_model.attends or float32.attends:
        values["attention_max_error"] = measure.max_error(*_distributions(float_model, float32))
    else:
        del limits["attention_max_error"]
    return _checks("keras", values, limits, len(float32))


def comparable_contexts(reference: Outputs, tested: Outputs) -> tuple[Array, Array] | None:
    """The context vectors of both; None where one has none, or another shape (a file may go head by head)."""
    if reference.context is None or tested.context is None:
        return None
    if reference.context.shape != tested.context.shape:
        return None
    shape, real = tested.context.shape, tested.real
    if real is not None and len(shape) > 2 and tested.has_queries:  # one a step: of real steps only
        rows = np.broadcast_to(real if len(shape) == 3 else real[:, np.newaxis], shape[:-1])
        return reference.context[rows], tested.context[rows]
    return reference.context, tested.context


def moved(
    reference: Outputs, tested: Outputs, task: str = "classification"
) -> dict[str, float | None]:
    """The figures that split what happened into what training moved and what quantization moved."""
    return _closeness(reference, tested, task_named(task))


def _closeness(reference: Outputs, tested: Outputs, task: Task) -> Values:
    values: Values = {
        **task.closeness(reference, tested),
        "attention_max_error": None,
        "attention_total_variation": None,
        "context_max_error": None,
        "context_relative_rms_error": None,
    }
    if reference.attends or tested.attends:
        weights = _distributions(reference, tested)
        values["attention_max_error"] = measure.max_error(*weights)
        values["attention_total_variation"] = measure.mean_total_variation(*weights)
    if context := comparable_contexts(reference, tested):
        values["context_max_error"] = measure.max_error(*context)
        values["context_relative_rms_error"] = measure.relative_rms_error(*context)
    return values


def _distributions(reference: Outputs, tested: Outputs) -> tuple[Array, Array]:
    """The attention of both as rows."""
    _require_same_rows(reference, tested)
    return reference.distributions, tested.distributions


def _require_same_rows(reference: Outputs, tested: Outputs) -> None:
    """Their attention has to belong to the same windows, heads, queries and steps."""
    if reference.attention_weights.shape != tested.attention_weights.shape:
        raise VerificationError(
            f"The attention weights have the shape {reference.attention_weights.shape} in the reference, "
            f"{tested.attention_weights.shape} in what is compared with it."
        )
    if not _same(reference.real, tested.real):
        raise VerificationError("The two were not run on windows of the same lengths.")


def _same(a: Array | None, b: Array | None) -> bool:
    return (a is None) == (b is None) and (a is None or b is None or bool(np.array_equal(a, b)))


def _checks(reference: str, values: Values, limits: Mapping[str, float], n: int) -> list[Check]:
    """One check per value, and per limit even where nobody measured: in the order of the definitions."""
    named = values.keys() | limits.keys()
    return [
        Check(name, reference, one.relation, values.get(name), limits.get(name), one.unit, n)
        for name, one in DEFINITIONS.items()
        if name in named
    ]
