"""Which range belongs to which tensor, and how ranges get into the flatbuffer.

The trained twin names quantities ("attention/scores"); the float .tflite has
tensors whose names the converter made up. The two are brought together by what
they hold: a tensor and a quantity are the same thing when, on one probe window,
they have the same values. No op order, no name and no kind of attention is
assumed, and a tensor for which nothing matches is an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converters import schema
from converters.lint import SAME_VALUES
from converters.lstm_op import LstmIntermediate, LstmNode, lstm_nodes
from models.errors import ConversionError
from models.quantization.number_formats import AffineFormat, Range, affine_format

MATCH_TOLERANCE = 1e-3
"""Largest difference of a match, as a share of the largest magnitude.

TFLite's float kernels differ from TensorFlow's by at most 4e-4 of an attention
weight (measured); two different quantities of one model differ in the first digit.
"""


@dataclass(frozen=True)
class Quantity:
    """A named value of the model, its range, and what it is on the probe window.

    Args:
        name: "layer/role", e.g. "lstm/hidden".
        range: the real values it must be able to hold.
        probe: its values on the probe window; None where it is never a tensor (the cell state).
    """

    name: str
    range: Range
    probe: NDArray[np.float32] | None


@dataclass(frozen=True)
class RangeTable:
    """All quantities of a model and the probe window they were seen on.

    Args:
        probe_window: [steps, features] float32, standardized.
        quantities: one for each role of each quantized layer.
    """

    probe_window: NDArray[np.float32]
    quantities: tuple[Quantity, ...]

    def __getitem__(self, name: str) -> Quantity:
        for quantity in self.quantities:
            if quantity.name == name:
                return quantity
        raise KeyError(name)

    def save(self, path: Path) -> None:
        """Write as .npz without pickles."""
        arrays: dict[str, NDArray[np.generic]] = {
            "probe_window": self.probe_window,
            "names": np.array([q.name for q in self.quantities]),
            "ranges": np.array([(q.range.minimum, q.range.maximum) for q in self.quantities], np.float64),
        }
        for place, quantity in enumerate(self.quantities):
            if quantity.probe is not None:
                arrays[f"probe_{place}"] = quantity.probe
        np.savez(path, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> RangeTable:
        """Read what ``save`` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            quantities = tuple(
                Quantity(
                    str(name),
                    Range(float(low), float(high)),
                    arrays.get(f"probe_{place}"),
                )
                for place, (name, (low, high)) in enumerate(
                    zip(arrays["names"], arrays["ranges"], strict=True)
                )
            )
            return cls(arrays["probe_window"], quantities)


@dataclass(frozen=True)
class AssignedRange:
    """The range a tensor got, and the quantity it came from."""

    tensor: str
    quantity: str
    range: Range

    @property
    def format(self) -> AffineFormat:
        """The int8 format the range leads to."""
        return affine_format(self.range)


def write_ranges(model: bytes, table: RangeTable) -> tuple[bytes, list[AssignedRange]]:
    """Write a range into every activation of a float .tflite, ready for the quantizer.

    In every fused LSTM the hidden value (intermediate 4), the state (input 18)
    and the output get one range; the cell state (input 19) its own.

    Args:
        model: a float .tflite whose LSTMs are fused and whose cell clip is off.
        table: the quantities of the same weights.

    Returns:
        The model with ranges, and what each activation got, in the graph's order.

    Raises:
        ConversionError: an activation matches no quantity, or quantities with different ranges.
    """
    from converters.inner_tensors import all_tensors

    values = {index: value for index, (_, value) in all_tensors(model, table.probe_window).items()}
    unpacked = schema.read_model(model)
    (graph,) = unpacked.subgraphs
    known: dict[int, tuple[str, Range]] = {}
    for index in schema.indices(graph.inputs):
        known[index] = _match(graph.tensors[index], values[index], table)
    lstms = {id(node.operator): node for node in lstm_nodes(unpacked)}
    for operator in graph.operators:
        name = schema.operator_name(unpacked, operator)
        inputs, outputs = schema.indices(operator.inputs), schema.indices(operator.outputs)
        for index in outputs:
            tensor = graph.tensors[index]
            if not schema.is_float(tensor):
                continue
            if name in SAME_VALUES:
                known[index] = known[inputs[0]]
            elif name == "CONCATENATION":
                known[index] = _common(tensor, [known[i] for i in inputs])
            else:
                known[index] = _match(tensor, values[index], table)
        if id(operator) in lstms:
            _write_lstm_ranges(lstms[id(operator)], known[outputs[0]][0], table)
    assigned = []
    for index, (quantity, value_range) in known.items():
        _write(graph.tensors[index], value_range)
        assigned.append(AssignedRange(schema.name(graph.tensors[index]), quantity, value_range))
    return schema.write_model(unpacked), assigned


