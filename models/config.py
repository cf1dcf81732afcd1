"""What a model is made of, as plain data. No TensorFlow here, so that every room may read it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from models.errors import InputError

ATTENTION_KINDS = ("dot", "scaled-dot", "cosine", "general", "concat", "additive", "multi-head")
"""One class of ``models.attention`` each; a test holds this list against the classes."""

QUERIES = ("last", "all")
COMBINATIONS = ("concat", "context")
TASKS = ("classification", "multi-label", "regression", "per-step")
NO_LABEL = -1
"""The label of a step that is padding: it is neither learned nor judged."""


@dataclass(frozen=True)
class RecurrentConfig:
    """The recurrent part: LSTM layers, one above the other, whose hidden states feed the attention.

    Args:
        units: size of the hidden and of the cell state, one number a layer, the first layer first.
        bidirectional: each layer runs in both directions and hands on both hidden states, [h; h backward].
        dropout: share of what one layer hands to the next that is dropped in training.
    """

    units: tuple[int, ...] = (64,)
    bidirectional: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not self.units or any(size < 1 for size in self.units):
            raise InputError(f"An LSTM needs units of at least 1 in each layer, got {list(self.units)}.")

    @property
    def outputs(self) -> int:
        """Size of the hidden state that the attention sees."""
        return self.units[-1] * (2 if self.bidirectional else 1)


@dataclass(frozen=True)
class AttentionConfig:
    """Attention over the hidden states of all time steps.

    Args:
        kind: the name under which the attention is registered in ``models.attention``.
        query: "last" (one query, the last hidden state) or "all" (self-attention: every step asks).
        combine: what the head sees: "concat" ([context; hidden state]) or "context" alone.
        heads: of multi-head attention; the other kinds have one.
    """

    kind: str = "scaled-dot"
    query: str = "last"
    combine: str = "concat"
    heads: int = 4

    def __post_init__(self) -> None:
        _known("attention", self.kind, ATTENTION_KINDS)
        _known("query", self.query, QUERIES)
        _known("combination", self.combine, COMBINATIONS)


@dataclass(frozen=True)
class ModelConfig:
    """A sequence model: LSTM layers, attention, head.

    Args:
        steps: time steps of a window, T.
        features: channels of a window, F.
        outputs: classes (of a label, of a step), labels or target values.
        task: "classification", "multi-label", "regression" or "per-step".
        dropout: share of the head's inputs dropped in training.
        input_noise: standard deviation of the Gaussian noise added to the
            standardized input in training.
        variable_length: a second input ``lengths`` says how many steps of a window count; the
            others stand at its end.
    """

    steps: int
    features: int
    outputs: int
    task: str = "classification"
    recurrent: RecurrentConfig = field(default_factory=RecurrentConfig)
    attention: AttentionConfig = field(default_factory=AttentionConfig)
    dropout: float = 0.0
    input_noise: float = 0.0
    variable_length: bool = False

    def __post_init__(self) -> None:
        _known("task", self.task, TASKS)
        if self.task == "per-step" and self.attention.query != "all":
            raise InputError(
                "A label for every step needs a query from every step; the query is 'last'.",
                "Use --query all.",
            )
        if self.variable_length:
            self._check_variable_length()
        if self.attention.kind == "multi-head" and self.recurrent.outputs % self.attention.heads:
            raise InputError(
                f"{self.attention.heads} heads cannot share a hidden state of {self.recurrent.outputs}.",
                "Choose a number of heads that divides it (units, twice as many with two directions).",
            )

    def _check_variable_length(self) -> None:
        if self.recurrent.bidirectional:
            raise InputError(
                "A backward LSTM would start in the padding: --variable-length and --bidirectional exclude "
                "each other.",
                "Reversing each sequence within its own length would need indices computed on the device, "
                "which this release leaves out. Use one direction, or windows of one length.",
            )
        if self.attention.query == "all" and self.task != "per-step":
            raise InputError(
                "--variable-length does not go with --query all, unless every step has a label: the mean of "
                "a varying number of contexts has no integer op.",
                "Use --query last.",
            )

    def to_dict(self) -> dict[str, Any]:
        """The configuration as JSON-able data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ModelConfig:
        """The configuration that ``to_dict`` wrote, also after a way through JSON."""
        values = dict(data)
        recurrent = dict(values["recurrent"])
        values["recurrent"] = RecurrentConfig(**{**recurrent, "units": tuple(recurrent["units"])})
        values["attention"] = AttentionConfig(**values["attention"])
        return cls(**values)


def output_name(task: str) -> str:
    """The name of the model's first output: ``values`` where numbers are predicted, else ``logits``."""
    return "values" if task == "regression" else "logits"


def lstm_layer_names(config: RecurrentConfig) -> list[str]:
    """The LSTM layers as they run: lstm, lstm_2, ... or lstm_forward, lstm_backward, lstm_2_forward, ..."""
    stems = ["lstm" if place == 0 else f"lstm_{place + 1}" for place in range(len(config.units))]
    if not config.bidirectional:
        return stems
    return [f"{stem}_{direction}" for stem in stems for direction in ("forward", "backward")]


def _known(what: str, name: str, names: tuple[str, ...]) -> None:
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        tip = f"Did you mean '{close[0]}'?" if close else ""
        raise InputError(f"Unknown {what} '{name}'. Known: {', '.join(names)}.", tip)
