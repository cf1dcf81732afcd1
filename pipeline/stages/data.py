"""The stage `data`: from a data set to standardized splits."""

from __future__ import annotations

from typing import Any

from pipeline.config import BuildConfig
from pipeline.data.dataset import unread_note
from pipeline.data.options import ReadOptions
from pipeline.data.prepared import prepare
from pipeline.data.registry import load_dataset, source_identity
from pipeline.data.targets import MANY
from pipeline.model_config import model_config
from pipeline.stages import StageContext


class DataStage:
    """Reads nothing from the store; writes `data.npz` and `preprocessing.json`."""

    name = "data"
    version = 3
    reads: tuple[str, ...] = ()

    def options(self, config: BuildConfig) -> dict[str, Any]:
        """The source (of a file its content, not its folder) and what decides the cut."""
        return {
            **config.data.model_dump(),
            "source": source_identity(config.data.source),
            "csv": config.csv.model_dump(),
            "audio": config.audio.model_dump(),
            "seed": config.train.seed,
            "task": config.model.task,
            "variable_length": config.model.variable_length,
        }

    def run(self, context: StageContext) -> None:
        """Load, cut, standardize, save."""
        context.progress.start("Reading the data", None)
        config = context.config
        options = ReadOptions(config.model.task, config.data, config.csv, config.audio, config.train.seed)
        dataset = load_dataset(config.data.source, options=options)
        padding = "end" if config.model.variable_length else None
        data = prepare(dataset, config.data.validation_fraction, config.train.seed, padding, consume=True)
        model_config(config.model, data)  # what does not go with the task is told before training
        data.save(context.folder)
        context.progress.finish()
        for note in (*unread_note(config.data.source, dataset.unread), *dataset.notes, *dataset.suspicious):
            context.progress.message(note)
        steps = data.preprocessing.steps
        if padding and (dataset.lengths_train == steps).all() and (dataset.lengths_test == steps).all():
            context.progress.message(
                f"Every recording has {steps} steps: variable_length adds an input and changes no answer."
            )
        context.progress.message(
            f"{data.name}: {len(data.x_train)} training, {len(data.x_validation)} validation and "
            f"{len(data.x_test)} test windows of {data.preprocessing.steps} steps, "
            f"{data.preprocessing.features} channels, {len(data.class_names)} {MANY[data.task]}"
        )


STAGE = DataStage()
