"""Dot-product attention: plain, scaled with a projected query, and general."""

from __future__ import annotations

import math

import tensorflow as tf

from models.attention.base import Attention, register
from models.attention.operations import Operations
from models.errors import InputError


@register
class DotAttention(Attention):
    """``score(q, k) = q . k`` (Luong et al. 2015, arXiv 1508.04025, equation 8, "dot"). No weights."""

    kind = "dot"
    observed_roles = ("scores",)

    def add_weights(self, query_size: int, key_size: int, value_size: int) -> None:
        if query_size != key_size:
            raise InputError(
                f"A dot product needs query and key of one size, got {query_size} and {key_size}.",
                "Attention of kind 'general' compares different sizes.",
            )

    def scores(self, operations: Operations, query: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        return operations.compare("scores", query, key, of=("hidden", "hidden"))


@register
class ScaledDotProductAttention(Attention):
    """``score(q, k) = (q W + b) . k / sqrt(d)``, d the size of a key (Vaswani et al. 2017, equation 1).

    The division stands on the projection and not on the scores: it folds into
    the weights, and the int8 file rounds the scores once instead of twice.
    """

    kind = "scaled-dot"
    observed_roles = ("query", "scores")

    def add_weights(self, query_size: int, key_size: int, value_size: int) -> None:
        self.kernel = self.add_weight(
            name="kernel", shape=(query_size, key_size), initializer="glorot_uniform"
        )
        self.bias = self.add_weight(name="bias", shape=(key_size,), initializer="zeros")
        self.query_scale = 1.0 / math.sqrt(key_size)

    def scores(self, operations: Operations, query: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        kernel, bias = self.kernel * self.query_scale, self.bias * self.query_scale
        projected = operations.dense("query", query, kernel, bias)  # [batch, queries, size]
        return operations.compare("scores", projected, key, of=("query", "hidden"))


@register
class GeneralAttention(Attention):
    """``score(q, k) = q W . k`` (Luong et al. 2015, arXiv 1508.04025, equation 8, "general")."""

    kind = "general"
    observed_roles = ("query", "scores")

    def add_weights(self, query_size: int, key_size: int, value_size: int) -> None:
        self.kernel = self.add_weight(
            name="kernel", shape=(query_size, key_size), initializer="glorot_uniform"
        )

    def scores(self, operations: Operations, query: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        projected = operations.dense("query", query, self.kernel)  # [batch, queries, size]
        return operations.compare("scores", projected, key, of=("query", "hidden"))

