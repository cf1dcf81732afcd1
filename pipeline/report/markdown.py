"""report.md: the verdict, the parity table and the sizes, short enough for a pull-request comment."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.parity.verdict import Check
from pipeline.report import numbers
from pipeline.report.data import ReportData
from pipeline.report.registry import renderer
from pipeline.report.scheme_cells import scheme_cells, scheme_headings

PULL_REQUEST_COMMENT = 65_536  # characters GitHub accepts in a comment
_MARK = {"pass": "✅ pass", "fail": "❌ **fail**", "reported": "—", "skipped": "—"}


@renderer("report.md")
def render(data: ReportData) -> str:
    """GitHub-flavoured Markdown of at most 65,536 characters."""
    name = escape(str(data.dataset["name"]), 80)
    promise = [check for check in data.checks if check.reference == "float_model"]
    explanation = [check for check in data.checks if check.reference != "float_model"]
    lines = [
        f"## {'✅' if data.verdict == 'pass' else '❌'} {name}: parity {data.verdict}",
        "",
        data.headline,
        "",
        *([] if data.built else [escape(data.references["float_model"], 500), ""]),
        *_section(_schemes(data)),
        *_table(("check", *_HELD), ((code(check.name), *_held(check)) for check in promise)),
        "",
        *_section(_accuracies(data)),
        *_section(_scores(data)),
        *_table(("file", "size"), ((code(f["name"]), numbers.size(f["size_bytes"])) for f in data.files)),
        "",
        *_section(_stock(data)),
    ]
    if explanation:
        targets = "On targets: each file against itself here"
        what = "Explanation: what moved, and where" if data.built else targets
        rows = ((check.reference, code(check.name), *_held(check)) for check in explanation)
        lines += [
            f"<details><summary>{what}</summary>",
            "",
            *_table(("reference", "check", *_HELD), rows),
            "",
            "</details>",
            "",
        ]
    lines += (f"- {escape(note, 500)}" for note in data.notes[:20])
    return "\n".join(lines).rstrip() + "\n"


_HELD = ("value", "limit", "")


def _held(check: Check) -> tuple[str, str, str]:
    """A check's value, limit and outcome."""
    value = numbers.amount(check.value, check.unit)
    return value, numbers.limit(check), _MARK[numbers.outcome(check)]


def _accuracies(data: ReportData) -> list[str]:
    rows = (
        (
            escape(data.label(one.name)),
            numbers.percent(one.value),
            f"{numbers.percent(one.low)} … {numbers.percent(one.high)}",
        )
        for one in data.accuracies
    )
    return _table(("model", "test accuracy", "95 % interval"), rows) if data.accuracies else []


def _schemes(data: ReportData) -> list[str]:
    """Every scheme's figures side by side, and which one to ship, where there is a choice."""
    if not data.compares:
        return []
    rows = (
        (f"{code(one.name)}{' (baseline)' if not one.asked else ''}", *scheme_cells(one), _MARK[one.verdict])
        for one in data.schemes
    )
    notes = [f"{code(one.name)}: {escape(one.lstm_note, 300)}" for one in data.schemes if one.lstm_note]
    reason = escape((data.recommendation or {})["reason"], 1500)
    shown = f"The tables below are those of the {escape(data.names['int8'])}."
    table = _table(("scheme", *scheme_headings(data.schemes), ""), rows)
    return [f"**Recommended:** {reason}", "", *table, "", *(f"{note}\n" for note in notes), shown]


def _scores(data: ReportData) -> list[str]:
    """Figures of merit beside the accuracy, a column each."""
    if not data.scores:
        return []
    names = list(data.scores[0]["values"])
    rows = (
        (escape(data.label(one["name"])), *(numbers.amount(one["values"][name]) for name in names))
        for one in data.scores
    )
    return _table(("model", *(escape(name, 80) for name in names)), rows)


def _stock(data: ReportData) -> list[str]:
    """TensorFlow's stock quantizer beside ours, where it was asked for."""
    if data.stock is None:
        return []
    title = "TensorFlow's stock int8 quantizer on the same float model, for comparison only:"
    if data.stock["error"]:
        return [f"{title} {escape(data.stock['error'], 500)}"]
    rows = (
        (code(stock.name), numbers.amount(ours.value, ours.unit), *_held(stock))
        for ours, stock in data.beside_stock
    )
    return [title, "", *_table(("check", "this build", "stock", "limit", ""), rows)]


def _section(lines: list[str]) -> list[str]:
    return [*lines, ""] if lines else []


def escape(text: str, limit: int = 200) -> str:
    """Text that Markdown, HTML and GitHub's mentions and math leave alone, cut at `limit` characters."""
    text = " ".join(text.split())
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return re.sub(r"[&<>|`*_\[\]\\@#$~!]", lambda found: f"&#{ord(found.group())};", text)


def code(name: str) -> str:
    """A name in code font, where entities are not read: what could end it is left out."""
    return f"`{re.sub('[`|]', '', name)}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    texts = {"check", "reference", "model", "file", "scheme", "LSTM", ""}
    cells = [head, tuple("---" if name in texts else "--:" for name in head), *rows]
    return [f"| {' | '.join(row)} |" for row in cells]
