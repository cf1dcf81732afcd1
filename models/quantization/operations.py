"""The operations of attention, each rounded as its integer kernel rounds it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from models.attention.operations import Operations
from models.quantization.fake_quant import (
    affine_parameters,
    fake_quantize_bias,
    fake_quantize_weight,
    symmetric_scale,
    weight_scale,
)
from models.quantization.int8_ops import batch_matmul_int8
from models.quantization.int16_ops import (
    add_int16,
    batch_matmul_int16,
    fully_connected_int16,
    integers,
    tanh_int16,
)
from models.quantization.number_formats import (
    HIDDEN_RANGE,
    HIDDEN_RANGE_16,
    INT8_MIN,
    INT16_MIN,
    SOFTMAX_RANGE,
    SOFTMAX_RANGE_16,
    Range,
    affine_format,
    int16_scale,
)
from models.quantization.softmax import softmax_int16


class QuantizedOperations(Operations):
    """Each operation as its integer kernel rounds it, its quantities those of a twin.

    int16 kernels are computed to the last bit (``int16_ops``, ``softmax``); int8 results are float32 sums of
    integers, rounded once, which is what the kernels come to but for the edge of a rounding.

    Args:
        layer: a ``QuantizedAttention``, whose quantities they observe and round.
        training: whether ranges grow.
    """

    def __init__(self, layer: Any, training: bool) -> None:
        self._layer = layer
        self._training = training
        self._precision = layer.precision
        self.exact_weights: tf.Tensor | None = None

    @property
    def _in_int16(self) -> bool:
        return bool(self._precision == "int16" and self._layer.fake_quantization)

    def _has_heads_in_int8(self, product: tf.Tensor) -> bool:
        """Four axes, which XNNPACK leaves to the kernel that rounds twice."""
        in_int8 = self._precision == "int8" and self._layer.fake_quantization
        return bool(in_int8 and len(product.shape) == 4)

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
        factor, out_scale = self._int16_output(role, exact, x_scale, scale[0])
        return fully_connected_int16(exact, sums, factor, out_scale)

    def compare(self, role: str, queries: tf.Tensor, keys: tf.Tensor, of: tuple[str, str]) -> tf.Tensor:
        exact = super().compare(role, queries, keys, of)
        with_heads = self._has_heads_in_int8(exact)
        if not (with_heads or self._in_int16):
            return self._observed(role, exact)
        scales = [self._scale(one) for one in of]
        sums = tf.matmul(integers(queries, scales[0]), integers(keys, scales[1]), transpose_b=True)
        if with_heads:
            self._observed(role, exact)
            return batch_matmul_int8(exact, sums, *scales, *self._layer.bounds(role))
        return batch_matmul_int16(exact, sums, *self._int16_output(role, exact, *scales))

    def mean(self, role: str, weights: tf.Tensor, values: tf.Tensor, of: str = "hidden") -> tf.Tensor:
        exact = super().mean(role, weights, values)
        if of == "hidden":
            rounded = self._known(role, exact, HIDDEN_RANGE, HIDDEN_RANGE_16)
        else:
            rounded = self._layer.shared(role, exact, of)
        with_heads = self._has_heads_in_int8(exact) and of != "hidden"
        if not (with_heads or self._in_int16):
            return rounded
        scale, of_weights = self._scale(of), 2.0**-8 if with_heads else 2.0**-15
        sums = tf.matmul(integers(weights, of_weights), integers(values, scale))
        if with_heads:
            return batch_matmul_int8(exact, sums, tf.constant(of_weights), scale, *self._layer.bounds(of))
        return batch_matmul_int16(exact, sums, tf.constant(of_weights, tf.float64), scale)

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
        """The lowest score that the format holds, as which a constant below it is stored."""
        if not self._layer.fake_quantization or self._precision == "float32":
            return super()._lowest()
        bounds = self._layer.bounds("scores")
        if self._precision == "int16":
            return symmetric_scale(*bounds) * INT16_MIN
        scale, zero_point = affine_parameters(*bounds)
        return scale * (INT8_MIN - zero_point)

    def _observed(self, role: str, x: tf.Tensor) -> tf.Tensor:
        return self._layer.activation(role, x, self._training)

    def _int16_output(
        self, role: str, exact: tf.Tensor, x_scale: tf.Tensor, y_scale: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Of an observed int16 result: the factor from sums of products to its integers, and its scale."""
        self._observed(role, exact)
        scale = self._scale(role)
        product = tf.cast(x_scale, tf.float64) * tf.cast(y_scale, tf.float64)
        return product / tf.cast(scale, tf.float64), scale

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
