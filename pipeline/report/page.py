"""A page of HTML from a template: one file that works from disk, without a network or a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models.errors import ReportError

TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, filters: Mapping[str, Callable[..., Any]], **values: Any) -> str:
    """Fill a template.

    Every name is escaped by the template engine, and a content security policy in the pages forbids scripts
    and every address outside them, so that a name that got through could still do nothing.

    Args:
        template: its file in `templates/`.
        filters: what the template may call with `|`, by name.
        values: what it may name.

    Raises:
        ReportError: the template names what is not there.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

    page = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters.update(filters)
    try:
        return page.get_template(template).render(**values) + "\n"
    except TemplateError as error:
        raise ReportError(f"The page cannot be rendered: {error}") from error
