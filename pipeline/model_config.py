"""From a build's configuration and its data to the model that is built, and how its windows are changed."""

from __future__ import annotations

import math

from models.augmentation import Augmentation
from models.config import AttentionConfig, ModelConfig, RecurrentConfig
from pipeline.config import AugmentConfig, ModelSection
from pipeline.data.prepared import PreparedData

MOST_HEADS = 4
"""Heads of multi-head attention where nobody says how many, if they divide what the LSTMs give."""


def model_config(section: ModelSection, data: PreparedData) -> ModelConfig:
    """The model for one data set; what is `auto` is chosen here.

    Raises:
        InputError: fields that do not go together, or not with the task of the data.
    """
    recurrent = RecurrentConfig(section.units, section.bidirectional, section.layer_dropout)
    attention = AttentionConfig(
        kind=section.attention,
        query=section.query or ("all" if data.task == "per-step" else "last"),
        combine=section.combine,
        heads=section.heads or math.gcd(MOST_HEADS, recurrent.outputs),
    )
    return ModelConfig(
        steps=data.preprocessing.steps,
        features=data.preprocessing.features,
        outputs=len(data.class_names),
        task=data.task,
        recurrent=recurrent,
        attention=attention,
        dropout=section.dropout,
        input_noise=section.input_noise,
        variable_length=section.variable_length,
    )


def augmentation_of(section: AugmentConfig, steps: int, features: int) -> Augmentation | None:
    """What is done to training windows of [steps, features]; None: nothing."""
    rule = Augmentation(
        time_shift=min(section.time_shift, steps - 1),
        scale=section.scale,
        jitter=section.jitter,
        time_masks=section.time_masks,
        time_mask_steps=(section.time_mask_steps or max(1, steps // 10)) if section.time_masks else 0,
        channel_masks=section.channel_masks,
        channel_mask_width=(section.channel_mask_width or max(1, features // 5))
        if section.channel_masks
        else 0,
    )
    return rule or None
