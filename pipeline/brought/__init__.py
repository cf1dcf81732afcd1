"""A model that somebody else trained: the stages of a build, with what differs.

    original   the file, rebuilt; which of its outputs is the answer, and of what task
    data       windows as they are, labels as the model's answer wants them
    model      in the place of `train`: the rebuilt model, held against the original
    quantize   twins where there are some, the rest in float; calibration and distillation as in a build
    convert    ranges of what no twin knows are observed
    verify     the outputs that were named are checked too

Conversion, verification, reports and store are those of a build, so the folder is like a build's.
"""

from __future__ import annotations

from pipeline import stages
from pipeline.brought.original import Wanted
from pipeline.stages import Stage


def stages_for(wanted: Wanted) -> list[Stage]:
    """The stages that quantize a model, in order."""
    from pipeline.brought.convert import BroughtConvertStage
    from pipeline.brought.data import BroughtDataStage
    from pipeline.brought.model import ModelStage
    from pipeline.brought.quantize import BroughtQuantizeStage
    from pipeline.brought.verify import BroughtVerifyStage

    return [
        BroughtDataStage(wanted),
        ModelStage(wanted),
        BroughtQuantizeStage(),
        BroughtConvertStage(),
        BroughtVerifyStage(),
        stages.load("report"),
    ]
