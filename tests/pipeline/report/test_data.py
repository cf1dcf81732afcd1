"""ReportData goes to files and back, and writes JSON without NaN."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.errors import ReportError
from pipeline.parity.verdict import Check
from pipeline.report.data import ReportData

Make = Callable[..., ReportData]


def test_save_and_load(make_report: Make, tmp_path: Path) -> None:
    report = make_report()
    report.save(tmp_path)
    back = ReportData.load(tmp_path)
    assert back.document() == report.document()
    assert back.checks == report.checks
    assert back.arrays.keys() == report.arrays.keys()
    assert all((back.arrays[name] == report.arrays[name]).all() for name in report.arrays)


def test_nan_becomes_null_and_still_fails(make_report: Make, tmp_path: Path) -> None:
    bad = Check("attention_max_error", "float_model", "<=", math.nan, 0.05, "weight", 60)
    make_report(checks=(bad,), latency_ms={"int8": np.float64(math.inf)}).save(tmp_path)
    text = (tmp_path / "report_data.json").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert json.loads(text)["checks"][0]["value"] is None
    assert ReportData.load(tmp_path).verdict == "fail"


def test_the_headline_counts(make_report: Make) -> None:
    assert make_report().headline == "All 8 checks passed on 60 test windows."
    spoiled = make_report(attention=lambda weights: weights[:, ::-1])
    assert spoiled.headline.startswith("2 of 8 checks failed: attention_max_error, attention_total_variation")
    assert spoiled.verdict == "fail"


def test_a_report_without_limits_fails(make_report: Make) -> None:
    report = make_report(checks=())
    assert report.verdict == "fail"
    assert "silence" in report.headline


def test_an_unknown_schema_is_refused(make_report: Make, tmp_path: Path) -> None:
    make_report().save(tmp_path)
    path = tmp_path / "report_data.json"
    path.write_text(path.read_text().replace("fuselage-report/1", "fuselage-report/9"))
    with pytest.raises(ReportError, match="fuselage-report/9"):
        ReportData.load(tmp_path)


@pytest.mark.parametrize("name", ["report_data.json", "report_arrays.npz"])
def test_a_truncated_file_is_refused(make_report: Make, tmp_path: Path, name: str) -> None:
    make_report().save(tmp_path)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:200])
    with pytest.raises(ReportError, match="cannot be read"):
        ReportData.load(tmp_path)


def test_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cannot be read"):
        ReportData.load(tmp_path)


@pytest.mark.parametrize(
    ("shape", "queries", "text"),
    [
        ((4, 5), False, ""),
        ((4, 5, 5), True, "queries"),
        ((4, 5, 5), False, "heads"),  # as many heads as steps
        ((4, 2, 5), False, "heads"),
        ((4, 2, 5, 5), True, "heads and queries"),
    ],
)
def test_the_overview_says_what_it_is_the_mean_over(
    make_report: Make, shape: tuple[int, ...], queries: bool, text: str
) -> None:
    report = make_report()
    arrays = {**report.arrays, "example_float": np.zeros(shape)}
    assert make_report(arrays=arrays, queries=queries).averaged == text
