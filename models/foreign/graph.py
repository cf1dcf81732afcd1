"""What a Keras configuration says: layers, their calls, and which tensor goes where. Plain data.

tf_keras (Keras 2) and Keras 3 write the same thing differently; here both become one form. The call of a
layer on a tensor is in Keras 2 ``[["name", call, place, {keyword: value}], ...]``, in Keras 3
``{"args": [...], "kwargs": {...}}`` with ``{"class_name": "__keras_tensor__", "config": {"keras_history":
["name", call, place]}}`` for each tensor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.errors import InputError

MODELS = ("Functional", "Model", "Sequential")
"""Layers that are models themselves."""

_CONSTANT = "_CONSTANT_VALUE"  # how Keras 2 names a first argument that is no tensor


@dataclass(frozen=True)
class Ref:
    """A tensor: output number ``place`` of call number ``call`` of a layer."""

    layer: str
    call: int
    place: int


@dataclass(frozen=True)
class Call:
    """One call of a layer; its arguments hold ``Ref`` where they are tensors."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True)
class ForeignLayer:
    """A layer of the original.

    Args:
        name: its own.
        kind: its class, of a registered one with its package.
        config: as it was written.
        calls: in their order; more than one where the layer is shared.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    calls: tuple[Call, ...]


@dataclass(frozen=True)
class Graph:
    """A model.

    Args:
        layers: all of them, the input layers among them.
        inputs: in the model's order.
        outputs: by name: the key of a dictionary, else the layer's name.
    """

    layers: tuple[ForeignLayer, ...]
    inputs: tuple[Ref, ...]
    outputs: Mapping[str, Ref]

    def layer(self, name: str) -> ForeignLayer:
        """The layer of that name."""
        return next(layer for layer in self.layers if layer.name == name)


def read_graph(kind: str, config: Mapping[str, Any]) -> Graph:
    """The graph of a model's configuration.

    Args:
        kind: class of the model.
        config: its ``get_config()``, from either Keras, after a way through JSON.

    Raises:
        InputError: a model that is no Sequential and no functional one, or whose configuration is damaged.
    """
    if kind not in MODELS or "layers" not in config:
        raise InputError(
            f"The model is a {kind}; what its layers do stands in program text, which is not in the file.",
            "Only Sequential and functional models can be rebuilt. Build it as one, set_weights, save again.",
        )
    try:
        return _sequential(config) if kind == "Sequential" else _functional(config)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"The model's configuration is damaged: {type(error).__name__} {error}.") from error


def refs_in(value: Any) -> list[Ref]:
    """All tensors in nested arguments."""
    if isinstance(value, Ref):
        return [value]
    if isinstance(value, Mapping):
        return [ref for item in value.values() for ref in refs_in(item)]
    if isinstance(value, list | tuple):
        return [ref for item in value for ref in refs_in(item)]
    return []


def kind_of(entry: Mapping[str, Any]) -> str:
    """The class of what an entry describes, of a registered one with its package: "fuselage>DotAttention"."""
    registered = entry.get("registered_name")
    return registered if isinstance(registered, str) and ">" in registered else str(entry["class_name"])


def _functional(config: Mapping[str, Any]) -> Graph:
    names = {layer["name"] for layer in config["layers"]}
    layers = tuple(
        ForeignLayer(
            layer["name"],
            kind_of(layer),
            layer["config"],
            tuple(_call(node, names) for node in layer["inbound_nodes"]),
        )
        for layer in config["layers"]
    )
    inputs, outputs = (_borders(config[side]) for side in ("input_layers", "output_layers"))
    return Graph(layers, tuple(inputs.values()), outputs)


def _sequential(config: Mapping[str, Any]) -> Graph:
    """A row of layers, with an input layer in front of it."""
    rows = [dict(layer) for layer in config["layers"]]
    first = rows[0]
    if first["class_name"] != "InputLayer":
        shape = first["config"].get("batch_input_shape") or config.get("build_input_shape")
        if shape is None:
            raise InputError("The Sequential model was never built: its input shape is not known.")
        rows.insert(0, {"class_name": "InputLayer", "config": {"name": "input", "batch_input_shape": shape}})
    layers: list[ForeignLayer] = []
    for row in rows:
        calls = (Call((Ref(layers[-1].name, 0, 0),), {}),) if layers else ()
        layers.append(ForeignLayer(row["config"]["name"], kind_of(row), row["config"], calls))
    last = layers[-1].name
    return Graph(tuple(layers), (Ref(layers[0].name, 0, 0),), {last: Ref(last, 0, 0)})


def _borders(entries: Any) -> dict[str, Ref]:
    """Inputs or outputs: one, a list of them, or a dictionary."""
    if isinstance(entries, Mapping):
        return {key: Ref(*entry) for key, entry in entries.items()}
    if entries and isinstance(entries[0], str):
        entries = [entries]
    found: dict[str, Ref] = {}
    for entry in entries:
        ref = Ref(*entry)
        name = ref.layer if ref.layer not in found else f"{ref.layer}:{ref.place}"
        found[name] = ref
    return found


def _call(node: Any, names: set[str]) -> Call:
    if isinstance(node, Mapping):  # Keras 3
        return Call(tuple(_read_3(node["args"])), _read_3(node["kwargs"]))
    entries = [node] if isinstance(node[0], str) else node
    kwargs: dict[str, Any] = {}
    given = []
    for name, call, place, *rest in entries:
        given.append(place if name == _CONSTANT else Ref(name, call, place))
        kwargs.update(rest[0] if rest else {})
    return Call((given if len(given) > 1 else given[0],), _read_2(kwargs, names))


def _read_2(value: Any, names: set[str]) -> Any:
    """Keyword arguments of Keras 2: a tensor among them is ["name", call, place]."""
    if isinstance(value, Mapping):
        if set(value) == {"start", "stop", "step"}:
            return slice(value["start"], value["stop"], value["step"])
        return {key: _read_2(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple):
        if [type(item) for item in value] == [str, int, int] and value[0] in names:
            return Ref(*value)
        return [_read_2(item, names) for item in value]
    return value


def _read_3(value: Any) -> Any:
    """Arguments of Keras 3."""
    if isinstance(value, Mapping):
        kind = value.get("class_name")
        if kind == "__keras_tensor__":
            return Ref(*value["config"]["keras_history"])
        if kind == "__slice__":
            return slice(*(_read_3(value["config"][end]) for end in ("start", "stop", "step")))
        if kind == "__ellipsis__":
            return ...
        if kind == "__tuple__":
            return tuple(_read_3(item) for item in value.get("items", value.get("config", {}).get("value")))
        return {key: _read_3(item) for key, item in value.items()}
    return [_read_3(item) for item in value] if isinstance(value, list | tuple) else value
