"""The stage `train`: the float model, trained to convergence."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.model_config import augmentation_of, model_config
from pipeline.parity.tolerances import require_limits_of
from pipeline.stages import StageContext
from pipeline.training_log import TrainingLog


class TrainStage:
    """Reads the data; writes the float model, what it says about the test windows, and how training went."""

    name = "train"
    version = 2
    reads: tuple[str, ...] = ("data",)

    def options(self, config: BuildConfig) -> dict[str, Any]:
        """The model, its training, and what is done to the windows for it."""
        options = {**config.model.model_dump(), **config.train.model_dump()}
        return {**options, "augment": config.augment.model_dump()}

    def run(self, context: StageContext) -> None:
        """Train with early stopping, refit on all training data where it is small, save."""
        from models.quiet_tensorflow import load_tensorflow

        load_tensorflow()
        from converters.export import export_saved_model
        from models import training
        from models.classifier import build_model, inference_form
        from models.quantization.transfer import outputs_with_context
        from pipeline.parity.outputs import Outputs

        config = context.config
        data = PreparedData.load(context.artifact("data"))
        require_limits_of(data.task, config.tolerances.model_dump())
        built = model_config(config.model, data)
        augmentation = augmentation_of(config.augment, built.steps, built.features)
        y_all = np.concatenate([data.y_train, data.y_validation])
        plan = training.plan_training(
            len(data.x_train),
            config.train.learning_rate,
            config.train.epochs,
            config.train.batch_size,
            config.train.patience,
        )
        log = TrainingLog(context.progress)

        training.set_seed(config.train.seed)
        model = build_model(built)
        with log.phase("float", "Training", plan.epochs) as on_epoch:
            best = training.train_with_early_stopping(
                model,
                (data.inputs("train"), data.y_train),
                (data.inputs("validation"), data.y_validation),
                plan,
                on_epoch,
                data.task,
                augmentation,
                config.train.seed,
            )
        refit = config.train.refit == "always" or (
            config.train.refit == "auto" and len(y_all) < training.SMALL_DATA
        )
        if refit:
            training.set_seed(config.train.seed)
            model = build_model(built)
            epochs = min(plan.epochs, max(best, plan.minimum_epochs))
            with log.phase("refit", "Refit on all training data", epochs) as on_epoch:
                training.train_for(
                    model,
                    (data.inputs("train", "validation"), y_all),
                    epochs,
                    plan,
                    on_epoch,
                    data.task,
                    augmentation,
                    config.train.seed,
                )
        context.progress.message(
            f"Float model: best of {len(log.phases[0]['epochs'])} epochs was {best}"
            + (f"; refit on all {len(y_all)} training windows for {epochs} epochs" if refit else "")
        )

        plain = inference_form(model, built)
        plain.save_weights(context.folder / "float.weights.h5")
        (context.folder / "model.json").write_text(json.dumps(built.to_dict(), indent=1) + "\n", "utf-8")
        queries = built.attention.query == "all"
        answers = Outputs.of(outputs_with_context(plain, data.inputs("test")), queries)
        answers.save(context.folder / "outputs_float.npz")
        export_saved_model(
            plain, context.folder / "saved_model", built.steps, built.features, built.variable_length
        )
        log.save(context.folder)


STAGE = TrainStage()
