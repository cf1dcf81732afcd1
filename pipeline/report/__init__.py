"""One data structure, four renderings: `render_all(ReportData.load(folder), out)`."""

from __future__ import annotations

import os
from pathlib import Path

from models.errors import ReportError
from pipeline.report import html, json_, junit, markdown  # noqa: F401 - each registers its renderer
from pipeline.report.data import ReportData
from pipeline.report.registry import RENDERERS

__all__ = ["RENDERERS", "ReportData", "render_all"]


def render_all(data: ReportData, folder: str | os.PathLike[str]) -> list[Path]:
    """Writes every rendering into an existing folder, each under a temporary name first; returns the paths.

    Raises:
        ReportError: a file cannot be written.
    """
    texts = {name: render(data) for name, render in RENDERERS.items()}
    return [_write(Path(folder) / name, text) for name, text in texts.items()]


def _write(path: Path, text: str) -> Path:
    temporary = path.with_name(f".{path.name}.partial")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ReportError(f"Cannot write {path.name} into {path.parent}: {error.strerror}.") from error
    return path
