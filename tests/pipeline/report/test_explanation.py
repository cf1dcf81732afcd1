"""The page and the tables of `pipeline explain`."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import BROWSER, width_on_a_telephone
from int8_lstm_file import Int8Lstm, build

from pipeline.data.given import GivenWindows
from pipeline.explain import Explanation, explain
from pipeline.report import explanation_tables as tables
from pipeline.report.explanation import render

EVIL = "<script>console.error(1)</script>"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Explanation:
    """A loud LSTM: it saturates everywhere."""
    random = np.random.default_rng(1)
    lstm = Int8Lstm(
        random.integers(-127, 128, (4, 4, 3)).astype(np.int8),
        random.integers(-127, 128, (4, 4, 4)).astype(np.int8),
        random.integers(-900, 900, (4, 4)).astype(np.int32),
        (0.05,) * 4,
        (0.05,) * 4,
        steps=12,
        cell_scale=2.0**-15,
    )
    path = tmp_path_factory.mktemp("explanation") / "model.tflite"
    path.write_bytes(build(lstm))
    features = random.normal(size=(5, 12, 3)).astype(np.float32)
    return explain(path, GivenWindows("noise", features=features))


@pytest.fixture(scope="module")
def page(found: Explanation) -> str:
    return render(found)


def test_every_picture_and_table_is_on_the_page(found: Explanation, page: str) -> None:
    assert page.count("<svg") == 9
    (lstm,) = found.lstms
    for table in (
        tables.by_rounding(lstm),
        tables.by_gate(lstm),
        tables.gates(lstm),
        *(tables.gate_by_step(lstm, place) for place in range(4)),
        tables.focus(lstm),
        tables.along_time(lstm),
    ):
        assert table.title in page
        assert {len(row) for row in table.rows} == {len(table.headings)}


def test_the_page_stands_alone_and_has_no_script(page: str) -> None:
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page)
    assert "<script" not in page
    assert "default-src 'none'" in page


def test_names_are_shown_as_text(found: Explanation) -> None:
    (lstm,) = found.lstms
    page = render(
        replace(
            found, model=EVIL, reference=EVIL, data=EVIL, notes=(EVIL,), lstms=(replace(lstm, name=EVIL),)
        )
    )
    assert "<script>" not in page
    assert page.count("&lt;script&gt;console.error(1)&lt;/script&gt;") >= 5


def test_several_lstms_are_one_section_each(found: Explanation) -> None:
    (lstm,) = found.lstms
    assert render(replace(found, lstms=(lstm, replace(lstm, name="second")))).count("<section>") == 2


def test_what_never_saturates_has_no_map_of_it(found: Explanation) -> None:
    (lstm,) = found.lstms
    none = np.zeros(12)
    gates = tuple(replace(gate, input_saturated=none, low=none, high=none) for gate in lstm.gates)
    page = render(replace(found, lstms=(replace(lstm, gates=gates),)))
    assert page.count("<svg") == 8
    assert "Where gates saturate" not in page


def test_shares_never_hide_what_happened() -> None:
    shown = [tables.share(value) for value in (0, 1e-6, 0.0016, 0.5, 0.99999, 1)]
    assert shown == ["0", "< 0.1 %", "0.2 %", "50.0 %", "> 99.9 %", "100.0 %"]


def test_numbers_have_three_digits() -> None:
    assert [tables.number(value) for value in (0, 0.0029, 5.94e-4, 16.0, 123.4)] == [
        "0", "0.00290", "5.9e-4", "16.0", "123",
    ]  # fmt: skip


def test_the_cell_says_where_it_saturates(found: Explanation) -> None:
    (lstm,) = found.lstms
    saturated, clipped = np.zeros(12), np.zeros(12)
    saturated[[3, 5]], clipped[7] = 0.5, 0.25
    text = tables.cell(replace(lstm, cell=replace(lstm.cell, saturated=saturated, clipped=clipped, clip=0.5)))
    assert "Saturated: 8.3 % (in 2 steps from 3 to 5)." in text
    assert "Cut by the cell clip of 0.5: 2.1 % (in step 7)." in text
    none = replace(lstm.cell, saturated=np.zeros(12), clip=0.0)
    assert tables.cell(replace(lstm, cell=none)).endswith("Saturated: never. No cell clip bites.")


def test_the_shares_of_the_sources(found: Explanation) -> None:
    (lstm,) = found.lstms
    table = tables.by_rounding(lstm)
    assert table.rows[-1][0] == "all"
    source = lstm.attribution.roundings[0]
    share = 100 * source.alone / lstm.attribution.total
    assert table.rows[0][:3] == (source.name, tables.number(source.alone), f"{share:.1f} %")


@pytest.mark.parametrize(
    ("total", "text"),
    [
        (1.05, "nearly what they make together"),
        (0.5, "less: they work against"),
        (2.0, "more: they work into"),
    ],
)
def test_interaction_is_named(found: Explanation, total: float, text: str) -> None:
    (lstm,) = found.lstms
    scaled = replace(lstm.attribution, total=total * lstm.attribution.independent)
    assert text in tables.by_rounding(replace(lstm, attribution=scaled)).note


def test_all_steps_or_some(found: Explanation) -> None:
    (lstm,) = found.lstms
    assert [row[0] for row in tables.along_time(lstm, range(12)).rows] == [str(step) for step in range(12)]
    some = [row[0] for row in tables.along_time(lstm).rows]
    assert (some[0], some[-1]) == ("0", "11")
    assert len(some) == tables.SHOWN_STEPS


def test_no_error_at_all_is_no_division_by_zero(found: Explanation) -> None:
    (lstm,) = found.lstms
    silent = replace(lstm.attribution, total=0.0)
    hidden = replace(lstm.hidden, float_rms=np.zeros(12))
    text = tables.headline(replace(lstm, attribution=silent, hidden=hidden))
    assert "off by 0 RMS" in text
    assert "0.0 %" in tables.by_gate(replace(lstm, attribution=silent)).rows[0]


def test_ids_of_the_drawings_do_not_clash(page: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_the_page_opens_without_console_errors_and_fits_a_telephone(
    found: Explanation, tmp_path: Path
) -> None:
    (lstm,) = found.lstms
    evil = replace(found, model=EVIL, lstms=(replace(lstm, name="a_very_long_name" * 6),))
    assert 300 < width_on_a_telephone(render(evil), tmp_path) <= 400
