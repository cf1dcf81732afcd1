"""Which range belongs to which tensor.

The trained twin names quantities ("attention/scores"); the float .tflite has
tensors whose names the converter made up. The two are brought together by what
they hold: a tensor and a quantity are the same thing when, on one probe window,
they have the same values. No op order, no name and no kind of attention is
assumed, and a tensor for which nothing matches is an error, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ConversionError
from models.quantization.number_formats import Range

PRECISIONS = ("int8", "int16", "float32")
"""What a value can be computed in, from narrow to wide."""

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
        precision: what it is computed in, one of ``PRECISIONS``.

    Raises:
        ConversionError: another precision.
    """

    name: str
    range: Range
    probe: NDArray[np.float32] | None
    precision: str = "int8"

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ConversionError(
                f"Quantity '{self.name}' has the unknown precision '{self.precision}'. "
                f"Known: {', '.join(PRECISIONS)}."
            )


@dataclass(frozen=True)
class RangeTable:
    """All quantities of a model and the probe window they were seen on.

    Args:
        probe_window: [steps, features] float32, standardized.
        quantities: one for each role of each quantized layer.
        probe_length: real steps of the probe window, for a model with the input ``lengths``; else None. All
            of its steps: then masked scores have the values of the scores, whose range holds both.
    """

    probe_window: NDArray[np.float32]
    quantities: tuple[Quantity, ...]
    probe_length: int | None = None

    @property
    def probe_inputs(self) -> dict[str, NDArray[np.int32]]:
        """The model's further inputs by name, as they were on the probe window."""
        return {} if self.probe_length is None else {"lengths": np.array([self.probe_length], np.int32)}

    def __getitem__(self, name: str) -> Quantity:
        for quantity in self.quantities:
            if quantity.name == name:
                return quantity
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(quantity.name == name for quantity in self.quantities)

    def save(self, path: Path) -> None:
        """Write as .npz without pickles."""
        arrays: dict[str, NDArray[Any]] = {
            "probe_window": self.probe_window,
            "names": np.array([q.name for q in self.quantities]),
            "precisions": np.array([q.precision for q in self.quantities]),
            "ranges": np.array([(q.range.minimum, q.range.maximum) for q in self.quantities], np.float64),
        }
        for place, quantity in enumerate(self.quantities):
            if quantity.probe is not None:
                arrays[f"probe_{place}"] = quantity.probe
        if self.probe_length is not None:
            arrays["probe_length"] = np.array(self.probe_length, np.int32)
        np.savez(path, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> RangeTable:
        """Read what ``save`` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            rows = zip(arrays["names"], arrays["ranges"], arrays["precisions"], strict=True)
            quantities = tuple(
                Quantity(
                    str(name), Range(float(low), float(high)), arrays.get(f"probe_{place}"), str(precision)
                )
                for place, (name, (low, high), precision) in enumerate(rows)
            )
            length = arrays.get("probe_length")
            return cls(arrays["probe_window"], quantities, None if length is None else int(length))


def find(tensor: str, value: NDArray[np.float32], table: RangeTable) -> tuple[Quantity, ...]:
    """The quantities that have a tensor's values, none to many; those of one precision have one range.

    Args:
        tensor: its name, for messages.
        value: what it holds on the probe window.

    Raises:
        ConversionError: two of one precision have different ranges.
    """
    flat = np.ravel(value).astype(np.float64)
    found = []
    for quantity in table.quantities:
        if quantity.probe is None or quantity.probe.size != flat.size:
            continue
        probe = np.ravel(quantity.probe).astype(np.float64)
        if np.max(np.abs(flat - probe)) <= MATCH_TOLERANCE * max(np.max(np.abs(probe)), 1e-6):
            found.append(quantity)
    for precision in PRECISIONS:
        if len({quantity.range for quantity in found if quantity.precision == precision}) > 1:
            names = ", ".join(f"{q.name} [{q.range.minimum:g}, {q.range.maximum:g}]" for q in found)
            raise ConversionError(
                f"Tensor '{tensor}' matches several quantities of different ranges: {names}."
            )
    return tuple(found)


def match(tensor: str, value: NDArray[np.float32], table: RangeTable) -> tuple[Quantity, ...]:
    """As ``find``, where there has to be one.

    Raises:
        ConversionError: none has the tensor's values, or two of one precision have different ranges.
    """
    found = find(tensor, value, table)
    if not found:
        names = ", ".join(f"{q.name} {list(q.probe.shape)}" for q in table.quantities if q.probe is not None)
        raise ConversionError(
            f"Tensor '{tensor}' {list(value.shape)} of the float model matches no quantity "
            f"that was observed: {names}.",
            "The model computes something its fake-quantized twin does not; only what it knows can be int8.",
        )
    return found
