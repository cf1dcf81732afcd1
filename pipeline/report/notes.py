"""What a reader has to know about the test windows beside the numbers, sentence by sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.data.targets import MANY
from pipeline.parity import comparison
from pipeline.parity.sampling import GOLDEN_LIMIT
from pipeline.parity.verdict import Check
from pipeline.report import collect
from pipeline.report.numbers import step_size


def note_on_contexts(windows: collect.Windows, names: Mapping[str, str]) -> list[str]:
    """Which model's context vectors are missing, or that the two have other shapes."""
    sides = {"float_model": windows.float_model, "int8": windows.int8}
    if not windows.int8.attends or comparison.comparable_contexts(*sides.values()):
        return []
    missing = [names[side] for side, one in sides.items() if one.context is None]
    found_in = " and ".join(missing or [names[side] for side in sides])
    return [f"No context vector that can be compared was found in {found_in}."]


def notes_on_windows(checks: Sequence[Check], windows: collect.Windows, total: int) -> list[str]:
    """What a reader has to know about the windows beside the numbers."""
    used, notes = len(windows.int8), []
    if ties := next(check.value for check in checks if check.name == "attention_top1_ties"):
        rows = len(windows.int8.distributions)
        of = f"{used} windows" if rows == used else f"{rows} rows of attention (a window's heads and queries)"
        step = windows.int8.attention_step
        apart = f"within one quantization step ({step_size(step)}) of each other" if step else "equal"
        notes.append(
            f"In {ties:.0f} of {of} the two attend most to different steps whose weights are {apart}; "
            "these count as agreeing."
        )
    if used < total:
        notes.append(
            f"{used} of {total} test windows were used, a seeded sample"
            f"{' of every class' if windows.view.by_class else ''} (at most {GOLDEN_LIMIT})."
        )
    notes += _notes_on_shares(windows)
    classes = len(windows.class_names)
    if windows.labels is None:
        notes.append("There are no labels: accuracy was not measured.")
    elif absent := sum(not one["n"] for one in collect.recalls(windows)):
        notes.append(f"{absent} of {classes} {MANY[windows.task]} do not occur in the test windows.")
    if not windows.int8.attends:
        notes.append("Neither file has an output of attention weights: attention was not compared.")
    return notes


def _notes_on_shares(windows: collect.Windows) -> list[str]:
    """How much one window or step is of what is counted; of values nothing is."""
    used, decisions, notes = len(windows.int8), len(windows.int8.answers), []
    if used < 100 and windows.task == "per-step" and decisions:
        notes.append(
            f"With {decisions} steps of {used} test windows one step is {100 / decisions:.2g} % of every "
            f"share of steps, a window {100 / used:.1f} % on average."
        )
    elif used < 100 and windows.task != "regression":
        notes.append(f"With {used} test windows one window is {100 / used:.1f} % of every share.")
    if windows.task == "per-step" and windows.labels is not None:
        notes.append(
            f"Intervals of accuracies are those of {used} trials, as many as there are windows: the steps of "
            "one are not independent."
        )
    return notes
