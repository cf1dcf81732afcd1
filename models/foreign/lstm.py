"""What keeps an LSTM from fusing: what is mended without changing an answer, and why the rest is refused.

The converter fuses a tf_keras LSTM with sigmoid gates, tanh, a bias, no recurrent dropout, no mask, no kept
state and no unrolling (``converters.fusion``); what can be said in that form is, with equal numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import QuantizationError

Weights = list[NDArray[np.float32]]
Config = Mapping[str, Any]

HARD_SIGMOID = (
    "its gates are hard_sigmoid, which the fused kernel does not have: it computes the logistic function, "
    "and that is another one. Train it with recurrent_activation='sigmoid' (a few epochs from these weights)"
)


@dataclass(frozen=True)
class Mended:
    """What was changed on a layer without changing what it answers.

    Args:
        layer: its name.
        what: the setting or part.
        how: what became of it, one sentence.
    """

    layer: str
    what: str
    how: str

    def __str__(self) -> str:
        return f"'{self.layer}': {self.what}: {self.how}"


@dataclass(frozen=True)
class _Rule:
    applies: Callable[[Config], bool]
    what: str
    how: str


_MENDED = (
    _Rule(
        lambda config: not config["use_bias"],
        "use_bias=False",
        "got a bias of zeros, which adds nothing",
    ),
    _Rule(
        lambda config: bool(config.get("recurrent_dropout")),
        "recurrent_dropout",
        "left out; dropout acts in training only",
    ),
    _Rule(lambda config: bool(config.get("dropout")), "dropout", "left out; it acts in training only"),
    _Rule(
        lambda config: bool(config.get("unroll")), "unroll=True", "set to False; the same steps in one op"
    ),
    _Rule(
        lambda config: bool(config.get("stateful")),
        "stateful=True",
        "set to False; every window starts from zero, as after reset_states()",
    ),
    _Rule(
        lambda config: bool(config.get("go_backwards")),
        "go_backwards=True",
        "the steps are reversed in front of it instead",
    ),
    _Rule(
        lambda config: bool(config.get("return_state")),
        "return_state=True",
        "the last hidden state is taken from the sequence",
    ),
)

_CANNOT = (
    _Rule(
        lambda config: config["activation"] != "tanh",
        "activation",
        "the fused kernel has tanh only. Train it with activation='tanh'",
    ),
    _Rule(
        lambda config: config["recurrent_activation"] == "hard_sigmoid",
        "recurrent_activation",
        HARD_SIGMOID,
    ),
    _Rule(
        lambda config: config["recurrent_activation"] not in ("sigmoid", "hard_sigmoid"),
        "recurrent_activation",
        "the fused kernel has sigmoid gates only. Train it with recurrent_activation='sigmoid'",
    ),
    _Rule(
        lambda config: bool(config.get("time_major")),
        "time_major=True",
        "batch comes first in every other layer. Transpose in front of it and build it without",
    ),
)


def mended(name: str, config: Config) -> list[Mended]:
    """What is changed on an LSTM, for the report."""
    return [Mended(name, rule.what, rule.how) for rule in _MENDED if rule.applies(config)]


def reasons_against(name: str, config: Config) -> list[str]:
    """Why an LSTM cannot become one fused op with equal answers, a sentence each; none where it can."""
    return [
        f"LSTM '{name}' ({rule.what}={config.get(rule.what, True)!r}): {rule.how}."
        if "=" not in rule.what
        else f"LSTM '{name}' ({rule.what}): {rule.how}."
        for rule in _CANNOT
        if rule.applies(config)
    ]


def with_bias(weights: Weights, config: Config) -> Weights:
    """Kernel [features, 4 units], recurrent kernel [units, 4 units] and bias [4 units], zeros if it has none.

    Raises:
        QuantizationError: another number of weights.
    """
    if not config["use_bias"]:
        weights = [*weights, np.zeros(4 * int(config["units"]), np.float32)]
    if len(weights) != 3:
        raise QuantizationError(f"An LSTM has a kernel, a recurrent kernel and a bias, got {len(weights)}.")
    return weights


class NoCellState:
    """Stands for the last cell state, which the fused op does not hand out; whoever uses it is refused.

    Args:
        layer: name of the LSTM.
    """

    def __init__(self, layer: str) -> None:
        self.layer = layer

    def refusal(self, user: str) -> QuantizationError:
        """Why ``user`` cannot have it."""
        return QuantizationError(
            f"'{user}' takes the last cell state of LSTM '{self.layer}' (return_state=True): the fused op "
            "keeps it to itself, and the hidden states do not tell it.",
            "Use the hidden state alone, or train without the cell state.",
        )
