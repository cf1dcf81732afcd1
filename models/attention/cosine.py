"""Cosine attention: the angle between query and key."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from models.attention.base import Attention, register
from models.attention.operations import Operations
from models.errors import InputError


@register
class CosineAttention(Attention):
    """``score(q, k) = sharpness * q . k / (|q| |k|)`` (Graves et al. 2014, arXiv 1410.5401, equations 5, 6).

    A cosine lies in [-1, 1]; without a factor no weight of a softmax over T
    steps could pass e^2 / (T - 1 + e^2).

    Args:
        sharpness: the factor, beta in the paper; a constant.
    """

    kind = "cosine"
    observed_roles = ("scores",)

    def __init__(self, sharpness: float = 8.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not sharpness > 0:
            raise InputError(f"The sharpness of cosine attention is positive, got {sharpness}.")
        self.sharpness = sharpness

    def add_weights(self, query_size: int, key_size: int, value_size: int) -> None:
        if query_size != key_size:
            raise InputError(
                f"A cosine needs query and key of one size, got {query_size} and {key_size}.",
                "Attention of kind 'general' compares different sizes.",
            )

    def scores(self, operations: Operations, query: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        direction = operations.normalize("query_direction", query)
        direction = operations.scale("query", direction, self.sharpness, of="query_direction")
        key_direction = operations.normalize("key_direction", key)
        return operations.compare("scores", direction, key_direction, of=("query", "key_direction"))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sharpness": self.sharpness}
