"""Every rule of `pipeline inspect` is in docs/findings.md, and nothing else is."""

import re

import pytest
from source_tree import ROOT

from converters.findings import RULES, SEVERITIES

TEXT = (ROOT / "docs" / "findings.md").read_text()
SECTIONS = dict(re.findall(r"^### `([a-z0-9-]+)`\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))


def test_the_document_and_the_registry_have_the_same_rules() -> None:
    assert set(SECTIONS) == set(RULES)


def test_the_table_has_the_same_rules() -> None:
    assert re.findall(r"^\| \[`([a-z0-9-]+)`\]\(#\1\) \|", TEXT, re.MULTILINE) == list(SECTIONS)


@pytest.mark.parametrize("rule", RULES)
def test_each_says_how_severe_it_is_and_why(rule: str) -> None:
    severity, _, why = SECTIONS[rule].strip().partition("\n")
    assert re.match(rf"\*({'|'.join(SEVERITIES)})\b", severity)
    assert len(why.split()) >= 20
