"""The fake-quantized twins of the attention layers: one for all of them.

An attention is written in ``Operations``; the twin runs the same lines with
operations that round each result as the integer kernel does, in int8 or int16.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

from models.attention import attention_classes
from models.attention.base import Attention
from models.quantization.operations import QuantizedOperations
from models.quantization.twin import FakeQuantizedLayer

SCORES_HEADROOM = 0.1
"""Share of the scores' span added at either end of their range.

Attention is exponential in the scores: a new window whose best score passes the
largest one seen by 0.4 of a span of 12 loses a fifth of its largest weight to
saturation (0.37 -> 0.30, japanese-vowels), while steps that are a fifth coarser
move that weight by 0.001. So scores get room, and no rule may narrow them.
"""

INT16_HEADROOM = 0.5
"""The same for every int16 quantity: a step is 1/65536 of the span, so that room costs nothing."""


MASKED_BELOW = 12.0
"""How far below every score the masked ones lie: exp(-12) is 6e-6.

In int8 a weight of less than 1/512 is 0; the sum of T of them moves the others by T * 6e-6, less than half
a step up to T = 300. The int16 kernel takes everything 10 below the largest for exp(-10), which its table
holds as at most two steps of 1/32768: the masked ones add to the sum, and the other weights become smaller by
a share of at most T/16384.
"""


class QuantizedAttention(FakeQuantizedLayer):
    """Mixed into an attention layer, makes it compute what its int8 or int16 kernels compute.

    Expects hidden states that are already quantized (scale 1/128); int16 kernels
    read them widened, which is exact. Quantities: the layer's ``observed_roles``, and
    those whose format is known: ``weights`` (the softmax's), ``context`` (a mean of
    hidden states), ``inner`` (tanh), directions of vectors.

    In training the weights are handed out before their last rounding (the context
    is made of the rounded ones all the same): a loss on the attention could learn
    nothing from a fixed rounding, and would follow its noise. In inference they
    are what the file gives.

    Args:
        precision: "int8", "int16" or "float32" (computed in float between int8 neighbours).
        masked: called with a mask: the range of the scores is made so wide that its lower end, where the
            masked ones are put, leaves them no weight.
    """

    def __init__(self, precision: str = "int8", masked: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.precision, self.masked = precision, masked

    def add_weights(self: Any, query_size: int, key_size: int, value_size: int) -> None:
        super().add_weights(query_size, key_size, value_size)
        for role in self.observed_roles:
            headroom = SCORES_HEADROOM if role == "scores" else 0.0
            if self.precision == "int16":
                headroom = INT16_HEADROOM
            below = MASKED_BELOW if role == "scores" and self.masked else 0.0
            self.add_range(role, headroom=headroom, precision=self.precision, below=below)

    def call(
        self: Any,
        inputs: list[tf.Tensor],
        mask: list[tf.Tensor | None] | None = None,
        return_attention_scores: bool | None = None,
        training: bool = False,
    ) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        operations = QuantizedOperations(self, training)
        context, weights = self.attend(operations, *self._four(inputs, mask))
        weights = operations.exact_weights if training else weights
        return self._results(context, weights, return_attention_scores)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "precision": self.precision, "masked": self.masked}


def _twin_class(layer_class: type[Attention]) -> type[QuantizedAttention]:
    """The twin of one attention layer, registered with Keras."""
    name = f"Quantized{layer_class.__name__}"
    about = {"__doc__": f"The fake-quantized twin of ``{layer_class.__name__}``.", "__module__": __name__}
    twin = type(name, (QuantizedAttention, layer_class), about)
    registered: type[QuantizedAttention] = tf_keras.utils.register_keras_serializable("fuselage")(twin)
    return registered


ATTENTION_TWINS = {layer_class: _twin_class(layer_class) for layer_class in attention_classes().values()}
"""Attention layer -> its fake-quantized twin."""
