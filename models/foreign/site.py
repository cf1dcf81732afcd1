"""The place where one layer of the original is rebuilt: its configuration, its weights, what to put there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import tf_keras
from numpy.typing import NDArray

from models.foreign.lstm import Mended

Tensor = Any
Weights = list[NDArray[np.float32]]

ENDS = ("softmax", "sigmoid")
"""Last steps of an answer that whoever reads a file of ours takes by itself."""


@dataclass
class Record:
    """What the rebuilding of a whole model leaves behind beside its tensors.

    Attributes:
        mended: in the order of the layers.
        lstms: names of the new LSTM layers.
        ends: by ``id`` of a tensor that is the softmax (over the last axis) or sigmoid of another: which, and
            the other one.
    """

    mended: list[Mended] = field(default_factory=list)
    lstms: list[str] = field(default_factory=list)
    ends: dict[int, tuple[str, Tensor]] = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """Where a layer of the original is rebuilt.

    Args:
        name: for the new layer, unique in the new model.
        config: of the layer.
        weights: of the layer, in its own order.
        record: of the whole model.
    """

    name: str
    config: Mapping[str, Any]
    weights: Weights
    record: Record

    def put(
        self, layer: tf_keras.layers.Layer, *args: Any, weights: Sequence[Any] = (), **kwargs: Any
    ) -> Tensor:
        """Call a new layer and give it its weights."""
        outputs = layer(*args, **kwargs)
        if len(weights):
            layer.set_weights(list(weights))
        return outputs

    def inner(self, name: str, config: Mapping[str, Any], weights: Weights) -> Site:
        """Of a layer inside this one."""
        return replace(self, name=name, config=config, weights=weights)

    def mend(self, what: str, how: str) -> None:
        """Note a change that changes no answer."""
        self.record.mended.append(Mended(self.name, what, how))

    def end(self, kind: str, after: Tensor, before: Tensor) -> None:
        """Note that a tensor is the softmax or sigmoid of another."""
        if kind in ENDS:
            self.record.ends[id(after)] = (kind, before)
