"""The float values of a model: which quantities they are, and the format each is computed and handed on in.

A value has one home, the format in which its op writes it. The rule for it is short: **the widest precision
among the quantities that have the value and for which the op has a kernel.** So where attention asks for
its context in int16 and the head for the same context in int8, the attention's op writes int16, and a
QUANTIZE on the edge to the head makes the int8. A hidden state that attention asks for in int16 is still
written in int8, because the LSTM has no other kernel, and widened on the edge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from converters.quantizer.formats import FLOAT, Format, from_range, widened
from converters.quantizer.operators import Row
from converters.ranges import PRECISIONS, Quantity
from models.errors import ConversionError


@dataclass(frozen=True)
class Value:
    """A float value of the model.

    Args:
        name: of its tensor in the float model.
        quantities: that have its values; at least one.
        home: the format its op writes.
        fixed: the formats that its op's kernel demands, by precision.
    """

    name: str
    quantities: tuple[Quantity, ...]
    home: Format
    fixed: Mapping[str, Format] = field(default_factory=dict)

    @property
    def quantity(self) -> Quantity:
        """The one that gave the home its range."""
        return _preferred(self.quantities, self.home.precision)

    def format_in(self, precision: str) -> Format:
        """The format of this value for an op that computes in a precision.

        Wider: the int16 that holds the int8 exactly. Narrower: what the kernel that made it would have
        written, or the quantity of that precision, or the value's own range.
        """
        if precision == self.home.precision:
            return self.home
        if precision == "float32":
            return FLOAT
        if precision == "int16" and self.home.precision == "int8":
            return widened(self.home)
        if precision in self.fixed:
            return self.fixed[precision]
        return from_range(_preferred(self.quantities, precision).range, precision)


def computed(name: str, quantities: Sequence[Quantity], row: Row) -> Value:
    """The value that an op writes.

    Raises:
        ConversionError: the op has no kernel for what the quantities ask, or its kernel writes another
            format than their range gives.
    """
    asked = {quantity.precision for quantity in quantities}
    known = [precision for precision in PRECISIONS if precision in asked and precision in row.precisions]
    if not known:
        names = ", ".join(f"'{quantity.name}' ({quantity.precision})" for quantity in quantities)
        raise ConversionError(
            f"{row.name} has no {', '.join(sorted(asked))} kernel, and its output '{name}' is {names}.",
            f"Give that quantity one of {', '.join(row.precisions)}; what is computed from it can be wider.",
        )
    precision = known[-1]
    quantity = _preferred(quantities, precision)
    home = from_range(quantity.range, precision)
    if precision in row.fixed:
        if precision == "int8" and home != row.fixed[precision]:
            low, high = quantity.range.minimum, quantity.range.maximum
            raise ConversionError(
                f"The {row.name} kernel writes '{name}' as {row.fixed[precision]}. "
                f"Quantity '{quantity.name}' has the range [{low:g}, {high:g}], which gives {home}.",
                "Give that quantity the range that the kernel has.",
            )
        home = row.fixed[precision]
    return Value(name, tuple(quantities), home, row.fixed)


def _preferred(quantities: Sequence[Quantity], precision: str) -> Quantity:
    """The quantity of a precision, or the first."""
    return next((one for one in quantities if one.precision == precision), quantities[0])
