"""The three roles of an LSTM's hidden state in an int8 file: who has which scale, and a file where all agree.

The kernel keeps h in one array. It writes it in the scale of intermediate 4, hands it out as output 0 and
reads it back as input 18, and converts between none of them.
"""

from __future__ import annotations

import copy

from converters import schema
from converters.lint import same_values
from converters.lstm_op import LstmInput, LstmNode, lstm_nodes

CUT = "cut or reshaped output"
"""The role of what holds values of the output in another shape."""


def roles(model: schema.ModelT, node: LstmNode) -> list[tuple[str, schema.TensorT | None]]:
    """The tensors that have to share scale and zero point, by what they are; none in a float LSTM.

    With a projection the hidden value is what goes into it, and has a scale of its own.
    """
    if schema.is_float(node.input):
        return []
    hidden = [("hidden value (intermediate 4)", node.effective_hidden_scale_intermediate)]
    state = [("state (input 18)", node.hidden_state), ("output 0", node.output)]
    cut = [(CUT, tensor) for tensor in same_values(model, node.subgraph, node.output)]
    projected = node.operand(LstmInput.PROJECTION_WEIGHTS) is not None
    return [*([] if projected else hidden), *state, *cut]


def untied(model: schema.ModelT, node: LstmNode) -> bool:
    """True where the roles differ, or one of them lacks its scale."""
    records = {None if one is None else schema.scale_and_zero_point(one) for _, one in roles(model, node)}
    return len(records) > 1 or None in records


def tie(content: bytes) -> bytes:
    """The same model with the output's scale and zero point on hidden value and state too.

    The output's, because what comes after the LSTM was quantized for it.
    """
    model = schema.read_model(content)
    for node in lstm_nodes(model):
        for _, tensor in roles(model, node)[:2]:
            if tensor is not None:
                tensor.quantization = copy.deepcopy(node.output.quantization)
    return schema.write_model(model)


def shown_name(model: schema.ModelT, index: int) -> str:
    """A tensor's name in a signature where it has one, else in the graph."""
    for signature in model.signatureDefs or []:
        if signature.subgraphIndex == 0:
            for entry in [*(signature.inputs or []), *(signature.outputs or [])]:
                if entry.tensorIndex == index:
                    return schema.name(entry)
    return schema.name(model.subgraphs[0].tensors[index])
