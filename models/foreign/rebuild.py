"""Graph and weights of the original -> the same function as a functional tf_keras model whose LSTMs fuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tf_keras

from models.errors import InputError, QuantizationError
from models.foreign.graph import MODELS, ForeignLayer, Graph, Ref, read_graph, refs_in
from models.foreign.layers import reasons_against, translation
from models.foreign.lstm import Mended, NoCellState
from models.foreign.site import Record, Site, Tensor, Weights

WeightsOf = Callable[[tuple[str, ...]], Weights]
"""From the path of a layer (names of the models it is in, and its own) to its weights."""

INPUT = "features"


@dataclass(frozen=True)
class Rebuilt:
    """The original in fusable form.

    Attributes:
        input: ``features`` [batch, steps, features].
        outputs: of the original, by name.
        tensors: what each layer returns, by name; further results as "name:1", further calls as "name#1".
        mended: what was changed without changing an answer.
        lstms: names of the LSTM layers, in the order in which they run.
    """

    input: Tensor
    outputs: Mapping[str, Tensor]
    tensors: Mapping[str, Tensor]
    mended: tuple[Mended, ...]
    lstms: tuple[str, ...]
    record: Record

    def ends_with(self, tensor: Tensor) -> tuple[str, Tensor] | None:
        """"softmax" or "sigmoid" and the tensor before it, where this one is such an end."""
        return self.record.ends.get(id(tensor))


def rebuild(graph: Graph, weights_of: WeightsOf, steps: int | None = None) -> Rebuilt:
    """Build the model anew.

    Args:
        graph: of the original.
        weights_of: its weights.
        steps: time steps of a window, for an original that leaves them open.

    Raises:
        QuantizationError: an LSTM that cannot fuse with equal answers, or a layer that is not known; all of
            them are named.
        InputError: the model has another input than one of windows.
    """
    problems = list(_problems(graph))
    if problems:
        raise QuantizationError(
            "The model cannot be brought as it is:\n" + "\n".join(f"  {one}" for one in problems),
            "docs/bring-a-model.md has the table of what fuses, what is mended and what is refused.",
        )
    features = tf_keras.Input(_window_shape(graph, steps), name=INPUT)
    builder = _Builder(weights_of)
    outputs = builder.run(graph, [features], ())
    record = builder.record
    if not record.lstms:
        kinds = ", ".join(sorted({layer.kind for layer in graph.layers}))
        raise QuantizationError(f"The model has no LSTM layer. Its layers are: {kinds}.")
    tensors = {name: one for name, one in builder.tensors.items() if not isinstance(one, NoCellState)}
    return Rebuilt(
        features, outputs, tensors, tuple(dict.fromkeys(record.mended)), tuple(record.lstms), record
    )


def _problems(graph: Graph) -> list[str]:
    found: list[str] = []
    for layer in graph.layers:
        if layer.kind in MODELS:
            found += _problems(read_graph(layer.kind, layer.config))
        elif layer.kind != "InputLayer":
            found += reasons_against(layer.kind, layer.name, layer.config)
    return found


def _window_shape(graph: Graph, steps: int | None) -> tuple[int, int]:
    """(steps, features) of the model's one input."""
    if len(graph.inputs) != 1:
        names = ", ".join(ref.layer for ref in graph.inputs)
        raise InputError(
            f"The model has {len(graph.inputs)} inputs ({names}); needed is one, [batch, time, channels]."
        )
    config = graph.layer(graph.inputs[0].layer).config
    shape = config.get("batch_shape") or config.get("batch_input_shape") or []
    if len(shape) != 3 or shape[2] is None:
        raise InputError(f"The model's input is {list(shape)}; needed is [batch, time, channels].")
    if shape[1] is None and steps is None:
        raise InputError("The model leaves the number of steps open; the file needs it.", "Give the data.")
    if None not in (shape[1], steps) and shape[1] != steps:
        raise InputError(f"The model takes windows of {shape[1]} steps; the data's have {steps}.")
    return int(shape[1] or steps or 0), int(shape[2])


