"""The stage `report`: renders what was verified."""

from __future__ import annotations

from typing import Any

from pipeline.config import BuildConfig
from pipeline.report import ReportData, render_all
from pipeline.stages import StageContext


class ReportStage:
    """Reads `verify`; writes one file per registered renderer."""

    name = "report"
    version = 1
    reads: tuple[str, ...] = ("verify",)

    def options(self, config: BuildConfig) -> dict[str, Any]:
        """None: a renderer sees only the report's data."""
        return {}

    def run(self, context: StageContext) -> None:
        """Render everything."""
        context.progress.start("Writing the reports", None)
        render_all(ReportData.load(context.artifact("verify")), context.folder)
        context.progress.finish()


STAGE = ReportStage()
