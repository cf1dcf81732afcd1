"""Rules about files that could not be run."""

from __future__ import annotations

from collections.abc import Iterator

from converters.findings.finding import Evidence, Finding, error, info, rule


@rule("does-not-run")
def does_not_run(evidence: Evidence) -> Iterator[Finding]:
    """The interpreter refuses the file, or the file ends the interpreter."""
    if evidence.measured.refused:
        yield error(
            "",
            f"The interpreter (LiteRT, without delegates) does not run the file: {evidence.measured.refused}",
            "See the other findings; a file that ends the interpreter's process is damaged.",
        )


@rule("not-measured")
def not_measured(evidence: Evidence) -> Iterator[Finding]:
    """We had nothing to run it on."""
    if evidence.measured.skipped:
        yield info(
            "",
            f"The file was not run, so nothing here is measured. {evidence.measured.skipped}",
            "Give inputs with --data.",
        )
