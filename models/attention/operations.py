"""The operations that attention is made of, each one op of TFLite.

An attention is written once, in terms of these. The layer computes them in
float; its fake-quantized twin (``models.quantization.attention``) brings
operations of its own that round each result as the integer kernel does.
"""

from __future__ import annotations

import tensorflow as tf

MASKED_SCORE = -1e4
"""exp(-1e4 - score) is 0 in float32 for every score that a trained model gives; also in float16's range."""


class Operations:
    """In float.

    ``role`` names the result. ``of`` names the inputs by the roles they were made under, "hidden" for
    hidden states: whoever rounds has to know their formats.
    """

    def dense(
        self, role: str, x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None = None, of: str = "hidden"
    ) -> tf.Tensor:
        """FULLY_CONNECTED: ``x kernel + bias`` over the last axis."""
        product = tf.matmul(x, kernel)
        return product if bias is None else product + bias

    def compare(self, role: str, queries: tf.Tensor, keys: tf.Tensor, of: tuple[str, str]) -> tf.Tensor:
        """BATCH_MATMUL ``queries keys^T``; the leading axes are batch and, if any, heads."""
        return tf.matmul(queries, keys, transpose_b=True)

    def mean(self, role: str, weights: tf.Tensor, values: tf.Tensor, of: str = "hidden") -> tf.Tensor:
        """BATCH_MATMUL whose rows are means of the values: ``sum_t weights[t] values[t]``.

        Its results lie where the values lie, so that its format is theirs.
        """
        return tf.matmul(weights, values)

    def add(self, role: str, a: tf.Tensor, b: tf.Tensor, of: tuple[str, str]) -> tf.Tensor:
        """ADD, with broadcasting."""
        return a + b

    def tanh(self, role: str, x: tf.Tensor, of: str) -> tf.Tensor:
        """TANH."""
        return tf.tanh(x)

    def normalize(self, role: str, x: tf.Tensor) -> tf.Tensor:
        """L2_NORMALIZATION over the last axis: ``x / |x|``."""
        return tf.nn.l2_normalize(x, axis=-1)

    def scale(self, role: str, x: tf.Tensor, factor: float, of: str) -> tf.Tensor:
        """MUL by a positive constant."""
        return x * factor

    def softmax(self, role: str, scores: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        """SOFTMAX over the last axis; with a mask, 0 where it is False.

        SELECT_V2 before it leaves the masked steps no share of the sum, and after it nothing at all: the
        int16 kernel takes every score 10 below the largest for exp(-10), more than half a step.

        Args:
            scores: [batch, (heads,) queries, time].
            mask: bool, broadcastable to the scores; None: all of them count.
        """
        if mask is None:
            return self._weights(role, scores)
        return tf.where(mask, self._weights(role, tf.where(mask, scores, self._lowest())), 0.0)

    def _weights(self, role: str, scores: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(scores)

    def _lowest(self) -> float | tf.Tensor:
        """The score of a step that does not count."""
        return MASKED_SCORE
