"""Which recurrent layers did not become one fused LSTM op, and why.

The converter fuses a function whose attribute `api_implements` starts with `lstm_`, which has six
arguments (a seventh is a mask), and of which only the first two outputs are used
(`tensorflow/compiler/mlir/lite/transforms/prepare_composite_functions_tf.cc`, TensorFlow 2.21). tf_keras
emits that function only for sigmoid gates, tanh, a bias, no recurrent dropout and no unrolling. Anything
else becomes a WHILE loop or a long row of ops; what is in them tells what the reason was.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from converters import schema

_COMMON = (
    "Masking, recurrent_dropout, other activations than sigmoid and tanh, use_bias=False, unroll, stateful, "
    "return_state, a GRU, or a Keras 3 layer"
)


NOT_RECURRENT = "the loop does not look like a recurrent layer"
"""The reason given for a WHILE loop without matrix products and without gates."""


@dataclass(frozen=True)
class Unfused:
    """A recurrence that runs step by step.

    Attributes:
        form: "a WHILE loop" or "unrolled".
        layer: the Keras layer's name where the file still tells it, else "".
        reason: the likely reason.
        remedy: what to change.
    """

    form: str
    layer: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class _Loop:
    """What a WHILE loop shows: how often each op is in its body, its condition and the whole model."""

    name: str
    body: Counter[str]
    condition: Counter[str]
    model: Counter[str]
    has_bias: bool


@dataclass(frozen=True)
class _Reason:
    applies: Callable[[_Loop], bool]
    reason: str
    remedy: str


# The first that applies is named. Counts are those of tf_keras 2.21 under TensorFlow 2.21; the tests
# convert one model for each row.
_REASONS = (
    _Reason(
        lambda loop: not {"LOGISTIC", "TANH", "FULLY_CONNECTED", "BATCH_MATMUL"} & set(loop.body),
        NOT_RECURRENT,
        "Find the tf.while_loop or the Python loop over a tensor in the model and write it without a loop.",
    ),
    _Reason(
        lambda loop: "SELECT_V2" in loop.body or "SELECT" in loop.body,
        "the layer gets a mask (a Masking layer, or mask_zero of an Embedding)",
        "Drop the mask and pad the windows at the front with zeros instead.",
    ),
    _Reason(
        lambda loop: loop.body["LOGISTIC"] == 2 and loop.body["TANH"] == 1,
        "it is a GRU; TFLite has a fused op for the LSTM only",
        "Use an LSTM.",
    ),
    _Reason(
        lambda loop: "ASSIGN_VARIABLE" in loop.model,
        "stateful=True",
        "Build the model for conversion with stateful=False; the fused op keeps its state by itself.",
    ),
    _Reason(
        lambda loop: "LOGICAL_AND" in loop.condition,
        "it is a Keras 3 layer, which is what tf.keras is by default",
        "Build the model with tf_keras (Keras 2).",
    ),
    _Reason(
        lambda loop: loop.body["LOGISTIC"] < 3 or loop.body["TANH"] < 2,
        "its activation is not tanh or its recurrent_activation is not sigmoid",
        "Use activation='tanh' and recurrent_activation='sigmoid'.",
    ),
    _Reason(
        lambda loop: loop.body["FULLY_CONNECTED"] >= 8,
        "recurrent_dropout is not 0",
        "Set recurrent_dropout=0 (dropout on the inputs fuses).",
    ),
    _Reason(
        lambda loop: not loop.has_bias,
        "use_bias=False",
        "Set use_bias=True; a bias of zeros computes the same.",
    ),
    _Reason(
        lambda loop: "/" not in loop.name,  # the function to fuse was there and was not taken
        "its final states are used (return_state=True), or the model was not converted from a SavedModel",
        "Take the last step of return_sequences=True instead of the state, and convert from a SavedModel.",
    ),
    _Reason(lambda loop: True, f"unknown, one of: {_COMMON}", "Check the layer for these."),
)


def find_unfused(source: schema.Source) -> list[Unfused]:
    """Find recurrences that run as a WHILE loop or unrolled.

    Unrolled steps are recognized by h = o * tanh(c), a MUL of a LOGISTIC and a TANH, at least twice. A gated
    activation elsewhere in a model looks the same, so this finding is a guess unless an LSTM is missing.

    Raises:
        InputError: the model cannot be read.
    """
    model = schema.read_model(source)
    everything = sum((_count(model, graph) for graph in model.subgraphs), Counter[str]())
    found = []
    for loop in _loops(model, everything):
        why = next(why for why in _REASONS if why.applies(loop))
        path = loop.name.split("/")
        found.append(Unfused("a WHILE loop", path[-2] if len(path) > 1 else "", why.reason, why.remedy))
    unrolled = sum(_gate_products(model, graph) for graph in model.subgraphs)
    if not found and unrolled >= 2:
        reason = "unroll=True, or steps called one by one"
        found.append(Unfused("unrolled", _unrolled_layer(model), reason, "Set unroll=False."))
    return found


def layers_named(source: schema.Source, layers: Sequence[str]) -> list[str]:
    """Return those layers that a tensor of the model is still named after ("model/LAYER/...")."""
    parts = {part for tensor in _tensors(schema.read_model(source)) for part in _path(tensor)}
    return [layer for layer in layers if layer in parts]


def _loops(model: schema.ModelT, everything: Counter[str]) -> Iterator[_Loop]:
    """A loop for each WHILE; a body that several of them share is looked at once."""
    known: dict[tuple[int, int], _Loop] = {}
    for graph in model.subgraphs:
        for operator in schema.operators(model, graph, "WHILE"):
            pair = schema.loop_subgraphs(operator)
            if pair not in known:
                condition, body = (model.subgraphs[index] for index in pair)
                counts = _count(model, body)
                # ADD: two counters, x + h and f*c + i*g; a fifth is the bias, if the products have none.
                has_bias = counts["ADD"] > 4 or any(
                    len(schema.indices(product.inputs)) > 2 and product.inputs[2] >= 0
                    for product in schema.operators(model, body, "FULLY_CONNECTED")
                )
                known[pair] = _Loop(
                    schema.name(body), counts, _count(model, condition), everything, has_bias
                )
            yield known[pair]


def _count(model: schema.ModelT, graph: schema.SubGraphT) -> Counter[str]:
    return Counter(schema.operator_name(model, operator) for operator in graph.operators or [])


def _gate_products(model: schema.ModelT, graph: schema.SubGraphT) -> int:
    """Count the MULs of a LOGISTIC and a TANH in a subgraph."""
    made_by = {
        index: schema.operator_name(model, operator)
        for operator in graph.operators or []
        for index in schema.indices(operator.outputs)
    }
    return sum(
        {made_by.get(index) for index in schema.indices(operator.inputs)} == {"LOGISTIC", "TANH"}
        for operator in schema.operators(model, graph, "MUL")
    )


def _unrolled_layer(model: schema.ModelT) -> str:
    """The part of a tensor's name before its cell: "lstm" in "model/lstm/lstm_cell/MatMul"."""
    for tensor in _tensors(model):
        path = _path(tensor)
        for layer, cell in itertools.pairwise(path):
            if cell.endswith("_cell"):
                return layer
    return ""


def _tensors(model: schema.ModelT) -> Iterator[schema.TensorT]:
    for graph in model.subgraphs:
        yield from graph.tensors or []


def _path(tensor: schema.TensorT) -> list[str]:
    """The parts of a tensor's name; a fused tensor carries several names between semicolons."""
    return schema.name(tensor).replace(";", "/").split("/")
