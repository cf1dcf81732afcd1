"""The page of `pipeline explain --html`: one file that works from disk, without a network or a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from converters.microscope.explanation import LstmExplanation
from pipeline.report import explanation_figures as figures
from pipeline.report import explanation_tables as tables
from pipeline.report.page import render_page

if TYPE_CHECKING:
    from pipeline.explain import Explanation


def render(found: Explanation) -> str:
    """An explanation as one HTML page.

    Every name is escaped by the template engine, and a content security policy in the page forbids scripts
    and every address outside it.
    """
    return render_page(
        "explanation.html.j2",
        {"number": tables.number, "share": tables.share},
        found=found, tables=tables, lstms=[(lstm, _drawings(lstm)) for lstm in found.lstms],
    )


def _drawings(lstm: LstmExplanation) -> dict[str, Any]:
    """Every SVG of an LSTM, already safe: they hold no text from outside but numbers."""
    from markupsafe import Markup

    found = lstm.attribution
    drawn = {
        "by_rounding": figures.attribution(found.roundings, found.total),
        "by_gate": figures.attribution(found.gates, found.total),
        "drift": figures.drift(lstm),
        "gates": figures.gate_errors(lstm),
        "saturation": figures.saturation(lstm),
        "cell": figures.cell(lstm),
        "units": figures.units(lstm),
        "focus_values": figures.focus(lstm, errors=False),
        "focus_errors": figures.focus(lstm, errors=True),
    }
    return {name: Markup(svg) for name, svg in drawn.items()}
