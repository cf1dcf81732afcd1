"""What a model is made of, as plain data. No TensorFlow here, so that every room may read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

TASKS = ("classification", "multi-label", "regression", "per-step")
NO_LABEL = -1
"""The label of a step that is padding: it is neither learned nor judged."""


@dataclass(frozen=True)
class RecurrentConfig:
    """The recurrent part: one LSTM whose hidden states feed the attention.

    Args:
        units: size of the hidden and of the cell state.
    """

    units: int = 64


@dataclass(frozen=True)
class AttentionConfig:
    """Scaled dot-product attention with one query (Vaswani et al. 2017, equation 1).

    Args:
        kind: the name under which the attention is registered.
    """

    kind: str = "scaled-dot"


@dataclass(frozen=True)
class ModelConfig:
    """A sequence classifier: LSTM, attention, head.

    Args:
        steps: time steps of a window, T.
        features: channels of a window, F.
        classes: number of logits.
        dropout: share of the head's inputs dropped in training.
        input_noise: standard deviation of the Gaussian noise added to the
            standardized input in training.
    """

    steps: int
    features: int
    classes: int
    recurrent: RecurrentConfig = field(default_factory=RecurrentConfig)
    attention: AttentionConfig = field(default_factory=AttentionConfig)
    dropout: float = 0.0
    input_noise: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The configuration as JSON-able data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ModelConfig:
        """The configuration that ``to_dict`` wrote."""
        values = dict(data)
        values["recurrent"] = RecurrentConfig(**values["recurrent"])
        values["attention"] = AttentionConfig(**values["attention"])
        return cls(**values)


def output_name(task: str) -> str:
    """The name of the model's first output: ``values`` where numbers are predicted, else ``logits``."""
    return "values" if task == "regression" else "logits"
