"""The four renderings as files and as formats; names from outside stay text in each."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from models.errors import ReportError
from pipeline.parity.verdict import Check
from pipeline.report import RENDERERS, ReportData, numbers, render_all
from pipeline.report.markdown import PULL_REQUEST_COMMENT, code, escape

Make = Callable[..., ReportData]


@pytest.fixture(scope="module")
def page(make_report: Make) -> str:
    """The HTML of the default report, drawn once."""
    return RENDERERS["report.html"](make_report())


HOSTILE = ("<script>alert(1)</script>", "$x^2$", "a|b `c` @me **d**")


def test_render_all_writes_every_registered_file(make_report: Make, tmp_path: Path) -> None:
    paths = render_all(make_report(), tmp_path)
    assert sorted(path.name for path in paths) == ["junit.xml", "report.html", "report.json", "report.md"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(RENDERERS)


def test_a_folder_that_is_not_there_is_a_report_error(make_report: Make, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"Cannot write .* No such file"):
        render_all(make_report(), tmp_path / "absent")


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_rendering_is_deterministic(make_report: Make, name: str) -> None:
    assert RENDERERS[name](make_report()) == RENDERERS[name](make_report())


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_nan_everywhere_is_rendered(make_report: Make, name: str) -> None:
    report = make_report(attention=lambda weights: weights * math.nan)
    assert report.verdict == "fail"
    text = RENDERERS[name](report)
    assert name == "report.json" or numbers.MISSING in text


class TestJson:
    def test_the_issue_schema(self, make_report: Make) -> None:
        document = json.loads(RENDERERS["report.json"](make_report()))
        assert document["schema"] == "fuselage-report/1"
        assert document["verdict"] == "pass"
        keys = {"name", "reference", "relation", "value", "limit", "unit", "n", "passed"}
        assert all(set(check) == keys for check in document["checks"])
        references = {"float_model", "float_forward", "training_forward", "keras"}
        assert {check["reference"] for check in document["checks"]} == references

    def test_it_has_no_nan(self, make_report: Make) -> None:
        bad = Check("accuracy_drop", "float_model", "<=", math.nan, 0.01, "share", 60)
        text = RENDERERS["report.json"](make_report(checks=(bad,)))

        def refuse(constant: str) -> None:
            raise AssertionError(constant)

        assert json.loads(text, parse_constant=refuse)["verdict"] == "fail"


class TestMarkdown:
    def test_the_verdict_comes_first(self, make_report: Make) -> None:
        assert RENDERERS["report.md"](make_report()).startswith("## ✅ motion: parity pass\n")
        spoiled = make_report(attention=lambda weights: weights[:, ::-1])
        text = RENDERERS["report.md"](spoiled)
        assert text.startswith("## ❌ motion: parity fail\n")
        assert "| `attention_total_variation` |" in text
        assert "❌ **fail**" in text

    def test_tables_have_as_many_cells_in_every_row(self, make_report: Make) -> None:
        rows = [line for line in RENDERERS["report.md"](make_report()).splitlines() if line.startswith("|")]
        assert {row.count("|") for row in rows} <= {3, 4, 5, 6}
        assert len(rows) > 30

    def test_names_stay_text(self, make_report: Make) -> None:
        report = make_report(notes=HOSTILE)
        text = RENDERERS["report.md"](report)
        assert "<script" not in text
        assert "$x" not in text
        assert "@me" not in text
        assert "&#60;script&#62;" in text

    def test_it_fits_a_comment(self, make_report: Make) -> None:
        names = [f"class {index} " + "x" * 3000 for index in range(60)]
        report = make_report(class_names=names, notes=tuple(names))
        assert len(RENDERERS["report.md"](report)) < PULL_REQUEST_COMMENT

    def test_escape(self) -> None:
        assert escape("a|b\nc") == "a&#124;b c"
        assert escape("x" * 300) == "x" * 199 + "…"

    def test_code_cannot_be_ended(self) -> None:
        assert code("a`b|c") == "`abc`"


class TestJunit:
    def test_one_case_a_check(self, make_report: Make) -> None:
        report = make_report(attention=lambda weights: weights[:, ::-1])
        root = ElementTree.fromstring(RENDERERS["junit.xml"](report))
        cases = root.findall(".//testcase")
        assert [case.get("name") for case in cases] == [check.name for check in report.checks]
        for case, check in zip(cases, report.checks, strict=True):
            assert case.get("classname") == f"parity.{check.reference}"
            assert (case.find("failure") is not None) == (check.passed is False)
            assert (case.find("skipped") is not None) == (check.passed is None)
            assert check.name in (case.findtext("system-out") or "")
        assert root.get("failures") == "2"
        assert root.get("tests") == str(len(report.checks))


class TestHtml:
    def test_it_needs_no_network_and_no_script(self, page: str) -> None:
        assert "<script" not in page
        assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//|url\(["']?(https?:)?//|@import""", page)
        assert "default-src 'none'" in page

    def test_names_stay_text(self, make_report: Make) -> None:
        text = RENDERERS["report.html"](make_report(class_names=HOSTILE, notes=HOSTILE))
        assert "<script" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
        assert "$x^2$" in text

    def test_the_verdict_comes_before_everything(self, make_report: Make) -> None:
        text = RENDERERS["report.html"](make_report(attention=lambda weights: weights[:, ::-1]))
        assert "✗ fail" in text
        assert text.index("✗ fail") < text.index('id="parity"')

    def test_a_failed_explanation_is_open(self, make_report: Make) -> None:
        bad = Check("attention_within_one_step", "training_forward", ">=", 0.5, 0.99, "share", 60)
        text = RENDERERS["report.html"](make_report(checks=(bad,)))
        assert "<details open>" in text

    def test_it_says_how_the_state_is_reset(self, page: str) -> None:
        assert "reset_all_variables()" in page
        assert "resetVariableTensors()" in page

    def test_int8_ends_are_explained(self, make_report: Make) -> None:
        text = RENDERERS["report.html"](make_report(config={"convert": {"io": "int8"}}))
        assert "q = round(x / scale) + zero_point" in text

    def test_what_is_missing_leaves_the_rest(self, make_report: Make) -> None:
        text = RENDERERS["report.html"](make_report(training=[], latency_ms={}, notes=(), files=[]))
        assert "No history was kept." in text

    def test_ids_are_unique(self, page: str) -> None:
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) > 100
        assert len(ids) == len(set(ids))


