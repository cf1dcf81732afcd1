"""The operands of the fused op UNIDIRECTIONAL_SEQUENCE_LSTM by name.

Source: `tensorflow/lite/kernels/unidirectional_sequence_lstm.cc` and `lstm_shared.h` (TensorFlow 2.21).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from converters import schema
from models.errors import InputError

FUSED_LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"
GATES = ("input", "forget", "cell", "output")
"""The order of the four gates in the op's operands, which is Keras's order i, f, c, o too."""


class LstmInput(IntEnum):
    """Places of the 24 inputs. int8 means the 8x8_16 kernel; -1 stands for an absent input."""

    INPUT = 0
    """x: [batch, time, features] (or time first); int8 asymmetric."""
    INPUT_TO_INPUT_WEIGHTS = 1
    """W_i: [units, features]; int8 symmetric in [-127, 127], one scale."""
    INPUT_TO_FORGET_WEIGHTS = 2
    """W_f: [units, features]; as W_i."""
    INPUT_TO_CELL_WEIGHTS = 3
    """W_c, of the cell candidate: [units, features]; as W_i."""
    INPUT_TO_OUTPUT_WEIGHTS = 4
    """W_o: [units, features]; as W_i."""
    RECURRENT_TO_INPUT_WEIGHTS = 5
    """R_i: [units, units]; int8 symmetric in [-127, 127], one scale."""
    RECURRENT_TO_FORGET_WEIGHTS = 6
    """R_f: [units, units]; as R_i."""
    RECURRENT_TO_CELL_WEIGHTS = 7
    """R_c: [units, units]; as R_i."""
    RECURRENT_TO_OUTPUT_WEIGHTS = 8
    """R_o: [units, units]; as R_i."""
    CELL_TO_INPUT_WEIGHTS = 9
    """Peephole of the input gate: [units]; Keras has none."""
    CELL_TO_FORGET_WEIGHTS = 10
    """Peephole of the forget gate: [units]; Keras has none."""
    CELL_TO_OUTPUT_WEIGHTS = 11
    """Peephole of the output gate: [units]; Keras has none."""
    INPUT_GATE_BIAS = 12
    """b_i: [units]; int32, scale = scale of x times scale of W_i."""
    FORGET_GATE_BIAS = 13
    """b_f: [units]; as b_i with W_f. Keras's unit forget bias is already in it."""
    CELL_GATE_BIAS = 14
    """b_c: [units]; as b_i with W_c."""
    OUTPUT_GATE_BIAS = 15
    """b_o: [units]; as b_i with W_o."""
    PROJECTION_WEIGHTS = 16
    """Projection of the hidden state: [outputs, units]; Keras has none."""
    PROJECTION_BIAS = 17
    """Bias of the projection: [outputs]; Keras has none."""
    HIDDEN_STATE = 18
    """h of the step before: [batch, units], a variable tensor that survives invoke(); int8 asymmetric."""
    CELL_STATE = 19
    """c of the step before: [batch, units], a variable tensor; int16 symmetric, power-of-two scale."""
    INPUT_LAYER_NORM = 20
    """Layer normalization of the input gate: [units]; Keras has none."""
    FORGET_LAYER_NORM = 21
    """Layer normalization of the forget gate: [units]; Keras has none."""
    CELL_LAYER_NORM = 22
    """Layer normalization of the cell gate: [units]; Keras has none."""
    OUTPUT_LAYER_NORM = 23
    """Layer normalization of the output gate: [units]; Keras has none."""


class LstmIntermediate(IntEnum):
    """Places of the 5 intermediates. They have no elements and only lend their quantization record."""

    INPUT_TO_INPUT = 0
    """Pre-activation of the input gate; used with layer normalization only."""
    INPUT_TO_FORGET = 1
    """Pre-activation of the forget gate; used with layer normalization only."""
    INPUT_TO_CELL = 2
    """Pre-activation of the cell gate; used with layer normalization only."""
    INPUT_TO_OUTPUT = 3
    """Pre-activation of the output gate; used with layer normalization only."""
    EFFECTIVE_HIDDEN_SCALE = 4
    """Scale and zero point in which o * tanh(c) is written; int8. Has to equal input 18 and the output."""


