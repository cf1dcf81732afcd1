"""What the page computes by itself."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from pipeline.parity.verdict import Check
from pipeline.report.html import usage


@pytest.mark.parametrize(
    ("value", "relation", "limit", "used"),
    [
        (0.01, "<=", 0.04, 0.25),
        (0.08, "<=", 0.04, 1.0),
        (-0.1, "<=", 0.04, 0.0),
        (0.995, ">=", 0.98, 0.25),
        (0.5, ">=", 0.98, 1.0),
        (0.0, "<=", 0.0, 0.0),
        (0.1, "<=", 0.0, 1.0),
        (0.1, "<=", None, None),
        (None, "<=", 0.1, None),
        (math.nan, "<=", 0.1, None),
    ],
)
def test_usage(value: float | None, relation: str, limit: float | None, used: float | None) -> None:
    check = Check("some", "keras", relation, value, limit, "share", 1)  # type: ignore[arg-type]
    assert usage(check) == (None if used is None else pytest.approx(used))


def test_loading_the_report_loads_nothing_heavy() -> None:
    code = "import sys, pipeline.stages.report; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    heavy = {"tensorflow", "matplotlib", "scipy", "jinja2", "junitparser", "aeon", "sklearn"}
    assert heavy.isdisjoint(loaded.split())
