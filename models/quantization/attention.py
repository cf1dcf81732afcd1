"""The fake-quantized twin of ``ScaledDotProductAttention``."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf
import tf_keras

from models.attention.dot_product import attention_context, attention_scores
from models.quantization.fake_quant import (
    fake_quantize_bias,
    fake_quantize_known,
    fake_quantize_weight,
    weight_scale,
)
from models.quantization.number_formats import HIDDEN_RANGE, SOFTMAX_RANGE, Range, affine_format
from models.quantization.twin import FakeQuantizedLayer

SCORES_HEADROOM = 0.1
"""Share of the scores' span added at either end of their range.

Attention is exponential in the scores: a new window whose best score passes the
largest one seen by 0.4 of a span of 12 loses a fifth of its largest weight to
saturation (0.37 -> 0.30, japanese-vowels), while steps that are a fifth coarser
move that weight by 0.001. So scores get room, and no rule may narrow them.
"""


@tf_keras.utils.register_keras_serializable(package="fuselage")
class QuantizedScaledDotProductAttention(FakeQuantizedLayer):
    """Attention whose query, scores, weights and context are rounded as the int8 kernels round them.

    Expects hidden states that are already quantized (scale 1/128). Quantities:
    ``query`` and ``scores`` (observed), ``weights`` (the softmax's fixed 1/256)
    and ``context`` (a mean of hidden states: their format). The projection's
    weights are per channel, as in FULLY_CONNECTED.

    In training the weights are handed out before their last rounding (the context
    is made of the rounded ones all the same): a loss on the attention could learn
    nothing from a fixed rounding, and would follow its noise. In inference they
    are what the int8 file gives.
    """

    def build(self, input_shape: list[Any]) -> None:
        units = int(input_shape[1][-1])
        state_units = int(input_shape[0][-1])
        self.kernel = self.add_weight(name="kernel", shape=(state_units, units), initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(units,), initializer="zeros")
        self.query_scale = 1.0 / math.sqrt(units)
        self.add_range("query")
        self.add_range("scores", headroom=SCORES_HEADROOM)
        super().build(input_shape)

    def call(self, inputs: list[tf.Tensor], training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        state, hidden = inputs
        kernel, bias = self.kernel, self.bias
        if self.fake_quantization:
            kernel = fake_quantize_weight(self.kernel, axis=[0])
            hidden_scale = affine_format(HIDDEN_RANGE).scale
            bias = fake_quantize_bias(bias, hidden_scale, weight_scale(self.kernel, axis=[0])[0])
        query = (tf.matmul(state, kernel) + bias) * self.query_scale  # [batch, units]
        query = self.activation("query", query, training)
        scores = self.activation("scores", attention_scores(query, hidden), training)  # [batch, 1, time]
        exact = tf.nn.softmax(scores)
        weights = self._known("weights", exact, SOFTMAX_RANGE)
        context = self._known(
            "context", attention_context(weights, hidden), HIDDEN_RANGE
        )  # [batch, 1, units]
        return tf.squeeze(context, axis=1), tf.squeeze(exact if training else weights, axis=1)

    def _known(self, name: str, x: tf.Tensor, known: Range) -> tf.Tensor:
        self.record(name, x)
        return fake_quantize_known(x, known) if self.fake_quantization else x

    def ranges(self) -> dict[str, Range]:
        return {**super().ranges(), "weights": SOFTMAX_RANGE, "context": HIDDEN_RANGE}

    def compute_output_shape(self, input_shape: list[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        batch, steps, units = tuple(input_shape[1])
        return (batch, units), (batch, steps)
