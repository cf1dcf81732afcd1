"""What is in a .tflite: frozen, JSON-able, without TensorFlow and without running the model.

What is wrong with it is for `converters.findings` to say.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from converters import lint, metadata, schema
from converters.fusion import find_unfused
from converters.lstm_op import LstmInput, LstmIntermediate, LstmNode, lstm_nodes


@dataclass(frozen=True)
class TensorSummary:
    """A tensor as the file describes it: real = scale * (q - zero_point).

    Attributes:
        name: its name in the signature where it has one, else in the graph.
        dtype: "float32", "int8" and so on.
        shape: its fixed shape.
        scales: one per tensor, or one per channel; empty where it is not quantized.
        zero_points: as many.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]


@dataclass(frozen=True)
class SignatureSummary:
    """A signature: its key, and the names it gives to inputs and outputs."""

    key: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class OpSummary:
    """How often an operator with these output types occurs in all subgraphs.

    Attributes:
        weight_bytes: of the constants it reads; what several operators read counts for the first.
    """

    name: str
    count: int
    dtypes: tuple[str, ...]
    weight_bytes: int = 0


@dataclass(frozen=True)
class LstmSummary:
    """A fused LSTM.

    Attributes:
        name: the name of its output tensor (the fused op keeps no Keras name).
        kind: "float32", "hybrid" or "int8 8x8_16".
        units: length of the hidden state.
        features: channels of the input.
        steps: time steps of a window.
        cell_clip: bound on |c|, 0 for none.
        parameters: role ("input", "input_to_forget_weights", "effective_hidden_scale", ...) and tensor.
    """

    name: str
    kind: str
    units: int
    features: int
    steps: int
    cell_clip: float
    parameters: tuple[tuple[str, TensorSummary], ...]


