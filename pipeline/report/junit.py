"""junit.xml: one test case a check, for the machines that count tests.

A check without a limit cannot fail, so it is not a passed test: it is a skipped one that says its value.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.parity.verdict import Check
from pipeline.report import numbers
from pipeline.report.data import ReportData
from pipeline.report.registry import renderer


@renderer("junit.xml")
def render(data: ReportData) -> str:
    """JUnit XML. The suite is `parity`, the class names of its cases are `parity.<reference>`.

    Where several schemes were asked for, each has a suite `parity.<scheme>` of its own.
    """
    from junitparser import JUnitXml

    suites = {"parity": data.checks}
    if data.compares:
        suites = {f"parity.{scheme.name}": scheme.checks for scheme in data.schemes}
    document: Any = JUnitXml()
    for name, checks in suites.items():
        document.add_testsuite(_suite(name, checks))
    document.update_statistics()
    return str(document.tostring().decode("utf-8")) + "\n"


def _suite(name: str, checks: Iterable[Check]) -> Any:
    from junitparser import Failure, Skipped, TestCase, TestSuite

    suite = TestSuite(name)
    for check in checks:
        case = TestCase(check.name, classname=f"{name}.{check.reference}", time=0.0)
        text = _text(check)
        if check.passed is False:
            case.result = [Failure(text, type_="parity")]
        elif check.passed is None:
            why = "no limit" if numbers.outcome(check) == "reported" else "no limit, and not measured"
            case.result = [Skipped(f"reported only: {why}")]
        case.system_out = text
        suite.add_testcase(case)
    return suite


def _text(check: Check) -> str:
    held = numbers.limit(check) or "no limit"
    return (
        f"{check.name} = {numbers.amount(check.value, check.unit)} {check.unit} ({held}, {check.n} windows)"
    )
