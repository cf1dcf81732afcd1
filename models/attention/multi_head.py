"""Multi-head attention: several small attentions side by side."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tensorflow as tf

from models.attention.base import Attention, over_scores, positive_integer, register, steps_of
from models.attention.operations import Operations
from models.errors import InputError


@register
class MultiHeadAttention(Attention):
    """Attention in projections of query, key and value (Vaswani et al. 2017, section 3.2.2).

    arXiv 1706.03762.

    ::

        head_j  = softmax((Q W_j + b_j) (K U_j + c_j)^T / sqrt(d)) (V Z_j + e_j)
        context = [head_1; ...; head_h] O + o

    The division by sqrt(d), d the size of a head, stands on the query's
    projection, where it folds into the weights. Weights [batch, heads, queries, time].
    The context has the size of the key, whatever that of the value.

    Args:
        heads: how many; they have to divide the size of a key.
    """

    kind = "multi-head"
    observed_roles = ("query", "key", "value", "scores", "context")
    context_is_mean: ClassVar[bool] = False

    def __init__(self, heads: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = positive_integer("heads", heads)

    def add_weights(self, query_size: int, key_size: int, value_size: int) -> None:
        if key_size % self.heads:
            raise InputError(
                f"{self.heads} heads cannot share keys of size {key_size}.",
                "Choose a number of heads that divides it.",
            )
        sizes = {"query": query_size, "key": key_size, "value": value_size, "output": key_size}
        for name, size in sizes.items():
            kernel = self.add_weight(
                name=f"{name}_kernel", shape=(size, key_size), initializer="glorot_uniform"
            )
            bias = self.add_weight(name=f"{name}_bias", shape=(key_size,), initializer="zeros")
            setattr(self, f"{name}_kernel", kernel)
            setattr(self, f"{name}_bias", bias)
        self.query_scale = 1.0 / math.sqrt(key_size // self.heads)

    def attend(
        self,
        operations: Operations,
        query: tf.Tensor,
        value: tf.Tensor,
        key: tf.Tensor,
        mask: tf.Tensor | None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        scores = self.scores(operations, query, key)  # [batch, heads, queries, time]
        weights = operations.softmax("weights", scores, over_scores(mask, scores))
        values = operations.dense("value", value, self.value_kernel, self.value_bias)
        means = operations.mean("heads", weights, self._split(values), of="value")
        joined = self._join(means)  # [batch, queries, size]
        return operations.dense("context", joined, self.output_kernel, self.output_bias, of="value"), weights

    def scores(self, operations: Operations, query: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        kernel, bias = self.query_kernel * self.query_scale, self.query_bias * self.query_scale
        asked = self._split(operations.dense("query", query, kernel, bias))
        offered = self._split(operations.dense("key", key, self.key_kernel, self.key_bias))
        return operations.compare("scores", asked, offered, of=("query", "key"))

    def _split(self, x: tf.Tensor) -> tf.Tensor:
        """[batch, steps, size] -> [batch, heads, steps, size / heads]"""
        x = tf.reshape(x, [-1, steps_of(x), self.heads, x.shape[2] // self.heads])
        return tf.transpose(x, [0, 2, 1, 3])

    def _join(self, x: tf.Tensor) -> tf.Tensor:
        """[batch, heads, queries, size / heads] -> [batch, queries, size]"""
        x = tf.transpose(x, [0, 2, 1, 3])
        return tf.reshape(x, [-1, steps_of(x), x.shape[2] * x.shape[3]])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "heads": self.heads}
