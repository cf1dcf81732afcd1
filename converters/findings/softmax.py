"""The rule about softmaxes whose weights are smaller than the steps they are written in."""

from __future__ import annotations

from collections.abc import Iterator

from converters import schema
from converters.findings.finding import Evidence, Finding, error, info, rule, warning
from converters.lint import SAME_VALUES

STEPS = 256
"""An 8-bit softmax is written in steps of 1/256 by every kernel, whatever its values."""

TOO_LONG = 2 * STEPS
"""Above it the mean weight 1/T is under half a step and rounds to 0: an even attention vanishes."""

LONG = STEPS // 2
"""Above it the mean weight has fewer than two steps; a rounding of half a step is over a quarter of it."""

_FOR_ATTENTION = (
    "Shorten the window or let the LSTM skip steps, or keep scores, softmax and context in int16 (steps of "
    "1/32768) or float."
)
_FOR_CLASSES = (
    "Fine for picking the best class. For probabilities take the softmax of the logits outside of the model."
)
_PASSED_ON = (*SAME_VALUES, "QUANTIZE", "DEQUANTIZE")


@rule("softmax-steps")
def softmax_steps(evidence: Evidence) -> Iterator[Finding]:
    """Each weight is rounded by up to 1/512: the sum by up to T/512, the total variation by about T/2048.

    A softmax that no op computes with gives class probabilities, of which the small ones do not matter.
    """
    model = evidence.model
    sums = {one.tensor: one for one in evidence.measured.row_sums}
    for graph in model.subgraphs:
        for operator in schema.operators(model, graph, "SOFTMAX"):
            index = next(iter(schema.indices(operator.outputs)), -1)
            if index < 0:
                continue
            tensor = graph.tensors[index]
            length = schema.shape(tensor)[-1] if schema.shape(tensor) else 0
            if schema.tensor_type_name(tensor) not in ("int8", "uint8") or length <= LONG:
                continue
            used = _is_computed_with(model, graph, index)
            if not used and length <= TOO_LONG:
                continue
            mean = "under half a step: an even attention is 0 everywhere"
            if length <= TOO_LONG:
                mean = f"{STEPS / length:.2g} steps"
            message = (
                f"An 8-bit softmax over {length} values has steps of 1/256, and its mean weight is "
                f"1/{length}, {mean}. Its weights may add up to 1 +- {length / 512:.2g}."
            )
            if graph is model.subgraphs[0] and index in sums:
                low, high = sums[index].smallest, sums[index].largest
                message += f" {evidence.basis} they add up to {low:.2f} ... {high:.2f}."
            if not used:
                yield info(schema.name(tensor), message, _FOR_CLASSES)
            else:
                severity = error if length > TOO_LONG else warning
                yield severity(schema.name(tensor), message, _FOR_ATTENTION)


def _is_computed_with(model: schema.ModelT, graph: schema.SubGraphT, index: int) -> bool:
    """True where an op takes these values, and does more than pass them on."""
    reached = {index}
    for operator in graph.operators or []:
        if reached & set(schema.indices(operator.inputs)):
            if schema.operator_name(model, operator) not in _PASSED_ON:
                return True
            reached.update(index for index in schema.indices(operator.outputs) if index >= 0)
    return False
