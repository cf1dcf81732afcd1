"""Rules about recurrences that are not the fused op, and about what TFLite alone cannot run."""

from __future__ import annotations

from collections.abc import Iterator

from converters import schema
from converters.findings.finding import Evidence, Finding, error, info, rule, warning
from converters.fusion import NOT_RECURRENT, find_unfused


@rule("lstm-not-fused")
def not_fused(evidence: Evidence) -> Iterator[Finding]:
    """A recurrence that runs step by step as single ops.

    Unrolled steps without the name of a Keras cell are a guess: a gated activation looks the same.
    """
    for one in find_unfused(evidence.model):
        if one.reason == NOT_RECURRENT:
            continue
        who = f"The recurrent layer '{one.layer}'" if one.layer else "A recurrent layer"
        guessed = one.form == "unrolled" and not one.layer
        if one.form == "unrolled":
            what = f"{'seems to be' if guessed else 'is'} unrolled into single ops, a set for each time step"
        else:
            what = f"runs as {one.form}, not as one fused LSTM; its int8 calibration can crash the converter"
        message = f"{who} {what}. Likely cause: {one.reason}."
        yield (warning if guessed else error)(one.layer, message, one.remedy)


@rule("while-loop")
def while_loop(evidence: Evidence) -> Iterator[Finding]:
    """A loop that is no recurrent layer."""
    for one in find_unfused(evidence.model):
        if one.reason == NOT_RECURRENT:
            yield warning(
                one.layer,
                "The model has a WHILE loop that does not look like a recurrent layer. No delegate takes it, "
                "and calibrating such a model can crash the converter.",
                one.remedy,
            )


@rule("custom-op")
def custom_op(evidence: Evidence) -> Iterator[Finding]:
    """Flex and other custom ops: a plain runtime refuses the file."""
    model = evidence.model
    names = {
        schema.operator_name(model, operator)
        for graph in model.subgraphs
        for operator in schema.operators(model, graph)
        if schema.is_custom(model, operator)
    }
    for name in sorted(names):
        if name.startswith("Flex"):
            yield error(
                "",
                f"{name} is TensorFlow's own op (Flex). Only a runtime with the Flex delegate, which is most "
                "of TensorFlow, runs the file.",
                "Convert with TFLITE_BUILTINS only: the converter's error then names the layer.",
            )
        else:
            yield error(
                "",
                f"{name} is a custom op: only a runtime that brings this kernel runs the file.",
                "Register the kernel in every runtime, or build the model from TFLite's own ops.",
            )


@rule("no-lstm")
def no_lstm(evidence: Evidence) -> Iterator[Finding]:
    """Said so that silence about LSTMs is not taken for praise."""
    if not evidence.lstms and not find_unfused(evidence.model):
        yield info("", "There is no LSTM, fused or not; the rules about LSTMs had nothing to look at.")
