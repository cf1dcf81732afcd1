"""Rules about the state between steps and between calls."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from converters import schema
from converters.findings import scales
from converters.findings.finding import Evidence, Finding, error, info, rule
from converters.findings.measurement import LstmMeasurement
from converters.lstm_op import LstmNode

RESET = (
    "Call reset_all_variables() (Java: resetVariableTensors()) after allocate_tensors() and before every "
    "window; signature runners do not. Leave it out only to go on with a stream."
)


@rule("lstm-state-scales")
def state_scales(evidence: Evidence) -> Iterator[Finding]:
    """Hidden value, state and output in different scales: read back as other numbers than were written.

    Where one LSTM of a file is untied, the tied ones are listed beside it, as info.
    """
    model = evidence.model
    if not any(scales.untied(model, node) for node, _ in evidence.lstms):
        return
    for node, measured in evidence.lstms:
        roles = scales.roles(model, node)
        who, listed = f"The {direction(model, node)}LSTM", _listed(roles)
        if scales.untied(model, node):
            yield error(
                schema.name(node.output),
                f"{who} reads its hidden state in another scale than it writes it: {listed}. The kernel "
                f"keeps one array for them and converts nothing.{_effect(evidence, measured)}",
                "Quantize with one range for all of them: `pipeline build` does. With the stock converter "
                "set experimental_new_quantizer = False; a CONCATENATION behind the LSTM still gives the "
                "output the range of what it is joined with.",
            )
        elif roles:
            yield info(schema.name(node.output), f"{who} has one scale for them, as it should: {listed}.")


@rule("state-kept")
def state_kept(evidence: Evidence) -> Iterator[Finding]:
    """State that survives a call."""
    model = evidence.model
    names = [schema.name(node.output) for node, _ in evidence.lstms if node.hidden_state.isVariable]
    if names:
        yield info(
            names[0] if len(names) == 1 else "",
            "Hidden and cell state survive invoke(): without a reset every window but the first is answered "
            "in the light of the one before, and nothing fails.",
            RESET,
        )
    assigned = any(
        True for graph in model.subgraphs for _ in schema.operators(model, graph, "ASSIGN_VARIABLE")
    )
    if assigned:
        yield info(
            "",
            "State is kept in resource variables (ASSIGN_VARIABLE). reset_all_variables() does not reset "
            "these, and allocate_tensors() does not either.",
            "Make a new interpreter for every window, or build the model with stateful=False.",
        )


def direction(model: schema.ModelT, node: LstmNode) -> str:
    """Return "backward " for an LSTM that reads a REVERSE_V2, "forward " if another reads it reversed."""
    graph, x = node.subgraph, int(node.operator.inputs[0])
    reversals = {
        int(operator.outputs[0]): int(operator.inputs[0])
        for operator in schema.operators(model, graph, "REVERSE_V2")
        if schema.indices(operator.inputs) and schema.indices(operator.outputs)
    }
    if x in reversals:
        return "backward "
    read = {int(other.inputs[0]) for other in schema.operators(model, graph, "UNIDIRECTIONAL_SEQUENCE_LSTM")}
    return "forward " if any(result in read and origin == x for result, origin in reversals.items()) else ""


def _listed(roles: list[tuple[str, schema.TensorT | None]]) -> str:
    """The scales of the three roles, and of what is cut from the output where that differs."""
    shown = [(role, _shown(tensor)) for role, tensor in roles]
    output = dict(shown).get("output 0")
    return "; ".join(f"{role}: {what}" for role, what in shown if role != scales.CUT or what != output)


def _effect(evidence: Evidence, measured: LstmMeasurement) -> str:
    """What it does to the answers, as far as it could be measured."""
    parts = []
    if measured.error is not None and measured.error_if_tied is not None:
        parts.append(
            f"this LSTM's output is off by {100 * measured.error:.1f} % of its standard deviation (RMS, "
            f"against the float LSTM of the same weights), with one scale by "
            f"{100 * measured.error_if_tied:.1f} %"
        )
    if evidence.measured.changes:
        moved = ", ".join(
            f"'{change.name}' by up to {change.largest:.3g} (standard deviation {change.spread:.3g})"
            for change in evidence.measured.changes
        )
        parts.append(f"one scale throughout moves {moved}")
    return f" {evidence.basis} {'; '.join(parts)}." if parts else " The effect could not be measured."


def _shown(tensor: schema.TensorT | None) -> str:
    """Scale, as short as still names the float32, and zero point."""
    if tensor is None:
        return "missing"
    record = schema.scale_and_zero_point(tensor)
    return "no single scale" if record is None else f"scale {np.float32(record[0])!s}, zero point {record[1]}"
