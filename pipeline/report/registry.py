"""The renderings by file name; each registers itself where it is defined."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.report.data import ReportData

Renderer = Callable[[ReportData], str]

RENDERERS: dict[str, Renderer] = {}


def renderer(file_name: str) -> Callable[[Renderer], Renderer]:
    """Registers a function from ReportData to the text of `file_name`."""

    def register(function: Renderer) -> Renderer:
        RENDERERS[file_name] = function
        return function

    return register
