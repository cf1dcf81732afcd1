"""A model that takes its window step by step: the whole model in two parts, in one file.

It is cut at the hidden states of its last LSTM, and each part is a subgraph with a signature of its own:

    encode   features [1, steps, F], state_0, state_1, ...   ->   hidden [1, steps, H], state_0, state_1, ...
    attend   hidden [1, T, H], and lengths [1] where it is told   ->   what the whole model answers

The states are the fused op's variable tensors, h and c of each layer in turn. A variable tensor that is an
input and an output of its subgraph is set before a run and read after it. So `encode` is a function of what
it is given, and a reset is to give it the zero state: h in real numbers 0, which is its zero point, and c 0.

Constants and quantization records stay as they are: the same kernels run on the same integers, so `encode`
over the steps of a window, then `attend`, is the whole model.

`encode` comes first because an interpreter resets the variables of all subgraphs and allocates the first one
only: variables elsewhere would make it fail. That is why the whole model is not in the same file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from converters import schema
from converters.lstm_op import FUSED_LSTM, LstmInput, LstmNode, lstm_nodes
from converters.metadata import LENGTHS, read_metadata, signature_of, write_sealed
from converters.part import part_of, replace_graphs
from models.errors import ConversionError

ENCODE, ATTEND, HIDDEN = "encode", "attend", "hidden"

_STEP_BY_STEP = (FUSED_LSTM, "QUANTIZE", "DEQUANTIZE", "CAST")
"""Ops whose step t needs no later step, and whose shape is that of what goes in."""


def streaming_file(model: bytes, steps: int = 1) -> bytes:
    """Return a model in two parts, with the signatures `encode` and `attend`.

    Its metadata is the model's, with `streaming` beside: how many steps `encode` takes.

    Args:
        model: content of a .tflite of ours whose LSTMs run forward.
        steps: how many steps `encode` takes at a time.

    Raises:
        ConversionError: the model cannot be cut; the message says why.
        InputError: the content is no model.
    """
    document, unpacked = read_metadata(model), schema.read_model(model)
    if document is None:
        raise ConversionError("The model carries no metadata of ours: its steps and channels are not known.")
    if len(unpacked.subgraphs) != 1:
        raise ConversionError(f"The model has {len(unpacked.subgraphs)} subgraphs, and one can be cut.")
    window = document["preprocessing"]["steps"]
    if not 1 <= steps <= window:
        raise ConversionError(f"A chunk of {steps} steps; allowed is 1 to the window's {window}.")
    graph, nodes, whole = unpacked.subgraphs[0], lstm_nodes(unpacked), signature_of(unpacked)
    taken = {schema.name(entry): entry.tensorIndex for entry in whole.inputs}
    answered = {schema.name(entry): entry.tensorIndex for entry in whole.outputs}
    told = {LENGTHS: taken.pop(LENGTHS)} if LENGTHS in taken else {}
    before = _encoder(unpacked, nodes)
    after = [operator for operator in graph.operators if not _among(operator, before)]
    hidden = schema.indices(nodes[-1].operator.outputs)[0]
    _check_cut(graph, before, after, {hidden, *told.values()}, answered)
    states = {f"state_{place}": index for place, index in enumerate(_states(nodes))}
    encode = part_of(graph, ENCODE, before, {**taken, **states}, {HIDDEN: hidden, **states})
    attend = part_of(graph, ATTEND, after, {HIDDEN: hidden, **told}, answered)
    _shorten(encode.graph, window, steps)
    replace_graphs(unpacked, {ENCODE: encode, ATTEND: attend})
    return write_sealed(unpacked, {**document, "streaming": {"steps": steps}})


def _encoder(model: schema.ModelT, nodes: Sequence[LstmNode]) -> list[schema.OperatorT]:
    """The ops that the last LSTM's output needs, in their order."""
    if not nodes:
        raise ConversionError("The model has no fused LSTM whose state could be carried.")
    (graph,) = model.subgraphs
    if any(schema.operators(model, graph, "REVERSE_V2")):
        raise ConversionError(
            "An LSTM of the model runs backwards, from the window's last step to its first: it cannot start "
            "before the window is whole, so such a model cannot stream.",
            "Build without --bidirectional.",
        )
    needed, found = {schema.indices(nodes[-1].operator.outputs)[0]}, []
    for operator in reversed(graph.operators):
        if needed & set(schema.indices(operator.outputs)):
            needed |= set(schema.indices(operator.inputs))
            found.append(operator)
    for operator in found:
        name = schema.operator_name(model, operator)
        if name not in _STEP_BY_STEP or (name == FUSED_LSTM and operator.builtinOptions.timeMajor):
            raise ConversionError(f"{name} stands before the last LSTM, and cannot be done step by step.")
    missing = [node for node in nodes if not _among(node.operator, found)]
    if missing:
        raise ConversionError(f"{len(missing)} of the {len(nodes)} LSTMs are not in one chain.")
    return found[::-1]


def _check_cut(
    graph: schema.SubGraphT,
    before: Iterable[schema.OperatorT],
    after: Iterable[schema.OperatorT],
    allowed: set[int],
    answered: Mapping[str, int],
) -> None:
    """Raise unless the second part takes the allowed tensors alone, and makes every answer."""
    first = {index for operator in before for index in schema.indices(operator.outputs)}
    second = {index for operator in after for index in schema.indices(operator.outputs)}
    taken = {index for operator in after for index in schema.indices(operator.inputs)}
    borders = first | set(schema.indices(graph.inputs))
    crossing = sorted((taken & borders) - allowed) + sorted(set(answered.values()) - second)
    if crossing:
        names = ", ".join(f"'{schema.name(graph.tensors[index])}'" for index in crossing)
        raise ConversionError(
            f"What comes after the last LSTM takes more than its hidden states: {names}. Such a model cannot "
            "stream."
        )


def _states(nodes: Iterable[LstmNode]) -> list[int]:
    """The tensors of h and c of each LSTM in turn."""
    places = (LstmInput.HIDDEN_STATE, LstmInput.CELL_STATE)
    return [schema.indices(node.operator.inputs)[place] for node in nodes for place in places]


def _shorten(part: schema.SubGraphT, window: int, steps: int) -> None:
    """Give every [1, window, ...] value of the encoder `steps` steps; nothing else has three axes."""
    for tensor in part.tensors:
        shape = schema.shape(tensor)
        if len(shape) == 3:
            if shape[:2] != (1, window):
                called = schema.name(tensor)
                raise ConversionError(f"'{called}' has shape {list(shape)}, not [1, {window}, ...].")
            tensor.shape, tensor.shapeSignature = [1, steps, shape[2]], None


def _among(operator: schema.OperatorT, operators: Iterable[schema.OperatorT]) -> bool:
    """Whether it is one of them; ops are told apart by identity."""
    return any(operator is other for other in operators)