@dataclass(frozen=True, eq=False)
class LstmNode:
    """One fused LSTM of an unpacked model, its tensors by name. The tensors are the model's own."""

    operator: schema.OperatorT
    subgraph: schema.SubGraphT

    def operand(self, place: LstmInput) -> schema.TensorT | None:
        """The tensor at an input place, or None where the model leaves it out."""
        return self._tensor(self.operator.inputs, place)

    def intermediate(self, place: LstmIntermediate) -> schema.TensorT | None:
        """The tensor at an intermediate place, or None in a float model."""
        return self._tensor(self.operator.intermediates, place)

    @property
    def input(self) -> schema.TensorT:
        """x: [batch, time, features]."""
        return self.subgraph.tensors[self.operator.inputs[LstmInput.INPUT]]

    @property
    def output(self) -> schema.TensorT:
        """The hidden states of all steps: [batch, time, units]."""
        return self.subgraph.tensors[self.operator.outputs[0]]

    @property
    def hidden_state(self) -> schema.TensorT:
        """h, the variable tensor: [batch, units]."""
        return self.subgraph.tensors[self.operator.inputs[LstmInput.HIDDEN_STATE]]

    @property
    def cell_state(self) -> schema.TensorT:
        """c, the variable tensor: [batch, units]."""
        return self.subgraph.tensors[self.operator.inputs[LstmInput.CELL_STATE]]

    @property
    def effective_hidden_scale_intermediate(self) -> schema.TensorT | None:
        """The record in which h is written; None in a float model."""
        return self.intermediate(LstmIntermediate.EFFECTIVE_HIDDEN_SCALE)

    @property
    def input_weights(self) -> dict[str, schema.TensorT]:
        """W by gate: [units, features] each."""
        return self._by_gate(LstmInput.INPUT_TO_INPUT_WEIGHTS)

    @property
    def recurrent_weights(self) -> dict[str, schema.TensorT]:
        """R by gate: [units, units] each."""
        return self._by_gate(LstmInput.RECURRENT_TO_INPUT_WEIGHTS)

    @property
    def biases(self) -> dict[str, schema.TensorT]:
        """b by gate: [units] each."""
        return self._by_gate(LstmInput.INPUT_GATE_BIAS)

    @property
    def kind(self) -> str:
        """The kernel that runs it: "float32", "hybrid" (int8 weights, float values) or "int8 8x8_16"."""
        weights = schema.tensor_type_name(self.input_weights["output"])
        values = schema.tensor_type_name(self.input)
        if weights == values == "float32":
            return "float32"
        if values == "float32":
            return "hybrid"
        cell = schema.tensor_type_name(self.cell_state)
        return (
            "int8 8x8_16" if (weights, values, cell) == ("int8", "int8", "int16") else f"{values} {weights}"
        )

    @property
    def cell_clip(self) -> float:
        """The bound on |c|; 0 means none."""
        return float(self.operator.builtinOptions.cellClip)

    def _tensor(self, vector: Any, place: int) -> schema.TensorT | None:
        places = schema.indices(vector)
        return self.subgraph.tensors[places[place]] if place < len(places) and places[place] >= 0 else None

    def _by_gate(self, first: LstmInput) -> dict[str, schema.TensorT]:
        """The tensors of the four gates from a first place on; a gate the op lacks (CIFG) is left out."""
        found = {gate: self.operand(LstmInput(first + place)) for place, gate in enumerate(GATES)}
        return {gate: tensor for gate, tensor in found.items() if tensor is not None}


_REQUIRED = (
    LstmInput.INPUT,
    LstmInput.INPUT_TO_OUTPUT_WEIGHTS,
    LstmInput.RECURRENT_TO_OUTPUT_WEIGHTS,
    LstmInput.OUTPUT_GATE_BIAS,
    LstmInput.HIDDEN_STATE,
    LstmInput.CELL_STATE,
)


def lstm_nodes(model: schema.ModelT) -> list[LstmNode]:
    """The fused LSTMs of all subgraphs, in the order in which they run.

    Raises:
        InputError: one of them lacks its options, its output or an input it cannot run without.
    """
    nodes = [
        LstmNode(operator, graph)
        for graph in model.subgraphs
        for operator in schema.operators(model, graph, FUSED_LSTM)
    ]
    for node in nodes:
        missing = [place.name for place in _REQUIRED if node.operand(place) is None]
        missing += [] if schema.indices(node.operator.outputs) else ["OUTPUT"]
        missing += [] if hasattr(node.operator.builtinOptions, "cellClip") else ["OPTIONS"]
        if missing:
            raise InputError(f"The model is damaged: a fused LSTM has no {', '.join(missing)}.")
    return nodes