class TestStock:
    """What the stock quantizer comes to, in each rendering; it never counts."""

    @staticmethod
    def stock(report: ReportData, error: str | None = None) -> dict[str, Any]:
        missed = Check("decision_agreement", "float_model", ">=", 0.5, 0.985, "share", 60)
        return {"file": "stock", "checks": [] if error else [missed.to_dict()], "error": error}

    def test_it_stands_beside_ours_and_does_not_fail(self, make_report: Make) -> None:
        report = make_report(stock=self.stock(make_report()))
        assert report.verdict == "pass"
        ((ours, theirs),) = report.beside_stock
        assert (ours.value, theirs.value, theirs.passed) == (1.0, 0.5, False)
        document = json.loads(RENDERERS["report.json"](report))
        assert document["stock"]["checks"][0]["passed"] is False
        assert [check["passed"] for check in document["checks"]].count(False) == 0
        row = "| `decision_agreement` | 1.0000 | 0.5 | ≥ 0.985 | ❌ **fail** |"
        assert row in RENDERERS["report.md"](report).splitlines()
        page = RENDERERS["report.html"](report)
        assert "stock int8 quantizer" in page
        assert "✓ pass" in page
        assert "<failure" not in RENDERERS["junit.xml"](report)

    def test_a_refusal_is_told_as_text(self, make_report: Make) -> None:
        report = make_report(stock=self.stock(make_report(), "It crashed: <script>."))
        for name in ("report.md", "report.html"):
            text = RENDERERS[name](report)
            assert "It crashed" in text
            assert "<script" not in text

    def test_without_it_nothing_is_said(self, make_report: Make, page: str) -> None:
        assert "stock" not in page
        assert "stock" not in RENDERERS["report.md"](make_report())


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "unit", "text"),
        [
            (0.0123456, "", "0.0123"),
            (0.00012345, "", "1.2e-4"),
            (0.0, "", "0"),
            (17.0, "windows", "17"),
            (0.98765, "share", "0.9877"),
            (None, "", "not measured"),
            (math.nan, "", "not measured"),
        ],
    )
    def test_amount(self, value: float | None, unit: str, text: str) -> None:
        assert numbers.amount(value, unit) == text

    def test_percent_calls_nothing_short_of_everything_100(self) -> None:
        assert numbers.percent(1.0) == "100.0 %"
        assert numbers.percent(0.9996) == "> 99.9 %"
        assert numbers.percent(0.9949) == "99.5 %"
        assert numbers.percent(None) == "not measured"

    def test_an_outcome_without_limit_and_value_is_skipped(self) -> None:
        def outcome(value: float | None, limit: float | None) -> str:
            return numbers.outcome(Check("some", "keras", "<=", value, limit, "share", 1))

        assert [outcome(value, 0.2) for value in (0.1, 0.3, None)] == ["pass", "fail", "fail"]
        assert [outcome(value, None) for value in (0.1, None, math.nan)] == ["reported", "skipped", "skipped"]

    def test_size(self) -> None:
        assert numbers.size(36_540) == "36.5 kB"
        assert numbers.size(1_234_000) == "1.23 MB"
