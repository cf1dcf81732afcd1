"""Several schemes in one report: verdict, headline, and every rendering."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from pipeline.report import RENDERERS, ReportData
from pipeline.report.recommendation import recommend
from pipeline.report.schemes import SchemeResult

Make = Callable[..., ReportData]


def schemes(report: ReportData, *, failing: str = "", note: str = "") -> dict[str, Any]:
    """The fields of a report about four schemes with the checks of the report; one of them may fail."""
    promise = tuple(one for one in report.checks if one.reference == "float_model")
    keras = tuple(one for one in report.checks if one.reference == "keras")
    results = []
    for name, size_bytes in (("float32", 100_000), ("dynamic", 90_000), ("int8", 36_500),
                             ("int8-attention-int16", 37_900)):  # fmt: skip
        checks = keras if name == "float32" else promise
        if name == failing:
            checks = (*checks[:-1], replace(checks[-1], limit=-1.0))
        results.append(
            SchemeResult(
                name=name, file=f"model_{name}.tflite", asked=name != "float32", size_bytes=size_bytes,
                memory_bytes=5_568, latency_ms=0.49, accuracy=0.97,
                lstms={"lstm_forward": "int8 8x8_16", "lstm_backward": "int8 8x8_16"},
                lstm_note=note if name == "dynamic" else "", checks=checks,
            )
        )  # fmt: skip
    return {"schemes": tuple(results), "recommendation": asdict(recommend(results))}


def test_all_of_them_have_to_pass(make_report: Make) -> None:
    report = make_report()
    good = make_report(**schemes(report))
    assert good.compares
    assert (good.verdict, good.headline) == ("pass", "All 3 schemes hold every limit on 60 test windows.")
    bad = make_report(**schemes(report, failing="dynamic"))
    assert bad.verdict == "fail"
    assert bad.headline == (
        "2 of 3 schemes hold every limit on 60 test windows; dynamic fails worst_class_recall_drop."
    )
    baseline = make_report(**schemes(report, failing="float32"))
    assert baseline.verdict == "fail"
    assert "; float32 fails logits_max_relative_error." in baseline.headline


def test_one_scheme_is_a_report_as_ever(make_report: Make) -> None:
    report = make_report()
    results = schemes(report)["schemes"]
    one = make_report(
        schemes=(results[0], results[2]), recommendation={"scheme": "int8", "reason": "int8: x."}
    )
    assert not one.compares
    assert one.headline == report.headline
    for name in ("report.md", "report.html", "junit.xml"):
        assert RENDERERS[name](one) == RENDERERS[name](report), name


def test_they_survive_the_way_through_files(make_report: Make, tmp_path: Path) -> None:
    report = make_report(**schemes(make_report(), failing="int8"))
    report.save(tmp_path)
    assert ReportData.load(tmp_path) == report


def test_a_verdict_in_a_file_is_computed_again(make_report: Make) -> None:
    one = schemes(make_report(), failing="int8")["schemes"][2]
    document = one.to_dict()
    assert document["verdict"] == "fail"
    assert SchemeResult.from_dict({**document, "verdict": "pass"}).verdict == "fail"


def test_json_has_the_figures_side_by_side(make_report: Make) -> None:
    document = json.loads(RENDERERS["report.json"](make_report(**schemes(make_report()))))
    assert document["recommendation"]["scheme"] == "int8"
    int8 = document["schemes"][2]
    assert {"size_bytes", "accuracy", "decision_agreement", "attention_max_error",
            "attention_total_variation", "attention_row_sum_error", "latency_ms", "memory_bytes", "lstms",
            "verdict", "checks"} <= set(int8)  # fmt: skip
    by_name = {check["name"]: check["value"] for check in int8["checks"]}
    assert int8["attention_max_error"] == by_name["attention_max_error"]


def test_markdown_has_a_row_each_and_the_recommendation(make_report: Make) -> None:
    report = make_report(**schemes(make_report(), failing="dynamic", note="It stayed in *float32*."))
    text = RENDERERS["report.md"](report)
    assert "**Recommended:** int8: 36.5 kB, all 5 checks hold." in text
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| `")][:4]
    assert rows == ["`float32` (baseline)", "`dynamic`", "`int8`", "`int8-attention-int16`"]
    (row,) = (line for line in text.splitlines() if line.startswith("| `dynamic`"))
    assert "90.0 kB | 97.0 %" in row
    assert row.endswith("❌ **fail** |")
    assert "`dynamic`: It stayed in &#42;float32&#42;." in text


def test_html_has_the_table_and_marks_the_recommended(make_report: Make) -> None:
    report = make_report(**schemes(make_report(), failing="dynamic", note="It <stayed> in float32."))
    page = RENDERERS["report.html"](report)
    assert "Recommended: int8: 36.5 kB, all 5 checks hold." in page
    assert len(re.findall(r'<tr class="(?:pass|fail)(?: chosen)?">\s*<th scope="row"><code>', page)) >= 4
    assert page.count(' chosen">') == 1
    assert "<b>dynamic</b> misses <code>worst_class_recall_drop</code>" in page
    assert "It &lt;stayed&gt; in float32." in page
    assert 'href="#schemes"' in page
    assert 'href="#schemes"' not in RENDERERS["report.html"](make_report())


def test_junit_has_a_suite_each(make_report: Make) -> None:
    report = make_report(**schemes(make_report(), failing="dynamic"))
    suites = ElementTree.fromstring(RENDERERS["junit.xml"](report))
    assert [(suite.get("name"), suite.get("failures")) for suite in suites] == [
        ("parity.float32", "0"), ("parity.dynamic", "1"), ("parity.int8", "0"),
        ("parity.int8-attention-int16", "0"),
    ]  # fmt: skip
    assert suites[1][0].get("classname") == "parity.dynamic.float_model"


@pytest.mark.parametrize("accuracy", [None, 0.97])
def test_a_task_without_an_accuracy_is_told(make_report: Make, accuracy: float | None) -> None:
    fields = schemes(make_report())
    fields["schemes"] = tuple(replace(one, accuracy=accuracy) for one in fields["schemes"])
    for name in ("report.md", "report.html", "report.json"):
        text = RENDERERS[name](make_report(**fields))
        assert ("97.0 %" in text or '"accuracy": 0.97' in text) == (
            accuracy is not None
        ) or name == "report.html"
