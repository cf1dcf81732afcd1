"""Every attention layer with weights of its own, for tests that walk the registry."""

from __future__ import annotations

from typing import Any

import numpy as np

SIZE, STEPS = 8, 5


def attention(kind: str, size: int = SIZE, **options: Any) -> Any:
    """A layer of a kind, built for query and key of one size; no weight is 0, as biases are at first."""
    from models.attention import attention_class

    layer = attention_class(kind)(**{"return_attention_scores": True, "name": "attention", **options})
    layer.build([(None, None, size), (None, None, size)])
    layer.set_weights([random_weight(weight.shape) for weight in layer.get_weights()])
    return layer


def random_weight(shape: tuple[int, ...]) -> Any:
    """Multiples of 1/127 up to 1 (the largest of each column), which int8 per channel holds exactly."""
    random = np.random.default_rng(sum(shape))
    integers = random.integers(-127, 128, shape)
    if len(shape) > 1:
        integers[0] = 127
    return (integers / np.float32(127)).astype(np.float32)


def hidden_states(batch: int = 3, steps: int = STEPS, size: int = SIZE, seed: int = 0) -> Any:
    """[batch, steps, size] float32 in (-1, 1), multiples of 1/128 as an LSTM's int8 outputs are."""
    random = np.random.default_rng(seed)
    return (random.integers(-127, 128, (batch, steps, size)) / 128).astype(np.float32)
