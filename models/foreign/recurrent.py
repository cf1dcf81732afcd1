"""Recurrent layers of the original, rebuilt of LSTM layers that fuse and layers that only move values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tf_keras

from models.errors import QuantizationError
from models.foreign.graph import kind_of
from models.foreign.lstm import NoCellState, mended, reasons_against, with_bias
from models.foreign.site import Site, Tensor
from models.recurrent import LastState, ReverseTime, fusable_lstm

Layers = tf_keras.layers

_MERGES: dict[str, Callable[..., Any]] = {
    "concat": Layers.Concatenate,
    "sum": Layers.Add,
    "ave": Layers.Average,
    "mul": Layers.Multiply,
}


def reasons(kind: str, name: str, config: Mapping[str, Any]) -> list[str]:
    """Why a recurrent layer cannot fuse with equal answers, none where it can or where it is none."""
    inner = [config, *(lstm for lstm in _both_directions(config)[:2])] if kind == "Bidirectional" else []
    if kind == "Bidirectional":
        kinds = [kind_of(config[key]) for key in ("layer", "backward_layer") if config.get(key)]
        if set(kinds) != {"LSTM"}:
            return [f"Bidirectional '{name}' runs {' and '.join(kinds)} layers; only an LSTM has a fused op."]
        return [reason for lstm in inner[1:] for reason in reasons_against(name, lstm)]
    if kind == "RNN":
        cell = config["cell"]
        if kind_of(cell) != "LSTMCell":
            return [f"RNN '{name}' runs {cell['class_name']}; only an LSTM has a fused op."]
        return reasons_against(name, {**cell["config"], "time_major": config.get("time_major")})
    return reasons_against(name, config) if kind == "LSTM" else []


def lstm(site: Site, x: Tensor, **kwargs: Any) -> Any:
    """An LSTM: what its layer returns, with ``NoCellState`` in the place of the last cell state."""
    _refuse_given_states(site.name, x, kwargs)
    site.record.mended.extend(mended(site.name, site.config))
    hidden = _sequence(site, x, bool(site.config.get("go_backwards")))
    last = None
    if not site.config.get("return_sequences") or site.config.get("return_state"):
        last = site.put(LastState(name=f"{site.name}_last"), hidden)
    output = hidden if site.config.get("return_sequences") else last
    return [output, last, NoCellState(site.name)] if site.config.get("return_state") else output


def rnn(site: Site, x: Tensor, **kwargs: Any) -> Any:
    """``RNN(LSTMCell(...))``: the same weights and the same steps as an LSTM."""
    site.mend("RNN(LSTMCell)", "an LSTM layer of the same weights computes the same")
    return lstm(
        site.inner(site.name, {**site.config, **site.config["cell"]["config"]}, site.weights), x, **kwargs
    )


def bidirectional(site: Site, x: Tensor, **kwargs: Any) -> Any:
    """Two LSTMs, of which one sees the steps in reverse, and what joins them."""
    _refuse_given_states(site.name, x, kwargs)
    ahead, behind, merge = _both_directions(site.config)
    half = len(site.weights) // 2
    ends, lasts = [], []
    for config, weights, direction in (
        (ahead, site.weights[:half], "forward"),
        (behind, site.weights[half:], "backward"),
    ):
        name = f"{site.name}_{direction}"
        one = site.inner(name, config, weights)
        known = {**config, "go_backwards": False}  # that is what the wrapper is for
        site.record.mended.extend(mended(name, known))
        backward = bool(config.get("go_backwards"))
        hidden = _sequence(one, x, backward)
        if not config.get("return_sequences") or config.get("return_state"):
            lasts.append(site.put(LastState(name=f"{name}_last"), hidden))
        if config.get("return_sequences"):
            ends.append(site.put(ReverseTime(name=f"{name}_output"), hidden) if backward else hidden)
        else:
            ends.append(lasts[-1])
    outputs = ends if merge is None else [site.put(_MERGES[merge](name=f"{site.name}_both"), ends)]
    if ahead.get("return_state"):
        outputs += [state for last in lasts for state in (last, NoCellState(site.name))]
    return outputs if len(outputs) > 1 else outputs[0]


def _sequence(site: Site, x: Tensor, backward: bool) -> Tensor:
    """The hidden states of all steps, in the order in which they run."""
    if backward:
        x = site.put(ReverseTime(name=f"{site.name}_input"), x)
    site.record.lstms.append(site.name)
    layer = fusable_lstm(int(site.config["units"]), site.name)
    return site.put(layer, x, weights=with_bias(site.weights, site.config))


def _both_directions(config: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any], str | None]:
    """The configurations of the layer that runs ahead and of its mirror, and how they are joined."""
    ahead = dict(config["layer"]["config"])
    written = config.get("backward_layer")
    behind = dict(written["config"]) if written else {**ahead, "go_backwards": True}
    return ahead, behind, config.get("merge_mode")


def _refuse_given_states(name: str, x: Tensor, kwargs: Mapping[str, Any]) -> None:
    if isinstance(x, list | tuple) or kwargs.get("initial_state") is not None:
        raise QuantizationError(
            f"LSTM '{name}' starts from a state that it is given (initial_state). The file's LSTM starts "
            "from zero: its state is a variable that is reset before every window.",
            "Give what the state tells as a further channel of the input, and train again.",
        )
    if kwargs.get("mask") is not None:
        raise QuantizationError(
            f"LSTM '{name}' is called with a mask, for which the fused op has no place.",
            "Pad the windows in front with zeros instead, and train again.",
        )
