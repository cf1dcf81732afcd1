"""The default limits. Each is derived here, from number formats, so that it fits any model and any data.

`steps` is T, the number of time steps an attention weight may lie on; `windows` is n, how many were
compared. `attention_step` is s, the quantization step of the attention weights: 1/256 in int8, 1/32768 in
int16, None in float. Limits of attention are per row, that is for one window, head and query. A check that is
not named here is reported without a limit unless the config sets one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from models.errors import InputError
from pipeline.parity.definitions import PROMISE
from pipeline.parity.tasks import task_named

FLOAT_SUM = 2.0**-22
"""A float32 softmax adds up T weights and divides by the sum: T + 4 roundings of up to 2^-24, with T >= 2."""

FINEST_STEP = 1.0 / 32768.0
"""Attention in float has no steps; where they are counted, those of the finest format it could have are."""

INT8_STEP = 1.0 / 256.0
INT16_STEP = 1.0 / 32768.0
"""Of an int8 and of an int16 softmax, by the op's definition."""

QUARTER_STEP = 1.0 / 1024.0
"""A quarter of a step of an int8 softmax: see `training_limits`."""


def limits_of_another_task(tolerances: Mapping[str, float | None], task: str) -> dict[str, str]:
    """Of the limits that are given, those that no measurement of this task could hold: by name, why."""
    own = task_named(task).promise
    return {
        name: f"got {limit:g}; it is not measured of the task {task}, allowed: auto"
        for name, limit in tolerances.items()
        if limit is not None and name in PROMISE and name not in own
    }


def require_limits_of(task: str, tolerances: Mapping[str, float | None]) -> None:
    """Raise an InputError where a limit belongs to another task: it would fail when all is trained."""
    if wrong := limits_of_another_task(tolerances, task):
        raise InputError(
            "A limit belongs to another task:\n"
            + "\n".join(f"  [tolerances] {name}: {why}" for name, why in wrong.items()),
            f"The checks of {task} are {', '.join(task_named(task).promise)}.",
        )


def promise_limits(
    steps: int,
    windows: int,
    attention_step: float | None,
    overrides: Mapping[str, float | None] | None = None,
    task: str = "classification",
    outputs: int = 1,
    weight_error: float = 1.0,
    padded: bool = False,
) -> dict[str, float]:
    """Limits of the int8 file against the original float model; `overrides` (the config's) win.

    Args:
        task: of the model; only its checks have limits, and those that `overrides` name.
        outputs: labels, of a multi-label model.
        weight_error: of the file's LSTM weights, as a share of what int8 does to them: what they may move
            shrinks with it, down to what two float32 implementations differ by (`keras_limits`).
        padded: steps of the windows are masked.

    Raises:
        InputError: a tolerance for a check that does not exist.
    """
    given = {name: limit for name, limit in (overrides or {}).items() if limit is not None}
    if unknown := sorted(set(given) - set(PROMISE)):
        raise InputError(f"Unknown tolerance {unknown[0]!r}. Known: {', '.join(sorted(PROMISE))}.")
    one_window, float32 = 1.0 / max(windows, 1), steps * 2.0**-18
    step = attention_step or 0.0
    limits = {
        # Decisions flip where two classes are nearly tied: 3 windows of 200 may. The stock converter (0.970
        # on a comparable model) does not pass. More exact weights flip fewer, but any may flip one window,
        # which with n < 67 is more than that share.
        "decision_agreement": 1.0 - 0.015 * min(weight_error, 1.0),
        # One point, but never one window alone: with n < 100 a single window is more than a point.
        "accuracy_drop": max(0.01, one_window),
        # The softmax rounds each weight to a multiple of s: by up to s/2, evenly spread, so by s/4 on
        # average. Half the sum over T steps is T s/8: T/2048 in int8, T/262144 in int16, nothing in float.
        # 0.01 on top is all that the LSTM gets.
        "attention_total_variation": max(0.01 * weight_error, float32) + steps * step / 8.0,
        # T roundings of at most s/2 each, all in one direction: T/512 in int8, T/65536 in int16. The int16
        # kernel takes every score 10 below the largest for exp(-10), two of its steps at most: masked ones
        # take that from the sum before they are set to 0, T/16384 in all. int8 leaves them nothing.
        "attention_row_sum_error": steps
        * ((step / 2.0 or FLOAT_SUM) + (2.0 * step if padded and step == INT16_STEP else 0.0)),
        # 13 steps of 1/256, whichever steps the file has: it is the LSTM that moves single weights. Tied
        # state scales reach 0.03, untied ones 0.12, a state that is not reset 0.5.
        "attention_max_error": max(0.05 * weight_error, float32),
        # A single label is a decision like a class.
        "label_agreement": 0.985,
        # Values that move by an RMS of e standard deviations, whatever their error was, add e^2 to the share
        # of the variance that is not explained: 0.1 costs one point of R^2.
        "value_rms_error": 0.1,
        # The largest of 10,000 independent errors lies at 4 standard deviations; 5 leave room for tails.
        "value_max_error": 0.5,
        # One point. By chance the change correlates with the error there was: the cross term 2 e r of an e of
        # 0.1 and an error r of at most 1 has a standard deviation of 0.2 / sqrt(n).
        "r2_drop": max(0.01, 0.2 / math.sqrt(max(windows, 1))),
    }
    if task == "multi-label":  # all of its labels at once, each a decision by itself
        limits["decision_agreement"] **= outputs
    for name in ("decision_agreement", "label_agreement"):  # one window, with all of its labels or steps
        limits[name] = min(limits[name], 1.0 - one_window)
    own = task_named(task).promise
    return {**{name: limit for name, limit in limits.items() if name in own}, **given}


