"""Smaller models cut out of a file: the first operators of its main graph, or one operator alone.

They are there to be timed and counted. What an excerpt does not run stays in the file as tensors that nobody
reads, so an excerpt is no smaller than the file.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

from converters import schema
from models.errors import InputError


def prefix(model: schema.ModelT, count: int) -> schema.ModelT:
    """The first `count` operators of the main graph, in the order in which they run.

    Its outputs are what the cut goes through: all that these operators make of the inputs and that a later
    operator reads, or that is an output of the model. What they make of constants alone (float16 weights made
    float32, which a delegate folds away) is none. Where nothing is left, it hands its inputs back.

    Raises:
        InputError: the main graph has fewer operators, or its own outputs cannot be reached.
    """
    operators = list(model.subgraphs[0].operators or [])
    if not 0 <= count <= len(operators):
        raise InputError(f"The main graph has {len(operators)} operators; {count} were asked for.")
    inputs = schema.indices(model.subgraphs[0].inputs)
    made = set(inputs)
    for operator in operators[:count]:
        if made.intersection(schema.indices(operator.inputs)):
            made.update(_outputs([operator]))
    needed = {*_inputs(operators[count:]), *schema.indices(model.subgraphs[0].outputs)}
    crossing = [index for index in _ordered(_outputs(operators[:count])) if index in made & needed]
    return _excerpt(model, operators[:count], inputs, crossing or inputs)


def alone(model: schema.ModelT, place: int) -> schema.ModelT:
    """One operator of the main graph; its inputs are what it reads beside constants and its own state.

    Args:
        place: which one, counted from 0.

    Raises:
        InputError: there is no such operator.
    """
    graph = model.subgraphs[0]
    operators = list(graph.operators or [])
    if not 0 <= place < len(operators):
        raise InputError(f"The main graph has {len(operators)} operators; number {place} was asked for.")
    operator = operators[place]
    fed = [
        index
        for index in _ordered(_inputs([operator]))
        if not schema.has_data(model, graph.tensors[index]) and not graph.tensors[index].isVariable
    ]
    return _excerpt(model, [operator], fed, _ordered(_outputs([operator])))


def _excerpt(
    model: schema.ModelT, operators: list[schema.OperatorT], inputs: list[int], outputs: list[int]
) -> schema.ModelT:
    """The same tensors and other subgraphs; nothing of the model given is changed."""
    graph = copy.copy(model.subgraphs[0])
    graph.operators, graph.inputs, graph.outputs = operators, inputs, outputs
    cut = copy.copy(model)
    cut.subgraphs = [graph, *model.subgraphs[1:]]
    cut.signatureDefs, cut.metadata, cut.metadataBuffer = None, None, None
    return cut


def _inputs(operators: Iterable[schema.OperatorT]) -> list[int]:
    return [i for one in operators for i in schema.indices(one.inputs) if i >= 0]


def _outputs(operators: Iterable[schema.OperatorT]) -> list[int]:
    return [i for one in operators for i in schema.indices(one.outputs) if i >= 0]


def _ordered(indices: Iterable[int]) -> list[int]:
    """Each once, in the order in which they came."""
    return list(dict.fromkeys(indices))
