"""The tables and the page of `pipeline benchmark`: every figure is there, and none that was not measured."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from benchmark_result import FLOAT, INT8, made
from browser import BROWSER, width_on_a_telephone

from pipeline.report import benchmark_tables as tables
from pipeline.report.benchmark import bars, render, shares

EVIL = "<script>console.error(1)</script>"


def test_latency_by_model() -> None:
    table = tables.latency(made())
    assert table.rows[0] == (FLOAT, "0.0500", "0.0600", "0.0900", "0.0400", "1")
    assert table.rows[1][1:] == ("0.500", "0.560", "0.720", "0.490", "9.60")


def test_a_percentile_that_is_not_known_is_told() -> None:
    found = made(rounds=20)
    first = replace(found.entries[0], latency=replace(found.entries[0].latency, p99=None))
    table = tables.latency(replace(found, entries=(first,)))
    assert table.rows[0][3] == "-"
    assert "A p99 takes 100 rounds" in table.note


def test_cost_by_model() -> None:
    rows = tables.cost(made()).rows
    assert rows[0] == (FLOAT, "107.4 kB", "17.7 kB", "0.800", "0.120", "-")
    assert rows[1][2] == "≥ 5.6 kB"
    assert rows[2][2:] == ("-", "0.800", "0.120", "1.2e-6")


def test_instructions_are_marked_as_no_time() -> None:
    table = tables.instructions(made())
    assert table is not None
    assert table.rows == ((INT8, "1,075,714", "18,078,720"),)
    assert "not time" in table.note
    assert "emulated" in table.title
    assert tables.instructions(made(entries=made().entries[:1])) is None


def test_an_operator_that_is_not_told_apart_has_no_share() -> None:
    """0.001 + 0.499 ms are all there is."""
    found = made()
    rows = tables.operators(found.profiles[0], found).rows
    assert rows[0] == ("(the call itself)", "", "1.0", "0.2 %", "-")
    assert rows[1][2:] == ("499.0", "99.8 %", "1,043,554")
    assert rows[2][2:] == ("< 2.3", "-", "< 1,000")
    assert shares(found.profiles[0]) == pytest.approx([0.2, 99.8, 0.0])


def test_operators_without_instructions_have_no_column_for_them() -> None:
    found = made()
    bare = replace(found, entries=tuple(replace(one, instructions=None) for one in found.entries))
    assert tables.operators(bare.profiles[0], bare).headings == ("operator", "output", "us", "of all")


def test_instructions_by_operator_without_a_profile_have_a_table_with_names() -> None:
    (table,) = tables.operator_instructions(bare := made(profiles=()))
    assert table.title == f"Operators of {INT8}"
    assert table.rows == (("UNIDIRECTIONAL_SEQUENCE_LSTM", "1,043,554"), ("RESHAPE", "< 1,000"))
    assert "1,043,554" in render(bare)
    assert not list(tables.operator_instructions(made()))
    counted = made().to_dict()["entries"][1]["instructions"]["by_operator"]
    assert counted[1] == {"index": 1, "name": "RESHAPE", "instructions": None, "below": 1000}


def test_padding_is_recommended_with_its_effect() -> None:
    text = tables.padding(made().paddings[0])
    assert "6 of 6 features and 4 of 12 units one by one" in text
    assert "1,000 instructions (cortex-a76, emulated)" in text
    assert "with 6 features and 16 units 1,100 (+10.0 %)" in text
    assert text.endswith("Recommended: 8 features instead of 6. The further ones may be zero.")


def test_padding_that_does_not_pay_or_was_not_counted() -> None:
    (one,) = made().paddings
    assert tables.padding(replace(one, instructions=700)).endswith("Padding does not pay.")
    text = tables.padding(replace(one, instructions=None, variants=(), skipped="no emulator"))
    assert text.endswith("was not measured: no emulator.")
    assert "%" not in text


def test_bars_reach_to_the_longest() -> None:
    """0.72 ms is the longest tail: 0.5 of it are 69.4 %, 0.09 are 12.5 %."""
    found = bars(made())
    assert [round(one["tail"], 1) for one in found] == [12.5, 100.0, 6.9]
    assert round(found[1]["middle"], 1) == 69.4


def test_the_page_says_it_all_and_stands_alone() -> None:
    page = render(made())
    for text in ("A processor", "load 0.1 before the run", "200 rounds after 10", "The machine was busy.",
                 "9.60", "1,075,714", "Recommended: 8 features", "unfused: not asked for", "µs"):  # fmt: skip
        assert text in page, text
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page)
    assert "<script" not in page


def test_without_profile_instructions_and_peers_the_page_has_no_such_parts() -> None:
    page = render(made(profiles=(), paddings=(), missing=(), warnings=(), entries=made().entries[:1]))
    for part in ("operators", "padding", "missing", "instructions"):
        assert f'id="{part}"' not in page


def test_names_are_escaped() -> None:
    found = made()
    evil = replace(found.entries[1], name=EVIL, instructions=None)
    page = render(replace(found, entries=(evil,), missing=(EVIL,), warnings=(EVIL,), profiles=()))
    assert EVIL not in page
    assert "&lt;script&gt;" in page


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium")
def test_the_page_fits_a_telephone(tmp_path: Path) -> None:
    assert width_on_a_telephone(render(made()), tmp_path) <= 400
