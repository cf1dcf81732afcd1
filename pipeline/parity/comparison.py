"""From two sets of outputs to the checks of one group."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.parity import measurements as measure
from pipeline.parity.definitions import DEFINITIONS, PROMISE
from pipeline.parity.outputs import ATTENTION_STEP, Array, Outputs
from pipeline.parity.tolerances import keras_limits, promise_limits, training_limits
from pipeline.parity.verdict import Check

Values = dict[str, float | None]

_CAN_BE_ABSENT = [name for name in PROMISE if name.startswith("attention_")] + [
    "accuracy_drop",
    "worst_class_recall_drop",
]


def promise(
    float_model: Outputs,
    int8: Outputs,
    labels: Array | None,
    tolerances: Mapping[str, float | None] | None = None,
    weight_error: float = 1.0,
) -> list[Check]:
    """The int8 file against the original float model.

    What cannot be measured (attention that neither has, accuracy without labels) is reported as such and has
    no default limit; a limit that was asked for stays, and fails.

    Args:
        labels: class of each window, [n]; None where nobody knows.
        tolerances: from the config.
        weight_error: of the file's LSTM weights, as a share of what int8 does to them.
    """
    logits = (float_model.logits, int8.logits)
    values = _closeness(float_model, int8)
    if float_model.attends or int8.attends:
        weights = (float_model.attention_weights, int8.attention_weights)
        top1 = measure.attention_top1(*weights)
        values["attention_row_sum_error"] = measure.row_sum_error(int8.attention_weights)
        values["attention_top1_agreement"] = top1.agreement
        values["attention_top1_ties"] = top1.ties
    if labels is not None:
        values["accuracy_drop"] = measure.accuracy_drop(*logits, labels)
        values["worst_class_recall_drop"] = measure.worst_class_recall_drop(*logits, labels)
    given = {name for name, limit in (tolerances or {}).items() if limit is not None}
    limits = promise_limits(int8.attention_weights.shape[1], len(int8), tolerances, weight_error)
    absent = [name for name in _CAN_BE_ABSENT if values.get(name) is None]
    limits = {name: limit for name, limit in limits.items() if name in given or name not in absent}
    return _checks("float_model", {**dict.fromkeys(absent), **values}, limits, len(int8))


def float_forward(forward: Outputs, int8: Outputs) -> list[Check]:
    """The int8 file against the float forward of its own weights: all of it is what quantization moved."""
    return _checks("float_forward", _closeness(forward, int8), {}, len(int8))


def training_forward(twin: Outputs | None, int8: Outputs) -> list[Check]:
    """The int8 file against the fake-quantized forward it was trained with, in quantization steps.

    Args:
        twin: its outputs; None where they are missing, which fails the check that has a limit.
        int8: the outputs of the file, with the scale of its logits where they are to be compared.
    """
    values: Values = {"attention_within_one_step": None}
    if twin is not None:
        weights = (twin.attention_weights, int8.attention_weights)
        values = {
            "attention_within_one_step": measure.share_within_steps(*weights, ATTENTION_STEP, 1),
            "attention_equal": measure.share_within_steps(*weights, ATTENTION_STEP, 0.5),
            "attention_max_steps": measure.max_steps(*weights, ATTENTION_STEP),
        }
        if int8.logits_scale:
            logits = (twin.logits, int8.logits)
            values["logits_within_one_step"] = measure.share_within_steps(*logits, int8.logits_scale, 1)
            values["logits_max_steps"] = measure.max_steps(*logits, int8.logits_scale)
    return _checks("training_forward", values, training_limits(), len(int8))


def keras(float_model: Outputs, float32: Outputs) -> list[Check]:
    """The float32 file against the Keras model it came from."""
    values: Values = {
        "logits_max_relative_error": measure.max_relative_error(float_model.logits, float32.logits),
        "attention_max_error": measure.max_error(float_model.attention_weights, float32.attention_weights),
        "decision_agreement": measure.decision_agreement(float_model.logits, float32.logits),
    }
    return _checks("keras", values, keras_limits(float32.attention_weights.shape[1]), len(float32))


def moved(reference: Outputs, tested: Outputs) -> dict[str, float | None]:
    """The figures that split what happened into what training moved and what quantization moved."""
    return _closeness(reference, tested)


def _closeness(reference: Outputs, tested: Outputs) -> Values:
    logits = (reference.logits, tested.logits)
    values: Values = {
        "decision_agreement": measure.decision_agreement(*logits),
        "max_probability_difference": measure.max_probability_difference(*logits),
        "attention_max_error": None,
        "attention_total_variation": None,
        "context_max_error": None,
        "context_relative_rms_error": None,
    }
    if reference.attends or tested.attends:
        weights = (reference.attention_weights, tested.attention_weights)
        values["attention_max_error"] = measure.max_error(*weights)
        values["attention_total_variation"] = measure.mean_total_variation(*weights)
    if reference.context is not None and tested.context is not None:
        context = (reference.context, tested.context)
        values["context_max_error"] = measure.max_error(*context)
        values["context_relative_rms_error"] = measure.relative_rms_error(*context)
    return values


def _checks(reference: str, values: Values, limits: Mapping[str, float], n: int) -> list[Check]:
    """One check per value, and per limit even where nobody measured: in the order of the definitions."""
    named = values.keys() | limits.keys()
    return [
        Check(name, reference, one.relation, values.get(name), limits.get(name), one.unit, n)
        for name, one in DEFINITIONS.items()
        if name in named
    ]
