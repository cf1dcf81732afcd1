"""The rewrite of a float graph: each op in the format of its output, a QUANTIZE on the edges between two."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from converters import schema
from converters.lstm_op import FUSED_LSTM, LstmInput, LstmNode, lstm_nodes
from converters.quantizer import constants, lstm
from converters.quantizer.formats import FLOAT, Format, from_range
from converters.quantizer.observation import Seen
from converters.quantizer.operators import REGISTRY, STAY_IN_FLOAT, Output, Role, Row
from converters.quantizer.values import Value, computed
from converters.quantizer.writer import Writer
from converters.ranges import RangeTable, find, match
from models.errors import ConversionError

_INPUT = Row("INPUT", kernel="")


class Rewrite:
    """One pass over the float model's ops, in their order, which is the order in which they run.

    Args:
        model: the float model, one subgraph.
        observed: what each tensor of it holds on the probe window, by index.
        table: the quantities.
        io: precision of float inputs and outputs, "float32" or "int8".
        seen: of a model that the quantities do not cover, what its tensors were seen to hold: a value that
            matches no quantity gets the range it was seen in, and an op without a row stays in float.

    Attributes:
        values: of the float tensors that were computed so far, by index.
        left_in_float: of these the ones whose op has no integer kernel here, or stands behind such a one.
    """

    def __init__(
        self,
        model: schema.ModelT,
        observed: Mapping[int, NDArray[np.float32]],
        table: RangeTable,
        io: str,
        seen: Seen | None = None,
    ) -> None:
        self._model, self._observed, self._table, self._io = model, observed, table, io
        (self._graph,) = model.subgraphs
        self._writer = Writer(model)
        self._seen = seen
        self.values: dict[int, Value] = {}
        self.left_in_float: dict[int, str] = {}
        self._written: dict[tuple[int, Format], int] = {}  # the new tensor of a value in a format
        self._constants: dict[tuple[object, ...], int] = {}
        self._lstms = {id(node.operator): node for node in lstm_nodes(model)}

    def run(self) -> tuple[bytes, list[tuple[str, Value, str]]]:
        """Rewrite the whole model.

        Returns:
            The new model, and of each value the name of its home tensor in there, and the op that was left
            in float ("" of all others).

        Raises:
            ConversionError: an op, an operand or a value is not known.
        """
        inputs = {index: self._input(index) for index in schema.indices(self._graph.inputs)}
        for operator in self._graph.operators:
            self._operator(operator)
        outputs = {index: self._output(index) for index in schema.indices(self._graph.outputs)}
        homes = [
            (self._writer.name(self._written[index, value.home]), value, self.left_in_float.get(index, ""))
            for index, value in self.values.items()
        ]
        return self._writer.finish(inputs, outputs), homes

    # --- Borders ----------------------------------------------------------------------------------

    def _input(self, index: int) -> int:
        tensor = self._graph.tensors[index]
        if not schema.is_float(tensor):
            return self._writer.copied(index)
        value = self._computed(index, _INPUT)
        if self._io == "int8":
            value = replace(value, home=value.format_in("int8"))
        self.values[index] = value
        if self._io == value.home.precision:
            return self._home(index)
        border = self._written[index, FLOAT] = self._writer.tensor(value.name, tensor, FLOAT)
        self._writer.operator("QUANTIZE", [border], [self._home(index)])
        return border

    def _output(self, index: int) -> int:
        if index not in self.values:
            return self._writer.copied(index)
        return self._in(index, self.values[index].format_in(self._io))

    def _is_border(self, index: int) -> bool:
        return index in schema.indices(self._graph.inputs) or index in schema.indices(self._graph.outputs)

    # --- Values and edges -------------------------------------------------------------------------

    def _home(self, index: int) -> int:
        """The new tensor that the value's op writes."""
        value = self.values[index]
        # A border keeps its name; beside it, the home needs another.
        beside = self._is_border(index) and self._io != value.home.precision
        name = self._writer.new_name(f"{value.name}_{value.home.precision}") if beside else value.name
        made = self._writer.tensor(name, self._graph.tensors[index], value.home)
        self._written[index, value.home] = made
        return made

    def _in(self, index: int, wanted: Format) -> int:
        """The new tensor of a value in a format; converted from its home where nothing else wanted it yet."""
        if (index, wanted) not in self._written:
            value = self.values[index]
            at_border = self._is_border(index) and wanted == value.format_in(self._io)
            name = value.name if at_border else self._writer.new_name(f"{value.name}_{wanted.precision}")
            made = self._writer.tensor(name, self._graph.tensors[index], wanted)
            conversion = "DEQUANTIZE" if wanted == FLOAT else "QUANTIZE"
            source = self._cast(index) if wanted.precision == "int16" else self._written[index, value.home]
            self._writer.operator(conversion, [source], [made])
            self._written[index, wanted] = made
        return self._written[index, wanted]

    def _cast(self, index: int) -> int:
        """The home of a value, or the same integers in int16 where they are int8 with zero point 0.

        Before LiteRT 2.3, QUANTIZE goes from int8 to int8 only, but from int16 to int16 (and that without a
        zero point); CAST has long been in every interpreter, and on the same scale it changes no value.
        """
        home = self.values[index].home
        source = self._written[index, home]
        if home.precision != "int8" or home.zero_point != 0:
            return source
        wide = Format("int16", home.scale)
        if (index, wide) not in self._written:
            name = self._writer.new_name(f"{self.values[index].name}_cast")
            made = self._writer.tensor(name, self._graph.tensors[index], wide)
            self._writer.operator("CAST", [source], [made], schema.cast("int8", "int16"))
            self._written[index, wide] = made
        return self._written[index, wide]

    def _computed(self, index: int, row: Row) -> Value:
        """The value an op writes into a tensor, by the quantities that match it, else by what was seen."""
        name = schema.name(self._graph.tensors[index])
        if self._seen is None:
            return computed(name, match(name, self._observed[index], self._table), row)
        found, fixed = find(name, self._observed[index], self._table), row.fixed.get("int8")
        if fixed is not None and any(
            one.precision == "int8" and from_range(one.range, "int8") != fixed for one in found
        ):
            found = ()  # the layer behind has observed its input; the kernel writes what it writes
        return computed(name, found or (self._seen.quantity(index, fixed),), row)

    # --- Ops --------------------------------------------------------------------------------------

    def _operator(self, operator: schema.OperatorT) -> None:
        inputs, outputs = schema.indices(operator.inputs), schema.indices(operator.outputs)
        name = schema.operator_name(self._model, operator)
        operands = [self._graph.tensors[index] for index in (*inputs, *outputs) if index >= 0]
        if not any(schema.is_float(tensor) for tensor in operands):
            given = [self._writer.copied(index) if index >= 0 else -1 for index in inputs]
            self._writer.untouched(operator, given, [self._writer.copied(index) for index in outputs])
            return
        row = REGISTRY.get(name)
        if self._seen is not None and (row is None or self._stays_in_float(name, inputs)):
            self._in_float(operator, name, inputs, outputs, self._seen)
            return
        if row is None:
            raise ConversionError(
                f"{name}, which computes '{schema.name(self._graph.tensors[outputs[0]])}', works on float "
                f"values and is not known to the quantizer. Known: {', '.join(sorted(REGISTRY))}.",
                "Write the model with the known ops, or add a row to converters/quantizer/operators.py.",
            )
        (output,) = outputs
        value = self.values[output] = self._value(row, inputs, output)
        if name == FUSED_LSTM and value.home != FLOAT:
            self._lstm(self._lstms[id(operator)], inputs, output)
            return
        given = self._operands(row, inputs, value.home)
        options = copy.copy(operator.builtinOptions)
        row.options(options, value.home.precision)
        self._writer.operator(name, given, [self._home(output)], operator, options)

    def _stays_in_float(self, name: str, inputs: list[int]) -> bool:
        homes = [self.values[index].home for index in inputs if index in self.values]
        return name in STAY_IN_FLOAT and FLOAT in homes

    def _in_float(
        self, operator: schema.OperatorT, name: str, inputs: list[int], outputs: list[int], seen: Seen
    ) -> None:
        """The op as it is, between conversions; whoever reads its results in int8 gets the range seen."""
        given = [self._as_float(index) if index >= 0 else -1 for index in inputs]
        made = []
        for index in outputs:
            tensor = self._graph.tensors[index]
            if not schema.is_float(tensor):
                made.append(self._writer.copied(index))
                continue
            found = find(schema.name(tensor), self._observed[index], self._table)
            self.values[index] = Value(schema.name(tensor), found or (seen.quantity(index),), FLOAT)
            self.left_in_float[index] = name
            made.append(self._home(index))
        self._writer.untouched(operator, given, made)

    def _as_float(self, index: int) -> int:
        """A value in float, or what is no value as it is."""
        return self._in(index, FLOAT) if index in self.values else self._writer.copied(index)

    def _value(self, row: Row, inputs: list[int], output: int) -> Value:
        """What an op computes, and in which format."""
        name = schema.name(self._graph.tensors[output])
        if row.output is Output.MOVED:
            source = self.values.get(inputs[0])
            if source is None:
                raise ConversionError(f"{row.name} moves the values of a constant into '{name}'.")
            return replace(source, name=name)
        if row.output is Output.JOINED:
            found = find(name, self._observed[output], self._table)
            one_format = len({self.values[index].home for index in inputs if index in self.values}) == 1
            if found or (self._seen is not None and not one_format):
                return self._computed(output, row)
            return self._joined(row, inputs, name)
        return self._computed(output, row)

    def _joined(self, row: Row, inputs: list[int], name: str) -> Value:
        """A value without a quantity of its own, of parts in one format."""
        parts = [self.values[index] for index in inputs if index in self.values]
        if len({part.home for part in parts}) != 1:
            told = ", ".join(f"{part.quantity.name}: {part.home}" for part in parts)
            raise ConversionError(
                f"The {row.name} '{name}' joins values of different formats, and matches no quantity that "
                f"would give it one of its own: {told}.",
                "Give what is joined one range, or let the layer that takes it observe its input.",
            )
        return replace(parts[0], name=name)

    def _operands(self, row: Row, inputs: list[int], home: Format) -> list[int]:
        """The new inputs of an op that computes in a format."""
        given: list[int] = []
        for place, index in enumerate(inputs):
            if index < 0:
                given.append(-1)
            elif index in self.values:
                given.append(self._activation(row, place, index, home))
            elif home == FLOAT or not schema.is_float(self._graph.tensors[index]):
                given.append(self._writer.copied(index))
            else:
                given.append(self._constant(row, place, index, home, given))
        return given

    def _activation(self, row: Row, place: int, index: int, home: Format) -> int:
        role, value = row.role(place), self.values[index]
        if role in (Role.WEIGHTS, Role.WEIGHTS_LAST, Role.BIAS) and home != FLOAT:
            raise ConversionError(
                f"Operand {place} of a {row.name} has to be constant, and '{value.name}' is computed."
            )
        return self._in(index, home if role is Role.SAME else value.format_in(home.precision))

    def _constant(self, row: Row, place: int, index: int, home: Format, before: list[int]) -> int:
        """A float constant, quantized as its role asks; one tensor for all that ask alike."""
        tensor, role = self._graph.tensors[index], row.role(place)
        if not schema.has_data(self._model, tensor):
            raise ConversionError(
                f"Operand '{schema.name(tensor)}' of a {row.name} is neither constant nor computed."
            )
        values = schema.constant(self._model, tensor)
        key: tuple[object, ...] = (index, role, home.precision)
        if role is Role.WEIGHTS:
            made = constants.weights(values, per_channel=True)
        elif role is Role.WEIGHTS_LAST:
            made = constants.weights(values, per_channel=True, axis=values.ndim - 1)
        elif role is Role.BIAS:
            record = self._writer.format(before[0])
            assert record is not None  # an activation has one scale
            made = constants.bias(values, record[0], self._writer.scales(before[1]), home.precision)
            key = (*key, before[0], before[1])
        elif role is Role.SAME:
            made = constants.in_format(values, home)
            key = (*key, home)
        else:
            made = constants.symmetric(values, home.precision)
        if key not in self._constants:
            self._constants[key] = self._writer.constant(self._writer.constant_name(tensor), tensor, made)
        return self._constants[key]

    def _lstm(self, node: LstmNode, inputs: list[int], output: int) -> None:
        value = self.values[output]
        cell = lstm.cell_format(value, self._table)
        source = inputs[LstmInput.INPUT]
        given = self._in(source, self.values[source].format_in("int8"))
        lstm.write(self._model, node, self._writer, given, self._home(output), value.home, cell)
