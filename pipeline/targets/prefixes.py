"""Models that stop early: the same file up to each of its operators.

What an operator costs is what the model up to it costs more than the model up to the one before.
"""

from __future__ import annotations

from converters import schema


def prefixes(content: bytes) -> list[tuple[str, bytes]]:
    """For each operator its name and the model that ends with it; the last of them is the whole model.

    Raises:
        InputError: the content is no readable .tflite.
    """
    names = [
        schema.operator_name(model, one)
        for model in [schema.read_model(content)]
        for one in model.subgraphs[0].operators
    ]
    return [(name, _up_to(content, count)) for count, name in enumerate(names, start=1)]


def _up_to(content: bytes, count: int) -> bytes:
    """The model of the first `count` operators; it answers with what the last of them makes."""
    model = schema.read_model(content)
    graph = model.subgraphs[0]
    graph.operators = graph.operators[:count]
    graph.outputs = list(graph.operators[-1].outputs)
    model.signatureDefs = []  # it names outputs that are not made
    return schema.write_model(model)
