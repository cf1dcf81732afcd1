"""A page from a template: escaped, and an error where the template names what is not there."""

from pathlib import Path

import pytest

from models.errors import ReportError
from pipeline.report import page


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(page, "TEMPLATES", tmp_path)
    (tmp_path / "one.html.j2").write_text("<p>{{ name | loud }}</p>")
    return "one.html.j2"


def test_names_are_escaped(template: str) -> None:
    assert page.render_page(template, {"loud": str.upper}, name="<b>&") == "<p>&lt;B&gt;&amp;</p>\n"


def test_what_is_not_there_is_an_error(template: str) -> None:
    with pytest.raises(ReportError, match="The page cannot be rendered: 'name' is undefined"):
        page.render_page(template, {"loud": str})
