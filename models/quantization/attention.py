"""The fake-quantized twins of the attention layers: one for all of them.

An attention is written in ``Operations``; the twin runs the same lines with
operations that round each result as the integer kernel does, in int8 or int16.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tf_keras

from models.attention import attention_classes
from models.attention.base import Attention
from models.attention.operations import Operations
from models.quantization.fake_quant import (
    affine_parameters,
    fake_quantize_bias,
    fake_quantize_weight,
    symmetric_scale,
    weight_scale,
)
from models.quantization.int16_ops import (
    add_int16,
    integers,
    requantize,
    requantize_int32,
    tanh_int16,
)
from models.quantization.number_formats import (
    HIDDEN_RANGE,
    HIDDEN_RANGE_16,
    SOFTMAX_RANGE,
    SOFTMAX_RANGE_16,
    Range,
    affine_format,
    int16_scale,
)
from models.quantization.softmax import softmax_int16
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
a step up to T = 300. The int16 kernel takes everything 10 below the largest for exp(-10), which adds 1/32768
of the largest weight's power to the sum for each masked step: the other weights become smaller by at most a
share of T/32768.
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

    def add_weights(self: Any, query_size: int, key_size: int) -> None:
        super().add_weights(query_size, key_size)  # type: ignore[misc]
        for role in self.observed_roles:
            headroom = SCORES_HEADROOM if role == "scores" else 0.0
            if self.precision == "int16":
                headroom = INT16_HEADROOM
            below = MASKED_BELOW if role == "scores" and self.masked else 0.0
            self.add_range(role, headroom=headroom, precision=self.precision, below=below)

    def call(  # type: ignore[override]
        self: Any,
        query: tf.Tensor | list[tf.Tensor],
        value: tf.Tensor | None = None,
        key: tf.Tensor | None = None,
        mask: tf.Tensor | list[tf.Tensor | None] | None = None,
        return_attention_scores: bool | None = None,
        training: bool = False,
    ) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        query, value, key, mask = self._four(query, value, key, mask)
        operations = QuantizedOperations(self, training)
        context, weights = self.attend(operations, query, value, key, mask)
        weights = operations.exact_weights if training else weights
        return self._results(context, weights, return_attention_scores)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "precision": self.precision, "masked": self.masked}


class QuantizedOperations(Operations):
    """Each operation as its integer kernel rounds it, its quantities those of a twin.

    int16 kernels are computed to the last bit, TANH to one step; int8 results are float32 sums of
    integers, rounded once, which is what the kernels come to but for the edge of a rounding.
    """

    def __init__(self, layer: QuantizedAttention, training: bool) -> None:
        self._layer = layer
        self._training = training
        self._precision = layer.precision
        self.exact_weights: tf.Tensor | None = None

    @property
    def _in_int16(self) -> bool:
        return bool(self._precision == "int16" and self._layer.fake_quantization)

    def dense(
        self, role: str, x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None = None, of: str = "hidden"
    ) -> tf.Tensor:
        """Weights are int8 per output channel in both precisions, the bias has the scale of the sums."""
        if not self._layer.fake_quantization or self._precision == "float32":
            return self._observed(role, super().dense(role, x, kernel, bias))
        scale, x_scale = weight_scale(kernel, axis=[0]), self._scale(of)
        rounded = fake_quantize_weight(kernel, axis=[0])
        if bias is not None:
            bias = fake_quantize_bias(bias, x_scale, scale[0])
        exact = super().dense(role, x, rounded, bias)
        if not self._in_int16:
            return self._observed(role, exact)
        sums = tf.matmul(integers(x, x_scale), integers(rounded, scale))
        if bias is not None:
            sums += integers(bias, x_scale * scale[0])
        return self._requantized(role, exact, sums, _product(x_scale, scale[0]), requantize_int32)

    def compare(self, role: str, queries: tf.Tensor, keys: tf.Tensor, of: tuple[str, str]) -> tf.Tensor:
        exact = super().compare(role, queries, keys, of)
        if not self._in_int16:
            return self._observed(role, exact)
        scales = [self._scale(one) for one in of]
        sums = tf.matmul(integers(queries, scales[0]), integers(keys, scales[1]), transpose_b=True)
        return self._requantized(role, exact, sums, _product(*scales), requantize)

    def mean(self, role: str, weights: tf.Tensor, values: tf.Tensor, of: str = "hidden") -> tf.Tensor:
        exact = super().mean(role, weights, values)
        if of == "hidden":
            rounded = self._known(role, exact, HIDDEN_RANGE, HIDDEN_RANGE_16)
        else:
            rounded = self._layer.shared(role, exact, of)
        if not self._in_int16:
            return rounded
        scale = self._scale(of)
        sums = tf.matmul(integers(weights, 2.0**-15), integers(values, scale))
        return requantize(exact, sums, tf.constant(2.0**-15, tf.float64), scale)

    def add(self, role: str, a: tf.Tensor, b: tf.Tensor, of: tuple[str, str]) -> tf.Tensor:
        rounded = self._observed(role, super().add(role, a, b, of))
        if not self._in_int16:
            return rounded
        return add_int16(a, self._scale(of[0]), b, self._scale(of[1]), self._scale(role))

    def tanh(self, role: str, x: tf.Tensor, of: str) -> tf.Tensor:
        rounded = self._known(role, super().tanh(role, x, of), HIDDEN_RANGE, HIDDEN_RANGE_16)
        return tanh_int16(x, self._scale(of)) if self._in_int16 else rounded

    def normalize(self, role: str, x: tf.Tensor) -> tf.Tensor:
        """L2_NORMALIZATION has no int16 kernel: int8 in both precisions."""
        return self._known(role, super().normalize(role, x), HIDDEN_RANGE, None)

    def scale(self, role: str, x: tf.Tensor, factor: float, of: str) -> tf.Tensor:
        """int8 like what it scales; the factor goes into the scale, and nothing is rounded."""
        known = self._layer.known_range(of)
        scaled = Range(known.minimum * factor, known.maximum * factor)
        return self._known(role, super().scale(role, x, factor, of), scaled, None)

    def softmax(self, role: str, scores: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        weights = super().softmax(role, scores, mask)
        if mask is not None:
            self.exact_weights = tf.where(mask, self.exact_weights, 0.0)
        return weights

    def _weights(self, role: str, scores: tf.Tensor) -> tf.Tensor:
        self.exact_weights = super()._weights(role, scores)
        rounded = self._known(role, self.exact_weights, SOFTMAX_RANGE, SOFTMAX_RANGE_16)
        return softmax_int16(scores, self._scale("scores")) if self._in_int16 else rounded

    def _lowest(self) -> float | tf.Tensor:
        """The lower end of the scores' range, which is what a constant below it is stored as."""
        rounds = self._layer.fake_quantization and self._precision != "float32"
        return self._layer.bounds("scores")[0] if rounds else super()._lowest()

    def _observed(self, role: str, x: tf.Tensor) -> tf.Tensor:
        return self._layer.activation(role, x, self._training)

    def _requantized(
        self,
        role: str,
        exact: tf.Tensor,
        sums: tf.Tensor,
        product: tf.Tensor,
        rule: Callable[[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor],
    ) -> tf.Tensor:
        """An observed int16 quantity from the kernel's sums, whose scale is ``product``."""
        self._observed(role, exact)
        scale = self._scale(role)
        return rule(exact, sums, product / tf.cast(scale, tf.float64), scale)

    def _known(self, role: str, x: tf.Tensor, in_int8: Range, in_int16: Range | None) -> tf.Tensor:
        """Round to a format known by construction; ``in_int16`` None: there is no int16 kernel."""
        if self._precision == "int16" and in_int16 is not None:
            return self._layer.known(role, x, in_int16, "int16")
        return self._layer.known(role, x, in_int8, "float32" if self._precision == "float32" else "int8")

    def _scale(self, of: str) -> tf.Tensor:
        """The scale of a quantity; for int16 kernels that of its widened form, where it is int8."""
        if of in self._layer.observed_roles:
            bounds = self._layer.bounds(of)
            return symmetric_scale(*bounds) if self._precision == "int16" else affine_parameters(*bounds)[0]
        known = HIDDEN_RANGE if of == "hidden" else self._layer.known_range(of)
        if of != "hidden" and self._layer.precision_of(of) == "int16":
            return tf.constant(int16_scale(known))
        scale = affine_format(known).scale
        return tf.constant(scale / 256 if self._precision == "int16" else scale)


def _product(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of two scales, as the kernels take it: in float64."""
    return tf.cast(a, tf.float64) * tf.cast(b, tf.float64)


def _twin_class(layer_class: type[Attention]) -> type[QuantizedAttention]:
    """The twin of one attention layer, registered with Keras."""
    name = f"Quantized{layer_class.__name__}"
    about = {"__doc__": f"The fake-quantized twin of ``{layer_class.__name__}``.", "__module__": __name__}
    twin = type(name, (QuantizedAttention, layer_class), about)
    registered: type[QuantizedAttention] = tf_keras.utils.register_keras_serializable("fuselage")(twin)
    return registered


ATTENTION_TWINS = {layer_class: _twin_class(layer_class) for layer_class in attention_classes().values()}
"""Attention layer -> its fake-quantized twin."""