def softmax_steps(steps: int, attention_step: float) -> int:
    """By how many of its steps a weight of an integer softmax over T = `steps` may differ between machines.

    On aarch64 the int8 SOFTMAX adds up a table of exponentials of 16 bits, where others add up floats. An
    entry is off by half of 1/65535, a sum of T of them, of 1 at least, by T/131070 of itself, a weight of at
    most 1, in steps of 1/256, by 256 (T + 1)/131070, about T/512, before it is rounded. Two numbers less than
    k apart are at most k apart when both are rounded, k a whole number: one step up to T = 510. The int16
    SOFTMAX is of integers on every machine; one step is left for an interpreter with another one.
    """
    return 1 + (int(256 * (steps + 1) / (2 * 65535)) if attention_step == INT8_STEP else 0)


def training_limits(attention_step: float | None) -> dict[str, float]:
    """Limits of the int8 file against the forward it was trained with.

    In the LSTM that forward computes the kernel's own integers. The attention block is computed in float and
    rounded where the kernels round, so that a value at the edge of a rounding may land one step beside. Two
    steps mean that something else was trained than runs: a float imitation of all of it, with every rounding,
    has 99.75 % within one step; 1 % is left.

    In int16 and in float the steps of the weights are finer than what one step of a score does to them:
    scores of up to 64 have steps of 64/32767, about 2^-9, and all of them one step beside, up or down, move a
    weight by half of it at most, 2^-10: a quarter of a step of 1/256.
    """
    coarse = attention_step is not None and attention_step > QUARTER_STEP
    return {"attention_within_one_step" if coarse else "attention_within_quarter": 0.99}


def keras_limits(steps: int) -> dict[str, float]:
    """Limits of the float32 file against Keras: two float32 implementations of the same function.

    A gate adds up F + H, about 2^7, products of a size up to 4, each rounded at random by up to 2^-24 of it:
    together about 2^3.5 x 2^2 x 2^-24, twice for two implementations, and the cell state adds it up over T
    steps: T x 2^-18. Measured at T = 29: 5e-7, a two-hundredth of it. The cell clip of 10, left in the file,
    was off by up to 4e-4 at T = 64, a state that is not reset by 0.5: both are seen.
    """
    limit = steps * 2.0**-18
    return {"attention_max_error": limit, "logits_max_relative_error": limit}