@dataclass(frozen=True)
class ModelSummary:
    """A model file.

    Attributes:
        size_bytes: of the file (0 for a model given unpacked).
        weight_bytes: of all constant tensors, each buffer counted once.
        description: what the converter wrote there.
        subgraphs: how many; more than one means control flow.
        inputs, outputs: of the first subgraph.
        signatures, ops, lstms: as their classes say.
        fused: True where there is a fused LSTM and no recurrence beside it.
        integer_only: True where no float tensor or op is left but inputs and outputs.
        state_rule: what whoever runs the model has to know about its state; "" where it keeps none.
        metadata: our metadata, None where there is none.
        other_metadata: names of the other metadata entries.
    """

    size_bytes: int
    weight_bytes: int
    description: str
    subgraphs: int
    inputs: tuple[TensorSummary, ...]
    outputs: tuple[TensorSummary, ...]
    signatures: tuple[SignatureSummary, ...]
    ops: tuple[OpSummary, ...]
    lstms: tuple[LstmSummary, ...]
    fused: bool
    integer_only: bool
    state_rule: str
    metadata: dict[str, Any] | None
    other_metadata: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The summary in JSON's types; an LSTM's parameters become an object by role."""
        document = asdict(self)
        for lstm in document["lstms"]:
            lstm["parameters"] = dict(lstm["parameters"])
        return document


def summarize(source: schema.Source) -> ModelSummary:
    """Describe a model file.

    Args:
        source: path or content of a .tflite, or an unpacked model.

    Raises:
        InputError: the model, or our metadata in it, cannot be read.
    """
    model = schema.read_model(source)
    size_bytes = len(schema.read_bytes(source)) if isinstance(source, bytes | str | os.PathLike) else 0
    nodes = lstm_nodes(model)
    main = model.subgraphs[0]
    names = _signature_names(model)
    unfused = find_unfused(model)
    has_state = any(tensor.isVariable for graph in model.subgraphs for tensor in graph.tensors or [])
    return ModelSummary(
        size_bytes=size_bytes,
        weight_bytes=_weight_bytes(model),
        description=schema.text(model.description),
        subgraphs=len(model.subgraphs),
        inputs=_tensors(main, main.inputs, names),
        outputs=_tensors(main, main.outputs, names),
        signatures=tuple(
            SignatureSummary(
                schema.text(signature.signatureKey),
                tuple(schema.name(entry) for entry in signature.inputs or []),
                tuple(schema.name(entry) for entry in signature.outputs or []),
            )
            for signature in model.signatureDefs or []
        ),
        ops=_ops(model),
        lstms=tuple(_lstm(node) for node in nodes),
        fused=bool(nodes) and not unfused,
        integer_only=not lint.integer_only_problems(model),
        state_rule=metadata.STATE_RULE if has_state else "",
        metadata=metadata.read_metadata(model),
        other_metadata=tuple(
            schema.name(entry)
            for entry in model.metadata or []
            if schema.name(entry) != metadata.METADATA_NAME
        ),
    )


def _tensors(graph: schema.SubGraphT, places: Any, names: dict[int, str]) -> tuple[TensorSummary, ...]:
    return tuple(_tensor(graph.tensors[place], names.get(place)) for place in schema.indices(places))


def _tensor(tensor: schema.TensorT, name: str | None = None) -> TensorSummary:
    scales, zero_points = schema.quantization(tensor)
    return TensorSummary(
        name=name or schema.name(tensor),
        dtype=schema.tensor_type_name(tensor),
        shape=schema.shape(tensor),
        scales=tuple(scales),
        zero_points=tuple(zero_points),
    )


def _lstm(node: LstmNode) -> LstmSummary:
    roles = [(place.name.lower(), node.operand(place)) for place in LstmInput]
    hidden = node.intermediate(LstmIntermediate.EFFECTIVE_HIDDEN_SCALE)
    roles += [("effective_hidden_scale", hidden), ("output", node.output)]
    shape = (1, 1, 1, *schema.shape(node.input))  # whatever rank a foreign file gives it
    time_major = node.operator.builtinOptions.timeMajor
    return LstmSummary(
        name=schema.name(node.output),
        kind=node.kind,
        units=schema.shape(node.hidden_state)[-1] if schema.shape(node.hidden_state) else 0,
        features=shape[-1],
        steps=shape[-3] if time_major else shape[-2],
        cell_clip=node.cell_clip,
        parameters=tuple((role, _tensor(tensor)) for role, tensor in roles if tensor is not None),
    )


def _ops(model: schema.ModelT) -> tuple[OpSummary, ...]:
    counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
    sizes: Counter[tuple[str, tuple[str, ...]]] = Counter()
    counted: set[int] = set()
    for graph in model.subgraphs:
        for operator in graph.operators or []:
            outputs = [graph.tensors[place] for place in schema.indices(operator.outputs) if place >= 0]
            dtypes = tuple(sorted({schema.tensor_type_name(tensor) for tensor in outputs}))
            kind = schema.operator_name(model, operator), dtypes
            counts[kind] += 1
            for tensor in (graph.tensors[place] for place in schema.indices(operator.inputs) if place >= 0):
                if tensor.buffer not in counted and schema.has_data(model, tensor):
                    counted.add(tensor.buffer)
                    sizes[kind] += len(model.buffers[tensor.buffer].data)
    return tuple(OpSummary(kind[0], count, kind[1], sizes[kind]) for kind, count in sorted(counts.items()))


def _weight_bytes(model: schema.ModelT) -> int:
    constants = {
        tensor.buffer
        for graph in model.subgraphs
        for tensor in graph.tensors or []
        if schema.has_data(model, tensor)
    }
    return sum(len(model.buffers[place].data) for place in constants)


def _signature_names(model: schema.ModelT) -> dict[int, str]:
    """Names that signatures give to the first subgraph's tensors, by tensor index."""
    return {
        entry.tensorIndex: schema.name(entry)
        for signature in model.signatureDefs or []
        if signature.subgraphIndex == 0
        for entry in [*(signature.inputs or []), *(signature.outputs or [])]
    }
