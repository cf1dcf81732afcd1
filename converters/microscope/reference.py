"""Which float LSTM an int8 LSTM was made from: found in the float file by shape and weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from converters import schema
from converters.lstm_op import GATES, LstmNode, lstm_nodes
from converters.lstm_reader import read_constant
from converters.microscope.simulation import FloatWeights, SwitchableLstm
from models.errors import InputError

UNRELATED = 0.5
"""Relative distance of the weights, RMS, from which two LSTMs have nothing to do with each other.

Rounding to int8 makes about 0.01, quantization-aware training a few times that; the weights of two separate
trainings are about sqrt(2) apart.
"""


OTHER = "Give --reference the float file it was made from, or the model itself, to take its own weights."
"""What to try where a reference does not fit."""


@dataclass(frozen=True)
class Moved:
    """How far an int8 LSTM's weights are from the reference's, W and R together.

    Attributes:
        median_steps: median |distance| in steps of the int8 weights. Rounding alone gives 1/4.
        beyond_rounding: share that is further away than rounding goes, half a step.
    """

    median_steps: float
    beyond_rounding: float


def float_lstms(model: schema.ModelT, called: str) -> list[FloatWeights]:
    """The weights of a float file's fused LSTMs, in the order of ``lstm_nodes``.

    Raises:
        InputError: it has none, or one that is not float.
    """
    nodes = lstm_nodes(model)
    kinds = {node.kind for node in nodes}
    if kinds != {"float32"}:
        got = f"has LSTMs of kind {', '.join(sorted(kinds))}" if kinds else "has no fused LSTM"
        raise InputError(f"{called} {got}; a reference is a float32 file with fused LSTMs.", OTHER)
    return [_weights(model, node, called) for node in nodes]


def _weights(model: schema.ModelT, node: LstmNode, called: str) -> FloatWeights:
    parts = []
    for tensors in (node.input_weights, node.recurrent_weights, node.biases):
        if missing := [gate for gate in GATES if gate not in tensors]:
            raise InputError(f"{called} has an LSTM without the gate(s) {', '.join(missing)}.")
        gates = [read_constant(model, tensors[gate], np.float32).astype(np.float64) for gate in GATES]
        if len({gate.shape for gate in gates}) > 1:
            raise InputError(f"{called} is damaged: the gates of an LSTM differ in shape.")
        parts.append(np.concatenate(gates))
    if not all(np.isfinite(part).all() for part in parts):
        raise InputError(f"{called} has weights that are not finite.")
    return FloatWeights(*parts)


def match(lstm: SwitchableLstm, candidates: list[FloatWeights], taken: set[int], called: str) -> int:
    """The index of the candidate with the nearest weights, of those with the right shape not yet taken.

    Raises:
        InputError: there is none, or even the nearest is unrelated.
    """
    ours = dequantized(lstm)
    distances = {
        index: _distance(ours, one)
        for index, one in enumerate(candidates)
        if index not in taken
        and (one.input.shape, one.recurrent.shape) == (ours.input.shape, ours.recurrent.shape)
    }
    units, features = lstm.integer.units, lstm.integer.features
    if not distances:
        raise InputError(
            f"{called} has no LSTM of {units} units and {features} features left to compare with.",
            OTHER,
        )
    nearest = min(distances, key=distances.__getitem__)
    if distances[nearest] > UNRELATED:
        raise InputError(
            f"The weights of {called} differ from the file's by {distances[nearest]:.0%} (RMS): it is not "
            "the float version of this model.",
            OTHER,
        )
    return nearest


def dequantized(lstm: SwitchableLstm) -> FloatWeights:
    """An int8 LSTM's own weights in real numbers."""
    w, r, b = lstm.integers()
    w_scale, r_scale = (
        np.repeat(scales, lstm.integer.units)[:, np.newaxis]
        for scales in (lstm.input_weight_scales, lstm.recurrent_weight_scales)
    )
    return FloatWeights(w * w_scale, r * r_scale, b * w_scale[:, 0] * lstm.integer.input_format.scale)


def moved(lstm: SwitchableLstm, reference: FloatWeights) -> Moved:
    """How far the weights went."""
    ours, units = dequantized(lstm), lstm.integer.units
    steps = np.concatenate(
        [
            (np.abs(mine - theirs) / np.repeat(scales, units)[:, np.newaxis]).ravel()
            for mine, theirs, scales in (
                (ours.input, reference.input, lstm.input_weight_scales),
                (ours.recurrent, reference.recurrent, lstm.recurrent_weight_scales),
            )
        ]
    )
    # A hundredth of a step more, for halves that float32 rounds the other way.
    return Moved(float(np.median(steps)), float((steps > 0.51).mean()))


def _distance(one: FloatWeights, other: FloatWeights) -> float:
    parts = [(one.input, other.input), (one.recurrent, other.recurrent)]
    apart = sum(float(((a - b) ** 2).sum()) for a, b in parts)
    size = sum(float((b**2).sum()) for _, b in parts)
    return float(np.sqrt(apart / size)) if size > 0 else (0.0 if apart == 0 else float("inf"))
