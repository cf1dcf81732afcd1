"""Rules about what whoever runs the file has to know, and whether the file tells."""

from __future__ import annotations

from collections.abc import Iterator

from converters import metadata, schema
from converters.findings.finding import Evidence, Finding, info, rule, warning

STANDARD_METADATA = "TFLITE_METADATA"


@rule("no-signature")
def no_signature(evidence: Evidence) -> Iterator[Finding]:
    """Inputs and outputs known by their place only."""
    if not evidence.model.signatureDefs:
        yield warning(
            "",
            "The file has no signature: inputs and outputs are known by their place only, and a new "
            "conversion may put the outputs in another order.",
            "Convert from a SavedModel, whose signature the converter takes over.",
        )


@rule("no-metadata")
def no_metadata(evidence: Evidence) -> Iterator[Finding]:
    """Nothing says what the numbers mean."""
    names = {schema.name(entry) for entry in evidence.model.metadata or []}
    if not names & {metadata.METADATA_NAME, STANDARD_METADATA}:
        yield info(
            "",
            "The file does not say what its classes and channels are and how its input is standardized; "
            "wrong constants give wrong answers without an error.",
            "Attach it with converters.metadata.attach_metadata; `pipeline build` does.",
        )


@rule("batch-size")
def batch_size(evidence: Evidence) -> Iterator[Finding]:
    """A fixed batch other than 1."""
    graph = evidence.model.subgraphs[0]
    if evidence.lstms:
        states = {schema.shape(node.hidden_state)[:1]: schema.name(node.output) for node, _ in evidence.lstms}
    else:
        tensors = [graph.tensors[index] for index in schema.indices(graph.inputs) if index >= 0]
        states = {schema.shape(one)[:1]: schema.name(one) for one in tensors if len(schema.shape(one)) > 1}
    for sizes, name in states.items():
        if sizes and sizes[0] != 1:
            yield info(
                name,
                f"The batch is fixed at {sizes[0]}: one window alone costs as much as {sizes[0]}, and "
                "`pipeline run` takes models with batch 1 only.",
                "Convert with batch size 1.",
            )
