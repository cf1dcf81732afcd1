"""The stage `quantize`: weights that bear rounding, and the range of every quantity."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from models.config import ModelConfig
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.stages import StageContext
from pipeline.training_log import TrainingLog


class QuantizeStage:
    """Reads data and float model; writes the model that bears rounding, as a plain one, and its ranges."""

    name = "quantize"
    version = 1
    reads: tuple[str, ...] = ("data", "train")

    def options(self, config: BuildConfig) -> dict[str, Any]:
        """The quantization, and the seed of its batches."""
        return {
            **config.quantize.model_dump(),
            "seed": config.train.seed,
            "batch_size": config.train.batch_size,
        }

    def run(self, context: StageContext) -> None:
        """Calibrate the twin, train it to answer as the float model does, take its weights and ranges."""
        from models.quiet_tensorflow import load_tensorflow

        load_tensorflow()
        from converters.export import export_saved_model
        from converters.ranges import Quantity, RangeTable
        from models import training
        from models.classifier import build_model, inference_config
        from models.quantization import calibrate, quantize_model
        from models.quantization.training import distill, plan_distillation
        from models.quantization.transfer import observed_quantities, outputs_with_context, transfer_weights
        from pipeline.parity.outputs import Outputs

        options = context.config.quantize
        data = PreparedData.load(context.artifact("data"))
        train = context.artifact("train")
        config = inference_config(
            ModelConfig.from_dict(json.loads((train / "model.json").read_text("utf-8")))
        )
        training.set_seed(context.config.train.seed)
        teacher = build_model(config)
        teacher.load_weights(train / "float.weights.h5")

        x_all = np.concatenate([data.x_train, data.x_validation])
        twin = quantize_model(teacher)
        context.progress.start("Observing ranges", None)
        calibrate(twin, x_all, options.calibration)
        context.progress.finish()
        log = TrainingLog(context.progress)
        if options.qat:
            batch_size = training.plan_training(
                len(x_all), context.config.train.learning_rate, batch_size=context.config.train.batch_size
            ).batch_size
            plan = plan_distillation(len(x_all), batch_size, options.qat_epochs, options.qat_learning_rate)
            with log.phase("quantization-aware", "Quantization-aware training", plan.epochs) as on_epoch:
                kept = distill(twin, teacher, x_all, data.x_validation, plan, on_epoch)
            context.progress.message(
                f"Quantization-aware training: epoch {kept} of {plan.epochs} is closest to the float model"
                + ("" if kept else " (epoch 0: the float weights, rounded; training found nothing closer)")
            )

        plain = build_model(config)
        transfer_weights(twin, plain)
        plain.save_weights(context.folder / "quantized.weights.h5")
        probe = data.x_train[0]
        quantities = (Quantity(q.name, q.range, q.probe) for q in observed_quantities(twin, probe))
        RangeTable(probe, tuple(quantities)).save(context.folder / "ranges.npz")
        Outputs.of(outputs_with_context(plain, data.x_test)).save(context.folder / "outputs_forward.npz")
        Outputs.of(outputs_with_context(twin, data.x_test)).save(context.folder / "outputs_twin.npz")
        export_saved_model(plain, context.folder / "saved_model", config.steps, config.features)
        log.save(context.folder)


STAGE = QuantizeStage()
