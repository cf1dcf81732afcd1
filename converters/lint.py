"""What is wrong with a .tflite: one rule a function.

`*_problems` lists what a rule finds; `check_*` raises ConversionError when it finds something.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from converters import schema
from converters.fusion import find_unfused, layers_named
from converters.lstm_op import FUSED_LSTM, lstm_nodes
from models.errors import ConversionError

SAME_VALUES = (
    "STRIDED_SLICE",
    "SLICE",
    "RESHAPE",
    "SQUEEZE",
    "EXPAND_DIMS",
    "TRANSPOSE",
    "GATHER",
    "REVERSE_V2",
)
"""Ops that move values and do not change them: what comes out has to carry the scale of what went in."""


@dataclass(frozen=True)
class Problem:
    """Something wrong, and what to do about it."""

    message: str
    tip: str = ""


# --- Fusion ---------------------------------------------------------------------------------------


def fusion_problems(source: schema.Source, lstm_layers: Sequence[str]) -> list[Problem]:
    """Each of these Keras layers has to be one fused LSTM, and nothing may be a loop, Flex or custom op.

    Args:
        source: the float model, before any calibration.
        lstm_layers: names of the Keras LSTM layers; a bidirectional one counts as two.
    """
    model = schema.read_model(source)
    fused = len(lstm_nodes(model))
    missing = len(lstm_layers) - fused
    problems = []
    unfused = [one for one in find_unfused(model) if one.form != "unrolled" or missing > 0]
    for one in unfused:
        who = _who(model, one.layer, lstm_layers)
        what = f"was not fused into {FUSED_LSTM}: it is {one.form}"
        problems.append(Problem(f"{who} {what}. Likely: {one.reason}.", one.remedy))
    if missing > len(unfused) or missing < 0:
        names = ", ".join(f"'{layer}'" for layer in lstm_layers) or "none"
        problems.append(
            Problem(
                f"The model has {fused} {FUSED_LSTM}, expected {len(lstm_layers)} (layers: {names}).",
                "Convert from a SavedModel of a tf_keras model whose batch size is 1.",
            )
        )
    return problems + custom_op_problems(model)


def custom_op_problems(source: schema.Source) -> list[Problem]:
    """No Flex and no custom operator."""
    model = schema.read_model(source)
    custom = {
        schema.operator_name(model, operator)
        for graph in model.subgraphs
        for operator in schema.operators(model, graph)
        if schema.is_custom(model, operator)
    }
    if not custom:
        return []
    return [
        Problem(
            f"The model has operators that TFLite alone cannot run: {', '.join(sorted(custom))}.",
            "Convert with TFLITE_BUILTINS only: the converter's error then names the layer they come from.",
        )
    ]


def _who(model: schema.ModelT, layer: str, lstm_layers: Sequence[str]) -> str:
    """Name the layer as exactly as the file allows."""
    if layer in lstm_layers or not lstm_layers:
        return f"Layer '{layer}'" if layer else "A recurrent layer"
    candidates = lstm_layers if len(lstm_layers) == 1 else layers_named(model, lstm_layers) or lstm_layers
    if len(candidates) == 1:
        return f"Layer '{candidates[0]}'"
    return "One of the layers " + ", ".join(f"'{candidate}'" for candidate in candidates)


# --- Quantization ---------------------------------------------------------------------------------


def state_scale_problems(source: schema.Source) -> list[Problem]:
    """In every int8 LSTM the hidden value, the state and the output have to share scale and zero point.

    The kernel writes h in the scale of intermediate 4, hands it out as output 0 and reads it back as
    input 18 without rescaling. What is only cut or reshaped from the output has to agree too.
    """
    model = schema.read_model(source)
    problems = []
    for node in lstm_nodes(model):
        if schema.is_float(node.input):
            continue
        hidden = node.effective_hidden_scale_intermediate
        roles = [("hidden value (intermediate 4)", hidden)] if hidden is not None else []
        roles += [("state (input 18)", node.hidden_state), ("output 0", node.output)]
        cut = same_values(model, node.subgraph, node.output)
        roles += [("cut or reshaped output", tensor) for tensor in cut]
        records = [schema.scale_and_zero_point(tensor) for _, tensor in roles]
        if hidden is not None and None not in records and len(set(records)) == 1:
            continue
        listed = "; ".join(
            f"{role} '{schema.name(tensor)}': {_shown(record)}"
            for (role, tensor), record in zip(roles, records, strict=True)
        )
        lacking = "" if hidden is not None else "the hidden value (intermediate 4) is missing; "
        problems.append(
            Problem(
                f"The scales of an LSTM's hidden state are not tied: {lacking}{listed}.",
                "Give all of them one range before quantizing. A CONCATENATION makes its inputs share a "
                "range and so unties the output, unless what it is joined with (the context) has that range "
                "too.",
            )
        )
    return problems


def integer_only_problems(source: schema.Source) -> list[Problem]:
    """No float tensor with elements, but for inputs and outputs, and no op on one but their conversion."""
    model = schema.read_model(source)
    problems = []
    for graph in model.subgraphs:
        inputs, outputs = set(schema.indices(graph.inputs)), set(schema.indices(graph.outputs))
        floats = {
            index
            for index, tensor in enumerate(graph.tensors or [])
            if schema.is_float(tensor) and schema.elements(tensor) > 0
        }
        for operator in graph.operators or []:
            reads = floats & set(schema.indices(operator.inputs))
            writes = floats & set(schema.indices(operator.outputs))
            name = schema.operator_name(model, operator)
            at_the_border = (name == "QUANTIZE" and reads <= inputs and not writes) or (
                name == "DEQUANTIZE" and writes <= outputs and not reads
            )
            if (reads or writes) and not at_the_border:
                names = ", ".join(
                    f"'{schema.name(graph.tensors[index])}'" for index in sorted(reads | writes)
                )
                problems.append(Problem(f"{name} works on float values: {names}.", _INTEGER_TIP))
        for index in sorted(floats - inputs - outputs):
            problems.append(Problem(f"Tensor '{schema.name(graph.tensors[index])}' is float.", _INTEGER_TIP))
    return problems


_INTEGER_TIP = "Every value needs a range before quantizing, and an integer precision."


def cell_clip_problems(source: schema.Source) -> list[Problem]:
    """The cell clip has to be off (0) in every fused LSTM: Keras has none."""
    return [
        Problem(
            f"LSTM '{schema.name(node.output)}' clips its cell state at {node.cell_clip:g}; Keras does not.",
            "Set it to 0 with converters.flatbuffer.set_cell_clip.",
        )
        for node in lstm_nodes(schema.read_model(source))
        if node.cell_clip != 0
    ]


def scale_problems(
    source: schema.Source, expected: Mapping[str, tuple[float, int]], relative_tolerance: float = 1e-6
) -> list[Problem]:
    """Named tensors have to carry the expected scale and zero point; a float border, on its int8 side.

    Args:
        source: the quantized model.
        expected: (scale, zero point) by tensor name; of tensors with one name, each has to agree.
        relative_tolerance: of the scale. The scale is stored as float32 (2^-24 = 6e-8 relative) and made
            from two float32 bounds, a difference and a division: a few such roundings, well under 1e-6.
    """
    model = schema.read_model(source)
    found: dict[str, list[schema.TensorT]] = {}
    for graph in model.subgraphs:
        converted = _integer_sides(model, graph)
        for index, tensor in enumerate(graph.tensors or []):
            found.setdefault(schema.name(tensor), []).append(converted.get(index, tensor))
    problems = []
    for name, (scale, zero_point) in expected.items():
        if name not in found:
            problems.append(Problem(f"There is no tensor '{name}' whose scale could be checked."))
        for tensor in found.get(name, []):
            record = schema.scale_and_zero_point(tensor)
            if (
                record is None
                or record[1] != zero_point
                or not math.isclose(record[0], scale, rel_tol=relative_tolerance)
            ):
                got, wanted = _shown(record), _shown((scale, zero_point))
                problems.append(Problem(f"Tensor '{name}' has {got}, expected {wanted}."))
    return problems


def _integer_sides(model: schema.ModelT, graph: schema.SubGraphT) -> dict[int, schema.TensorT]:
    """The int8 tensor that a float tensor becomes (QUANTIZE) or is made from (DEQUANTIZE), by its index."""
    sides = {}
    for operator in schema.operators(model, graph, "QUANTIZE", "DEQUANTIZE"):
        (source,), (result,) = schema.indices(operator.inputs), schema.indices(operator.outputs)
        if schema.is_float(graph.tensors[source]):
            sides[source] = graph.tensors[result]
        elif schema.is_float(graph.tensors[result]):
            sides[result] = graph.tensors[source]
    return sides


def same_values(
    model: schema.ModelT, graph: schema.SubGraphT, tensor: schema.TensorT
) -> Iterator[schema.TensorT]:
    """What is made from a tensor by moving its values only; ops stand in the order in which they run."""
    reached = {index for index, other in enumerate(graph.tensors) if other is tensor}
    for operator in schema.operators(model, graph, *SAME_VALUES):
        if schema.indices(operator.inputs)[:1] and operator.inputs[0] in reached:
            reached.update(schema.indices(operator.outputs))
            yield from (graph.tensors[index] for index in schema.indices(operator.outputs))


def _shown(record: tuple[float, int] | None) -> str:
    return "no single scale" if record is None else f"scale {record[0]:.9g}, zero point {record[1]}"


# --- The same, raising ----------------------------------------------------------------------------


def _raise(problems: list[Problem]) -> None:
    """Raise all problems as one ConversionError; its tip holds every tip once."""
    if problems:
        tips = dict.fromkeys(problem.tip for problem in problems if problem.tip)
        raise ConversionError("\n".join(problem.message for problem in problems), "\n".join(tips))


def check_fused(source: schema.Source, lstm_layers: Sequence[str]) -> None:
    """Raise ConversionError unless `fusion_problems` is empty."""
    _raise(fusion_problems(source, lstm_layers))


def check_state_scales_tied(source: schema.Source) -> None:
    """Raise ConversionError unless `state_scale_problems` is empty."""
    _raise(state_scale_problems(source))


def check_integer_only(source: schema.Source) -> None:
    """Raise ConversionError unless `integer_only_problems` is empty."""
    _raise(integer_only_problems(source))


def check_cell_clip_off(source: schema.Source) -> None:
    """Raise ConversionError unless `cell_clip_problems` is empty."""
    _raise(cell_clip_problems(source))


def check_scales(
    source: schema.Source, expected: Mapping[str, tuple[float, int]], relative_tolerance: float = 1e-6
) -> None:
    """Raise ConversionError unless `scale_problems` is empty."""
    _raise(scale_problems(source, expected, relative_tolerance))
