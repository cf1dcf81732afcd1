"""The stage `data` of a model that was brought: windows as they are, labels as its answer wants them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from models.errors import InputError
from pipeline.brought.original import Answer, Wanted, answer_of, open_original
from pipeline.config import BuildConfig
from pipeline.data.dataset import SequenceDataset, unread_note
from pipeline.data.prepared import prepare
from pipeline.data.registry import load_dataset, source_identity
from pipeline.data.targets import MANY
from pipeline.stages import StageContext


class BroughtDataStage:
    """Reads nothing from the store; writes what stage `data` of a build writes."""

    name = "data"
    version = 1
    reads: tuple[str, ...] = ()

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted

    def options(self, config: BuildConfig) -> dict[str, Any]:
        """The source, what decides the cut, and the model, from whose answer the task follows."""
        return {
            "source": source_identity(config.data.source),
            "validation_fraction": config.data.validation_fraction,
            "seed": config.train.seed,
            "brought": self._wanted.identity(),
        }

    def run(self, context: StageContext) -> None:
        """Load, cut, save; nothing is standardized."""
        from models.quiet_tensorflow import load_tensorflow

        source = context.config.data.source
        context.progress.start("Reading the model", None)
        load_tensorflow()
        _, rebuilt = open_original(self._wanted)
        answer = answer_of(rebuilt, self._wanted)
        context.progress.finish()
        context.progress.start("Reading the data", None)
        dataset = fitting_dataset(source, answer, self._wanted.task)
        data = prepare(
            dataset, context.config.data.validation_fraction, context.config.train.seed, standardize=False
        )
        data.save(context.folder)
        context.progress.finish()
        for note in unread_note(source, dataset.unread):
            context.progress.message(note)
        context.progress.message(
            f"{data.name}: {len(data.x_train)} training, {len(data.x_validation)} validation and "
            f"{len(data.x_test)} test windows of {data.preprocessing.steps} steps, "
            f"{data.preprocessing.features} channels, {len(data.class_names)} {MANY[data.task]}, as they are"
        )


def fitting_dataset(source: str, answer: Answer, asked: str | None) -> SequenceDataset:
    """The data with labels for the model's answer.

    Raises:
        InputError: the data cannot be used, or have another number of classes, labels or targets.
    """
    one_probability = answer.task == "multi-label" and answer.size == 1
    if one_probability:
        dataset = _as_one_label(load_dataset(source), answer)
    else:
        dataset = load_dataset(source, asked or answer.task)
    count = len(dataset.class_names)
    if count != answer.size:
        raise InputError(
            f"The output '{answer.name}' has {answer.size} numbers; '{source}' has {count} "
            f"{MANY[dataset.task]}: {', '.join(dataset.class_names)}.",
            "Name the classes in the model's order with the key class_names, or choose another --output.",
        )
    return dataset


def _as_one_label(dataset: SequenceDataset, answer: Answer) -> SequenceDataset:
    """Two classes, for a model that gives the probability of the second."""
    if dataset.task == "multi-label":
        return dataset
    if dataset.task != "classification" or len(dataset.class_names) != 2:
        raise InputError(
            f"The output '{answer.name}' is one probability; the data are for {dataset.task} with "
            f"{len(dataset.class_names)} {MANY[dataset.task]}.",
            "Needed are two classes, or one label of 0 and 1.",
        )
    return replace(
        dataset,
        task="multi-label",
        y_train=dataset.y_train[:, np.newaxis],
        y_test=dataset.y_test[:, np.newaxis],
        class_names=dataset.class_names[1:],
    )
