"""Additive attention: a small network scores each pair of query and key."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from models.attention.base import Attention, positive_integer, register, steps_of
from models.attention.operations import Operations


@register
class AdditiveAttention(Attention):
    """``score(q, k) = v . tanh(q W + k U + b)`` (Bahdanau et al. 2015, arXiv 1409.0473, appendix A.1.2).

    Args:
        units: size of the inner layer; None: that of a key.
    """

    kind = "additive"
    observed_roles = ("query", "key", "sum", "scores")
    has_bias = True

    def __init__(self, units: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = None if units is None else positive_integer("units", units)

    def add_weights(self, query_size: int, key_size: int, value_size: int) -> None:
        units = self.units or key_size

        def weight(name: str, *shape: int) -> tf.Variable:
            return self.add_weight(name=name, shape=shape, initializer="glorot_uniform")

        self.query_kernel = weight("query_kernel", query_size, units)
        self.key_kernel = weight("key_kernel", key_size, units)
        self.score_kernel = weight("score_kernel", units, 1)
        self.bias = None
        if self.has_bias:
            self.bias = self.add_weight(name="bias", shape=(units,), initializer="zeros")

    def scores(self, operations: Operations, query: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        asked = operations.dense("query", query, self.query_kernel, self.bias)  # [batch, queries, units]
        offered = operations.dense("key", key, self.key_kernel)  # [batch, time, units]
        asked, offered = tf.expand_dims(asked, 2), tf.expand_dims(offered, 1)
        both = operations.add("sum", asked, offered, of=("query", "key"))
        inner = operations.tanh("inner", both, of="sum")  # [batch, queries, time, units]
        queries, steps = steps_of(query), steps_of(key)
        # Flat, because TensorFlow 2.21's CPU product of four axes with two writes beside its result.
        flat = tf.reshape(inner, [-1, queries * steps, inner.shape[-1]])
        scores = operations.dense("scores", flat, self.score_kernel, of="inner")
        return tf.reshape(scores, [-1, queries, steps])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@register
class ConcatAttention(AdditiveAttention):
    """``score(q, k) = v . tanh([q; k] W)`` (Luong et al. 2015, arXiv 1508.04025, equation 8, "concat").

    ``[q; k] W`` is computed as ``q W_q + k W_k`` with the two parts of W: the
    same sums, without a copy of the query beside every key.
    """

    kind = "concat"
    has_bias = False