class _Builder:
    """Calls layer after layer; a model among the layers is built in place, under its name."""

    def __init__(self, weights_of: WeightsOf) -> None:
        self._weights_of = weights_of
        self._names: set[str] = {INPUT}
        self.record = Record()
        self.tensors: dict[str, Any] = {}

    def run(self, graph: Graph, inputs: list[Tensor], path: tuple[str, ...]) -> dict[str, Tensor]:
        """Outputs of a model by name."""
        values: dict[Ref, Any] = dict(zip(graph.inputs, inputs, strict=True))
        first = _first_calls(graph)
        waiting = [(layer, call) for layer in graph.layers for call in range(len(layer.calls))]
        while waiting:
            ready = [
                (layer, call)
                for layer, call in waiting
                if all(ref in values for ref in refs_in([layer.calls[call].args, layer.calls[call].kwargs]))
            ]
            if not ready:
                missing = ", ".join(dict.fromkeys(layer.name for layer, _ in waiting))
                raise InputError(f"The model's configuration is damaged: nothing leads to {missing}.")
            for layer, call in ready:
                results = self._call(layer, call, values, path)
                for place, result in enumerate(results):
                    values[Ref(layer.name, first[layer.name] + call, place)] = result
            waiting = [one for one in waiting if one not in ready]
        for name, ref in graph.outputs.items():
            if isinstance(values[ref], NoCellState):
                raise values[ref].refusal(f"the output {name}")
        return {name: values[ref] for name, ref in graph.outputs.items()}

    def _call(
        self, layer: ForeignLayer, call: int, values: Mapping[Ref, Any], path: tuple[str, ...]
    ) -> list[Any]:
        """What one call of a layer returns."""
        about = layer.calls[call]
        args = _filled(list(about.args), values, layer.name)
        kwargs = {
            key: _filled(value, values, layer.name)
            for key, value in about.kwargs.items()
            if key != "training" and value is not None
        }
        own = (*path, layer.name)
        if layer.kind in MODELS:
            (inputs,) = args
            inputs = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
            return list(self.run(read_graph(layer.kind, layer.config), inputs, own).values())
        label = "/".join(own) + (f"#{call}" if call else "")
        name = self._unique("_".join(own) + (f"_call_{call}" if call else ""))
        site = Site(name, layer.config, self._weights_of(own), self.record)
        if call and site.weights:
            site.mend(f"call {call + 1} of a shared layer", "a layer of its own with the same weights")
        translate = translation(layer.kind)
        assert translate is not None  # _problems has looked
        result = translate(site, *args, **kwargs)
        results = list(result) if isinstance(result, list | tuple) else [result]
        for place, one in enumerate(results):
            self.tensors[f"{label}:{place}" if place else label] = one
        return results

    def _unique(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name


def _first_calls(graph: Graph) -> dict[str, int]:
    """The number of each layer's first call: 1 of a model among the layers, whose call 0 was its own making.

    Only some models count that one, so it is read off the numbers that are asked for.
    """
    asked = [*graph.outputs.values(), *refs_in([[[call.args, call.kwargs] for call in layer.calls]
                                                for layer in graph.layers])]
    highest: dict[str, int] = {}
    for ref in asked:
        highest[ref.layer] = max(ref.call, highest.get(ref.layer, 0))
    return {
        layer.name: int(bool(layer.calls) and highest.get(layer.name, 0) >= len(layer.calls))
        for layer in graph.layers
    }


def _filled(value: Any, values: Mapping[Ref, Any], user: str) -> Any:
    """Arguments with tensors in the place of references."""
    if isinstance(value, Ref):
        found = values[value]
        if isinstance(found, NoCellState):
            raise found.refusal(user)
        return found
    if isinstance(value, Mapping):
        return {key: _filled(item, values, user) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_filled(item, values, user) for item in value)
    return value
