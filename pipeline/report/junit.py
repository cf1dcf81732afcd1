"""junit.xml: one test case a check, for the machines that count tests.

A check without a limit cannot fail, so it is not a passed test: it is a skipped one that says its value.
"""

from __future__ import annotations

from typing import Any

from pipeline.parity.verdict import Check
from pipeline.report import numbers
from pipeline.report.data import ReportData
from pipeline.report.registry import renderer


@renderer("junit.xml")
def render(data: ReportData) -> str:
    """JUnit XML with the suite `parity`; class names of the cases are `parity.<reference>`."""
    from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

    suite = TestSuite("parity")
    for check in data.checks:
        case = TestCase(check.name, classname=f"parity.{check.reference}", time=0.0)
        text = _text(check)
        if check.passed is False:
            case.result = [Failure(text, type_="parity")]
        elif check.passed is None:
            why = "no limit" if numbers.outcome(check) == "reported" else "no limit, and not measured"
            case.result = [Skipped(f"reported only: {why}")]
        case.system_out = text
        suite.add_testcase(case)
    document: Any = JUnitXml()
    document.add_testsuite(suite)
    document.update_statistics()
    return str(document.tostring().decode("utf-8")) + "\n"


def _text(check: Check) -> str:
    held = numbers.limit(check) or "no limit"
    return (
        f"{check.name} = {numbers.amount(check.value, check.unit)} {check.unit} ({held}, {check.n} windows)"
    )