def _match(tensor: schema.TensorT, value: NDArray[np.float32], table: RangeTable) -> tuple[str, Range]:
    """The quantity that has a tensor's values."""
    flat = np.ravel(value).astype(np.float64)
    found = []
    for quantity in table.quantities:
        if quantity.probe is None or quantity.probe.size != flat.size:
            continue
        other = np.ravel(quantity.probe).astype(np.float64)
        if np.max(np.abs(flat - other)) <= MATCH_TOLERANCE * max(np.max(np.abs(other)), 1e-6):
            found.append(quantity)
    if not found:
        names = ", ".join(f"{q.name} {list(q.probe.shape)}" for q in table.quantities if q.probe is not None)
        raise ConversionError(
            f"Tensor '{schema.name(tensor)}' {list(value.shape)} of the float model matches no quantity "
            f"that was observed: {names}.",
            "The model computes something its fake-quantized twin does not; only what it knows can be int8.",
        )
    if len({quantity.range for quantity in found}) > 1:
        names = ", ".join(f"{q.name} [{q.range.minimum:g}, {q.range.maximum:g}]" for q in found)
        raise ConversionError(
            f"Tensor '{schema.name(tensor)}' matches several quantities of different ranges: {names}."
        )
    return found[0].name, found[0].range


def _common(tensor: schema.TensorT, inputs: Sequence[tuple[str, Range]]) -> tuple[str, Range]:
    """A CONCATENATION makes its inputs share a format; they have to have it already."""
    if len({value_range for _, value_range in inputs}) > 1:
        names = ", ".join(f"{name} [{r.minimum:g}, {r.maximum:g}]" for name, r in inputs)
        raise ConversionError(
            f"The CONCATENATION '{schema.name(tensor)}' joins quantities of different ranges: {names}. "
            "It would untie the LSTM's output from its state."
        )
    return inputs[0]


def _write_lstm_ranges(node: LstmNode, hidden_name: str, table: RangeTable) -> None:
    """Tie hidden value and state to the output; give the cell state its range; add the intermediates."""
    layer = hidden_name.rpartition("/")[0]
    try:
        hidden, cell = table[hidden_name].range, table[f"{layer}/cell"].range
    except KeyError as missing:
        raise ConversionError(f"The LSTM '{layer}' has no observed quantity {missing}.") from None
    _write(node.hidden_state, hidden)
    _write(node.cell_state, cell)
    intermediates = []
    for place in LstmIntermediate:
        tensor = schema.TensorT()
        tensor.name = f"{layer}/{place.name.lower()}"
        tensor.shape = np.zeros(1, np.int32)
        tensor.type = node.output.type
        intermediates.append(len(node.subgraph.tensors))
        node.subgraph.tensors.append(tensor)
    node.operator.intermediates = np.array(intermediates, np.int32)
    _write(node.subgraph.tensors[intermediates[LstmIntermediate.EFFECTIVE_HIDDEN_SCALE]], hidden)


def _write(tensor: schema.TensorT, value_range: Range) -> None:
    """Put a range into a tensor's quantization record."""
    if tensor.quantization is None:
        tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.min = np.array([value_range.minimum], np.float32)
    tensor.quantization.max = np.array([value_range.maximum], np.float32)
