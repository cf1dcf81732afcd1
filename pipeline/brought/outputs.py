"""Outputs of the fusable model: the answer under its task's name, attention, and what else is checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.config import output_name
from models.errors import InputError
from pipeline.brought.original import Answer
from pipeline.data.preprocessing import Preprocessing
from pipeline.parity.files import MAX_ATTENTION_AXES

if TYPE_CHECKING:
    import tf_keras

    from models.foreign.rebuild import Rebuilt

ATTENTION = "attention_weights"
PROBES = 64
"""Windows on which it shows what is a distribution."""

SUMS = 1e-3
"""How far from 1 the weights of a distribution may add up, in float32."""


@dataclass(frozen=True)
class Fusable:
    """The model that is quantized.

    Attributes:
        model: with a dictionary of outputs, of which `logits` or `values` is the first.
        attention: what `attention_weights` is in the original, None where there is none.
        checked: further outputs by name, and what they are in the original.
    """

    model: tf_keras.Model
    attention: str | None
    checked: dict[str, str]


def fusable(
    rebuilt: Rebuilt,
    answer: Answer,
    check: Sequence[str],
    windows: NDArray[np.float32],
    task: str,
    rule: Preprocessing | None = None,
) -> Fusable:
    """Choose the outputs.

    The first checked one that is a distribution over the time steps becomes `attention_weights`.

    Args:
        check: names of layers (`Rebuilt.tensors`).
        windows: [n, steps, features], on which it shows what is a distribution.
        task: of the answer.
        rule: has the constants of a regression's targets, in whose deviations files of ours answer.

    Raises:
        InputError: there is no layer of a name to be checked, or its values are no numbers for every window.
    """
    import tf_keras

    named = {name: _named(rebuilt, name) for name in check}
    for name, tensor in rebuilt.outputs.items():
        if name != answer.name:  # outputs of the original stay outputs
            named.setdefault(name, tensor)
    steps = windows.shape[1]
    values: Mapping[str, NDArray[np.float32]] = {}
    if named:
        probe = tf_keras.Model(rebuilt.input, named)
        values = probe.predict(windows[:PROBES], verbose=0)
    final = answer.tensor if rule is None or task != "regression" else _in_deviations(answer.tensor, rule)
    outputs = {output_name(task): final}
    attention, checked = None, {}
    for name, tensor in named.items():
        if attention is None and is_attention(values[name], steps):
            attention = name
            outputs[ATTENTION] = _row(tensor, steps)
            continue
        safe = _safe(name, outputs)
        checked[safe] = name
        outputs[safe] = tensor
    return Fusable(tf_keras.Model(rebuilt.input, outputs, name="brought"), attention, checked)


def is_attention(values: NDArray[np.float32], steps: int) -> bool:
    """Whether the rows of [n, (heads,) (queries,) T], or of [n, T, 1], are distributions over T steps."""
    if values.shape[1:] == (steps, 1):
        values = values[..., 0]
    if not 2 <= values.ndim <= 1 + MAX_ATTENTION_AXES or values.shape[-1] != steps:
        return False
    return bool(values.min() >= 0 and np.abs(values.sum(axis=-1) - 1).max() <= SUMS)


def _named(rebuilt: Rebuilt, name: str) -> Any:
    tensor = rebuilt.tensors.get(name)
    if tensor is None:
        known = ", ".join(rebuilt.tensors)
        raise InputError(f"--check-output: the model has no layer '{name}'. It has: {known}.")
    if not tensor.dtype.is_floating or len(tensor.shape) < 2:
        raise InputError(f"--check-output {name} is {tensor.dtype.name} {list(tensor.shape)}, no values.")
    return tensor


def _row(tensor: Any, steps: int) -> Any:
    import tf_keras

    if tuple(tensor.shape[1:]) != (steps, 1):
        return tensor
    return tf_keras.layers.Reshape((steps,), name="attention_row")(tensor)


def _in_deviations(tensor: Any, rule: Preprocessing) -> Any:
    """Values in standard deviations of the training targets.

    A linear layer that is nothing but the answer takes it into its weights, which costs no op.
    """
    import tf_keras

    mean, std = np.array(rule.target_mean, np.float32), np.array(rule.target_std, np.float32)
    layer = tensor.node.layer
    if not isinstance(layer, tf_keras.layers.Dense):
        return tf_keras.layers.Rescaling(1 / std, -mean / std, name="in_deviations")(tensor)
    kernel, bias = layer.get_weights()
    scaled = tf_keras.layers.Dense(layer.units, name=f"{layer.name}_in_deviations")
    result = scaled(tensor.node.keras_inputs[0])
    scaled.set_weights([kernel / std, (bias - mean) / std])
    return result


def _safe(name: str, taken: Mapping[str, Any]) -> str:
    """A name for a signature: letters, digits and underscores, and no other output's."""
    safe = re.sub(r"\W+", "_", name).strip("_") or "output"
    return safe if safe not in taken else f"checked_{safe}"
