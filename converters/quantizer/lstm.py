"""The operands of an integer LSTM ("8x8_16", `tensorflow/lite/kernels/lstm_eval.cc`, TensorFlow 2.21).

Weights int8 per tensor, biases int32; hidden value, state and output share one int8 format, because the
kernel treats the three as one array; the cell state is int16 with a power-of-two scale.
"""

from __future__ import annotations

from converters import schema
from converters.lstm_op import LstmInput, LstmIntermediate, LstmNode
from converters.quantizer import constants
from converters.quantizer.formats import FLOAT, Format
from converters.quantizer.values import Value
from converters.quantizer.writer import Writer
from converters.ranges import RangeTable
from models.errors import ConversionError
from models.quantization.number_formats import cell_exponent

WEIGHTS = (*range(LstmInput.INPUT_TO_INPUT_WEIGHTS, LstmInput.RECURRENT_TO_OUTPUT_WEIGHTS + 1),)
BIASES = (*range(LstmInput.INPUT_GATE_BIAS, LstmInput.OUTPUT_GATE_BIAS + 1),)
_KNOWN = {LstmInput.INPUT, *WEIGHTS, *BIASES, LstmInput.HIDDEN_STATE, LstmInput.CELL_STATE}
_UNUSED = tuple(place for place in LstmIntermediate if place < LstmIntermediate.EFFECTIVE_HIDDEN_SCALE)


def check_operands(node: LstmNode) -> None:
    """Raise ConversionError unless the LSTM is one that Keras makes: all four gates, nothing beyond."""
    given = {place for place in LstmInput if node.operand(place) is not None}
    if given != _KNOWN:
        wrong = ", ".join(place.name for place in sorted(given ^ _KNOWN))
        raise ConversionError(
            f"The LSTM '{schema.name(node.output)}' has other operands than a Keras LSTM: {wrong}.",
            "Peepholes, projection, layer normalization and coupled gates are not known here.",
        )


def cell_format(hidden: Value, table: RangeTable) -> Format:
    """The format of the cell state of the LSTM whose hidden state a value is.

    Raises:
        ConversionError: the table has no cell state of its layer.
    """
    wanted = [f"{quantity.name.rpartition('/')[0]}/cell" for quantity in hidden.quantities]
    for name in wanted:
        if name in table:
            largest = max(abs(table[name].range.minimum), abs(table[name].range.maximum))
            return Format("int16", 2.0 ** cell_exponent(largest))
    layer, name = wanted[0].rpartition("/")[0], wanted[0]
    raise ConversionError(f"The LSTM '{layer}' has no observed quantity '{name}'.")


def write(
    model: schema.ModelT,
    node: LstmNode,
    writer: Writer,
    given: int,
    output: int,
    hidden: Format,
    cell: Format,
) -> None:
    """Write the integer LSTM.

    Args:
        model: the float model the node is in.
        node: the float LSTM, after ``check_operands``.
        given: the new model's tensor x, int8.
        output: the new model's tensor of all hidden states, int8.
        hidden: the format of ``output``, and so of the state.
        cell: the format of the cell state.
    """
    inputs = [-1] * len(LstmInput)
    inputs[LstmInput.INPUT] = given
    scales = {}
    for place in WEIGHTS:
        tensor = _operand(node, place)
        weights = constants.weights(schema.constant(model, tensor), per_channel=False)
        scales[place] = weights.scales
        inputs[place] = writer.constant(writer.constant_name(tensor), tensor, weights)
    input_scale = writer.format(given)
    assert input_scale is not None  # an activation has one scale
    for gate, place in enumerate(BIASES):
        tensor = _operand(node, place)
        values = constants.bias(
            schema.constant(model, tensor), input_scale[0], scales[WEIGHTS[gate]], "int8"
        )
        inputs[place] = writer.constant(writer.constant_name(tensor), tensor, values)
    for place, number in ((LstmInput.HIDDEN_STATE, hidden), (LstmInput.CELL_STATE, cell)):
        tensor = _operand(node, place)
        inputs[place] = writer.variable(writer.constant_name(tensor), tensor, number)
    intermediates = [
        writer.empty(writer.new_name(f"{place.name.lower()}_intermediate"), FLOAT) for place in _UNUSED
    ]
    intermediates.append(writer.empty(writer.new_name("effective_hidden_scale_intermediate"), hidden))
    writer.operator(
        schema.operator_name(model, node.operator), inputs, [output], node.operator, None, intermediates
    )


def _operand(node: LstmNode, place: int) -> schema.TensorT:
    tensor = node.operand(LstmInput(place))
    assert tensor is not None  # check_operands
    return tensor
