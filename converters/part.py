"""A part of a graph as a graph of its own: some of its ops, and the tensors they name."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from converters import schema


@dataclass(frozen=True, eq=False)
class Part:
    """A subgraph, and the places of its inputs and outputs by name."""

    graph: schema.SubGraphT
    inputs: dict[str, int]
    outputs: dict[str, int]


def part_of(
    graph: schema.SubGraphT,
    called: str,
    operators: Iterable[schema.OperatorT],
    inputs: Mapping[str, int],
    outputs: Mapping[str, int],
) -> Part:
    """Copy ops, in the order given, and every tensor they name; buffers and operator codes are shared.

    Args:
        called: the new subgraph's name.
        inputs, outputs: tensors of `graph` by the names they get in the signature.
    """
    part, places = schema.SubGraphT(), dict[int, int]()
    part.name, part.tensors, part.operators = called, [], []

    def place(index: int) -> int:
        if index >= 0 and index not in places:
            places[index] = len(part.tensors)
            part.tensors.append(copy.copy(graph.tensors[index]))
        return places.get(index, -1)

    for operator in operators:
        made = copy.copy(operator)
        for side in ("inputs", "outputs", "intermediates"):
            setattr(made, side, [place(index) for index in schema.indices(getattr(operator, side))])
        part.operators.append(made)
    named = [{name: place(index) for name, index in side.items()} for side in (inputs, outputs)]
    part.inputs, part.outputs = (list(side.values()) for side in named)
    return Part(part, *named)


def replace_graphs(model: schema.ModelT, parts: Mapping[str, Part]) -> None:
    """Let a model consist of these parts, each with a signature of its key, the first one first."""
    model.subgraphs = [part.graph for part in parts.values()]
    model.signatureDefs = [
        schema.signature(key, place, part.inputs, part.outputs)
        for place, (key, part) in enumerate(parts.items())
    ]
