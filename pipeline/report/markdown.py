"""report.md: the verdict, the parity table and the sizes, short enough for a pull-request comment."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.report import numbers
from pipeline.report.data import ReportData
from pipeline.report.registry import renderer

PULL_REQUEST_COMMENT = 65_536  # characters GitHub accepts in a comment
_MARK = {"pass": "✅ pass", "fail": "❌ **fail**", "reported": "—"}


@renderer("report.md")
def render(data: ReportData) -> str:
    """GitHub-flavoured Markdown of at most 65,536 characters."""
    name = escape(str(data.dataset["name"]), 80)
    lines = [
        f"## {'✅' if data.verdict == 'pass' else '❌'} {name}: parity {data.verdict}",
        "",
        data.headline,
        "",
        *_table(
            ("check", "value", "limit", ""),
            (
                (
                    code(check.name),
                    numbers.amount(check.value, check.unit),
                    numbers.limit(check),
                    _MARK[numbers.outcome(check)],
                )
                for check in data.checks
                if check.reference == "float_model"
            ),
        ),
        "",
        *_table(
            ("model", "test accuracy", "95 % interval"),
            (
                (
                    escape(one.name.replace("_", " ")),
                    numbers.percent(one.value),
                    f"{numbers.percent(one.low)} … {numbers.percent(one.high)}",
                )
                for one in data.accuracies
            ),
        ),
        "",
        *_table(("file", "size"), ((code(f["name"]), numbers.size(f["size_bytes"])) for f in data.files)),
        "",
        "<details><summary>Explanation: what moved, and where</summary>",
        "",
        *_table(
            ("reference", "check", "value", "limit", ""),
            (
                (
                    check.reference,
                    code(check.name),
                    numbers.amount(check.value, check.unit),
                    numbers.limit(check),
                    _MARK[numbers.outcome(check)],
                )
                for check in data.checks
                if check.reference != "float_model"
            ),
        ),
        "",
        "</details>",
        "",
        *(f"- {escape(note, 500)}" for note in data.notes[:20]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def escape(text: str, limit: int = 200) -> str:
    """Text that Markdown, HTML and GitHub's mentions and math leave alone, cut at `limit` characters."""
    text = " ".join(text.split())
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return re.sub(r"[&<>|`*_\[\]\\@#$~!]", lambda found: f"&#{ord(found.group())};", text)


def code(name: str) -> str:
    """A name in code font, where entities are not read: what could end it is left out."""
    return f"`{re.sub('[`|]', '', name)}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    texts = {"check", "reference", "model", "file", ""}
    cells = [head, tuple("---" if name in texts else "--:" for name in head), *rows]
    return [f"| {' | '.join(row)} |" for row in cells]
