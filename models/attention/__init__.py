"""Attention layers, one file a family: scores -> mask -> softmax -> context.

``attention_class(kind)`` finds a layer by the name that a configuration gives it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.attention.base import Attention


def attention_class(kind: str) -> type[Attention]:
    """The layer class of a kind, one of ``models.config.ATTENTION_KINDS``."""
    return attention_classes()[kind]


def attention_classes() -> dict[str, type[Attention]]:
    """Every attention layer by its kind."""
    from models.attention import additive, cosine, dot_product, multi_head  # noqa: F401  (they register)
    from models.attention.base import REGISTRY

    return dict(REGISTRY)
