"""report.json: everything a program may want to read, without the windows."""

from __future__ import annotations

import json

from pipeline.report.data import ReportData
from pipeline.report.registry import renderer


@renderer("report.json")
def render(data: ReportData) -> str:
    """Strict JSON (no NaN); its schema is described in docs/parity.md."""
    return json.dumps(data.document(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
