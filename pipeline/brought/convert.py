"""The stage `convert` of a model that was brought."""

from __future__ import annotations

from pipeline.brought.document import BroughtModel
from pipeline.brought.quantize import WINDOWS
from pipeline.stages import StageContext
from pipeline.stages.convert import ConvertStage


class BroughtConvertStage(ConvertStage):
    """As of a build; what no twin knows gets the range that it is seen in."""

    version = 1

    def lstms_and_query(self, context: StageContext) -> tuple[list[str], str | None]:
        """Names of the LSTM layers; who asks the attention is not known."""
        return BroughtModel.load(context.artifact("train")).lstms, None

    def quantized(self, context: StageContext, precision: str) -> dict[str, str]:
        """As of a build, and the windows to observe."""
        windows = str(context.artifact("quantize") / WINDOWS)
        return {**super().quantized(context, precision), "windows": windows}
