"""Every check by name: which way is better, in what unit, and what it means in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Relation = Literal["<=", ">="]

# What an int8 file is compared with (`float32`: the float file instead), in the order reports show them.
REFERENCES = {
    "float_model": "The promise: int8 file against the original float model",
    "float_forward": "What quantization moved: int8 file against the float forward of its own weights",
    "training_forward": "Is what runs what was trained? int8 file against the fake-quantized forward",
    "keras": "Is the float file Keras? float32 file against the original float model",
}


@dataclass(frozen=True)
class Definition:
    """What a check of this name compares.

    `promised`: it belongs to the promise, so that `[tolerances]` of a config may set its limit.
    """

    name: str
    relation: Relation
    unit: str
    meaning: str
    promised: bool = False


def _promised(name: str, relation: Relation, unit: str, meaning: str) -> Definition:
    return Definition(name, relation, unit, meaning, promised=True)


_ALL = (
    _promised("decision_agreement", ">=", "share", "Windows for which both decide for the same class."),
    _promised("label_agreement", ">=", "share", "Single labels that both give, or both do not give."),
    _promised(
        "max_probability_difference",
        "<=",
        "probability",
        "Largest change of a class probability in any window.",
    ),
    _promised(
        "value_max_error", "<=", "std", "Largest change of a value, in standard deviations of its target."
    ),
    _promised("value_rms_error", "<=", "std", "RMS change of the values, in standard deviations."),
    _promised("attention_max_error", "<=", "weight", "Largest change of any single attention weight."),
    _promised(
        "attention_total_variation", "<=", "share", "Attention that lies elsewhere, mean over windows."
    ),
    _promised(
        "attention_row_sum_error",
        "<=",
        "weight",
        "Distance of the weights of a window from adding up to 1, in the tested file.",
    ),
    _promised(
        "attention_top1_agreement",
        ">=",
        "share",
        "Windows whose most attended step is the same; ties within one quantization step agree.",
    ),
    _promised("attention_top1_ties", "<=", "windows", "Windows that agree on that step only by such a tie."),
    _promised(
        "context_max_error", "<=", "activation", "Largest change of an element of the context vector."
    ),
    _promised(
        "context_relative_rms_error", "<=", "relative", "RMS change of the context vectors over their RMS."
    ),
    _promised("accuracy_drop", "<=", "share", "Test accuracy of the reference minus the tested file's."),
    _promised("worst_class_recall_drop", "<=", "share", "The largest loss of recall of any single class."),
    _promised("macro_f1_drop", "<=", "share", "Mean F1 over the labels, reference minus tested file."),
    _promised(
        "r2_drop", "<=", "share", "Share of the targets' variance explained, reference minus tested file."
    ),
    Definition(
        "outputs_different", "<=", "numbers", "Numbers of all outputs that are not the same to the last bit."
    ),
    Definition(
        "answers_unexplained",
        "<=",
        "numbers",
        "Numbers of answers that differ where every attention weight of the window is the same.",
    ),
    Definition(
        "attention_within_one_step",
        ">=",
        "share",
        "Attention weights at most one of their quantization steps apart.",
    ),
    Definition(
        "attention_within_quarter",
        ">=",
        "share",
        "Attention weights at most 1/1024, a quarter of an int8 step, apart.",
    ),
    Definition(
        "attention_equal", ">=", "share", "Attention weights that are the same quantized number."
    ),
    Definition(
        "attention_max_steps", "<=", "steps", "Largest difference of a weight, in quantization steps."
    ),
    Definition(
        "logits_within_one_step", ">=", "share", "Logits at most one of their quantization steps apart."
    ),
    Definition("logits_equal", ">=", "share", "Logits that are the same int8 number."),
    Definition("logits_max_steps", "<=", "steps", "Largest difference of a logit, in quantization steps."),
    Definition(
        "logits_max_relative_error", "<=", "relative", "Largest change of a logit over the largest one."
    ),
)

ROW_MEANINGS = {
    "attention_total_variation": "Attention that lies elsewhere, mean over heads, queries and windows.",
    "attention_row_sum_error": "Distance of the weights of a row from adding up to 1, in the tested file.",
    "attention_top1_agreement": (
        "Rows of attention whose most attended step is the same; ties within one quantization step agree."
    ),
    "attention_top1_ties": "Rows of attention that agree on that step only by such a tie.",
}
"""What these mean where a window has several heads or queries, and so several rows of attention."""

DEFINITIONS = {definition.name: definition for definition in _ALL}  # fmt: skip
PROMISE = tuple(one.name for one in _ALL if one.promised)
