"""A covering part of the matrix, through the real command: every value of every axis, on small models.

Each cell builds all schemes, int8 with all three precisions of the attention, so that every attention is
built, fused and verified in int8 and in int16.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripts import load_script

from models.config import ATTENTION_KINDS, QUERIES

ROOT = Path(__file__).parents[2]
QUICK = ("--refit", "never", "--qat-epochs", "1")
EPOCHS = {"japanese-vowels": "20", "basic-motions": "80"}  # the second has two steps an epoch
LSTM_ERROR = 0.03  # of the hidden states' standard deviation
SCHEMES = ("float32", "int8", "int8-attention-int16", "int8-attention-float32", "float16", "dynamic")


matrix = load_script(ROOT / "benchmarks" / "matrix.py")

CELLS = [
    matrix.Cell("japanese-vowels", "dot", "last", False, units=16),
    matrix.Cell("japanese-vowels", "scaled-dot", "all", True, units=16),
    matrix.Cell("japanese-vowels", "cosine", "last", True, units=16),
    matrix.Cell("japanese-vowels", "general", "all", False, units=16),
    matrix.Cell("basic-motions", "concat", "last", False, units=16),
    matrix.Cell("japanese-vowels", "additive", "all", True, units=16),
    matrix.Cell("japanese-vowels", "multi-head", "last", False, units=16),
]


def test_the_part_covers_every_value_of_every_axis() -> None:
    assert {cell.kind for cell in CELLS} == set(ATTENTION_KINDS)
    assert {cell.query for cell in CELLS} == set(QUERIES)
    assert {cell.bidirectional for cell in CELLS} == {False, True}
    assert {cell.source for cell in CELLS} == set(matrix.SOURCES)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.folder)
def test_it_builds_fuses_and_verifies(cell: Any, tmp_path: Path) -> None:
    report = matrix.build(cell, tmp_path, (*QUICK, "--epochs", EPOCHS[cell.source]))
    assert not isinstance(report, str), report
    assert [scheme["name"] for scheme in report["schemes"]] == list(SCHEMES)
    for scheme in report["schemes"]:
        missed = [
            (check["name"], check["value"], check["limit"])
            for check in scheme["checks"]
            if check["passed"] is False
        ]
        assert not missed, scheme["name"]
        # The convert stage refuses a file in which an LSTM is not one fused op.
        assert len(scheme["lstms"]) == (2 if cell.bidirectional else 1), scheme["name"]
        if scheme["name"].startswith("int8"):
            assert scheme["lstm_error"] <= LSTM_ERROR


class TestTheTable:
    def report(self, **changed: Any) -> dict[str, Any]:
        scheme = {
            "name": "int8", "verdict": "pass", "checks": [], "size_bytes": 1500, "accuracy": 0.5,
            "decision_agreement": 1.0, "attention_max_error": 0.01, "attention_total_variation": 0.02,
            "attention_row_sum_error": 0.0, "lstm_error": 0.0126, **changed,
        }  # fmt: skip
        return {"schemes": [{**scheme, "name": "float32"}, scheme]}

    def test_a_row_for_each_scheme_but_the_reference(self) -> None:
        (row,) = matrix.rows(CELLS[0], self.report())
        assert row[:7] == ["japanese-vowels", "dot", "last", "one", "`int8`", "pass", "1.5"]
        assert row[-1] == "1.3%"
        assert len(row) == len(matrix.HEADINGS)

    def test_a_missed_limit_stands_by_its_name(self) -> None:
        checks = [{"name": "decision_agreement", "passed": False}, {"name": "accuracy_drop", "passed": True}]
        (row,) = matrix.rows(CELLS[0], self.report(verdict="fail", checks=checks))
        assert row[5] == "`decision_agreement`"

    def test_what_is_to_be_reached_beside_the_limits_is_judged(self) -> None:
        (row,) = matrix.rows(CELLS[0], self.report(decision_agreement=0.986, lstm_error=0.2))
        assert row[5] == "`agreement to be reached`, `LSTM error to be reached`"
        (row,) = matrix.rows(CELLS[0], self.report(lstm_error=float("nan")))
        assert row[5] == "`LSTM error to be reached`"

    def test_a_cell_that_did_not_build_is_a_row_and_counts_as_failed(self) -> None:
        found = list(matrix.rows(CELLS[0], "exit code 5: no"))
        assert found[0][5] == "exit code 5: no"
        assert "0 of 1 pass" in matrix.table(found, ["--", "--no-qat"])

    def test_what_a_person_wrote_below_is_kept(self, tmp_path: Path) -> None:
        page = tmp_path / "matrix.md"
        assert matrix.below_the_table(page) == ""
        page.write_text("# Title\n\n| a |\n|---|\n\n## Why\n\nBecause.\n", encoding="utf-8")
        assert matrix.below_the_table(page) == "\n## Why\n\nBecause.\n"
