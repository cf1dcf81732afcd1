"""What is wrong with a .tflite, or worth knowing about it: `findings(source)`.

A rule is a function registered where it is defined; docs/findings.md has an entry for each. A rule looks at
the file and at a `Measurement`, which is taken by running the file in a child process.
"""

from __future__ import annotations

from converters import schema
from converters.findings import (  # noqa: F401 - each registers its rules
    cell,
    fusion,
    interface,
    precision,
    running,
    softmax,
    state,
)
from converters.findings.finding import RULES, SEVERITIES, Evidence, Finding, Severity
from converters.findings.measurement import Measurement, measure

__all__ = ["RULES", "SEVERITIES", "Finding", "Measurement", "Severity", "findings", "measure"]


def findings(source: schema.Source, measured: Measurement | None = None) -> list[Finding]:
    """Apply every rule to a model file; errors first, then warnings, then infos.

    Args:
        source: path or content of a .tflite, or an unpacked model.
        measured: what running it has shown; None: it is run now, on seeded inputs.

    Raises:
        InputError: the model cannot be read.
    """
    model = schema.read_model(source)
    if measured is None:
        measured = measure(schema.write_model(model) if isinstance(source, schema.ModelT) else source)
    evidence = Evidence(model, measured)
    found = [finding for rule in RULES.values() for finding in rule(evidence)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))
