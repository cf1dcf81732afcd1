"""By how much the answers of a model on a device may differ from those on the machine that exported it."""

from __future__ import annotations

from collections.abc import Mapping

from converters import schema
from converters.lstm_op import lstm_nodes
from pipeline.parity.tolerances import keras_limits, softmax_steps
from pipeline.runtime import ATTENTION

HYBRID_LIMIT = 2.0**-7
"""A dynamic-range LSTM rounds its float hidden state to int8 at every step. Where two machines differ in the
last bit, one of them may round up: a step of 1/127 of the largest value, while the outputs are float."""
ANSWER_STEPS = 1
"""Kernels of another processor may round a half the other way: that is the rounding of the answer itself.
What weights do to it that moved by `softmax_steps` is not bounded here; measured, with all of it, is one step
at most (docs/targets.md)."""


def device_limits(content: bytes, steps: int, scales: Mapping[str, float]) -> dict[str, float]:
    """The limits of each output, the same for the self-test of a folder and for the app.

    Args:
        steps: T, of a window.
        scales: the quantization step of each output; 0.0 where it is float all through.

    Returns:
        By output, in its quantization steps where it has them, else as a share of the value (of 1, where that
        is smaller).
    """
    return {name: _limit(content, steps, name, scale) for name, scale in scales.items()}


def _limit(content: bytes, steps: int, name: str, scale: float) -> float:
    if scale:
        return float(softmax_steps(steps, scale) if name == ATTENTION else ANSWER_STEPS)
    hybrid = any(node.kind == "hybrid" for node in lstm_nodes(schema.read_model(content)))
    return HYBRID_LIMIT if hybrid else keras_limits(steps)["logits_max_relative_error"]
