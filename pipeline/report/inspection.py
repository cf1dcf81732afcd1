"""The page of `pipeline inspect --html`: one file from disk, without a network and without a script."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from converters.inspection import Inspection
from pipeline.report import numbers
from pipeline.report.page import render_page

MARKS = {"error": "fail", "warning": "warn", "info": "reported"}
"""The class that colours a severity."""


def render(name: str, inspection: Inspection) -> str:
    """An inspection as one HTML page.

    Every name in the file is escaped by the template engine, and a content security policy in the page
    forbids scripts and every address outside it.

    Args:
        name: of the file.
    """
    return render_page(
        "inspection.html.j2",
        {"size": numbers.size, "span": span, "pretty": _pretty},
        name=name,
        inspection=inspection,
        summary=inspection.summary,
        counts=[(severity, inspection.count(severity)) for severity in MARKS],
        marks=MARKS,
    )


def span(values: Sequence[float], form: str) -> str:
    """One number, or from where to where."""
    if not values:
        return ""
    low, high = min(values), max(values)
    return f"{low:{form}}" if low == high else f"{low:{form}} … {high:{form}}"


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
