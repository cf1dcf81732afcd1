"""The stage `quantize`: weights that bear rounding, and the range of every quantity."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.config import ModelConfig
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.schemes import attention_precisions
from pipeline.stages import StageContext
from pipeline.training_log import TrainingLog

if TYPE_CHECKING:
    import tf_keras


class QuantizeStage:
    """Reads data and float model; writes a folder for each precision of the attention that was asked for.

    In it are the model that bears rounding, as a plain one, its ranges, and what it answers. Another
    precision is another forward, so each has a twin of its own.
    """

    name = "quantize"
    version = 3
    reads: tuple[str, ...] = ("data", "train")

    def options(self, config: BuildConfig) -> dict[str, Any]:
        """The quantization, and the seed of its batches; nothing where no scheme has a twin.

        Which other schemes are made does not matter here, so that adding one trains nothing again. Another
        precision of the attention trains the twins of all of them again.
        """
        precisions = attention_precisions(config.quantize)
        if not precisions:
            return {"attention_precision": []}
        return {
            **config.quantize.model_dump(exclude={"scheme"}),
            "attention_precision": list(precisions),
            "seed": config.train.seed,
            "batch_size": config.train.batch_size,
        }

    def run(self, context: StageContext) -> None:
        """Calibrate each twin, train it to answer as the float model does, take its weights and ranges."""
        precisions = attention_precisions(context.config.quantize)
        log = TrainingLog(context.progress)
        if precisions:
            from models.quiet_tensorflow import load_tensorflow

            load_tensorflow()
            from models.classifier import inference_config

            data = PreparedData.load(context.artifact("data"))
            document = json.loads((context.artifact("train") / "model.json").read_text("utf-8"))
            config = inference_config(ModelConfig.from_dict(document))
            for precision in precisions:
                _quantize(context, data, config, precision, log)
        log.save(context.folder)


def _quantize(
    context: StageContext, data: PreparedData, config: ModelConfig, precision: str, log: TrainingLog
) -> None:
    """The twin of one precision, into the folder of its name; the same whatever others are made."""
    from models import training
    from models.classifier import build_model
    from models.quantization import calibrate, quantize_model
    from models.quantization.training import distill, plan_distillation

    options = context.config.quantize
    of = "" if precision == "int8" else f", {precision} attention"
    training.set_seed(context.config.train.seed)
    teacher = build_model(config)
    teacher.load_weights(context.artifact("train") / "float.weights.h5")
    x_all, windows = data.inputs("train", "validation"), len(data.x_train) + len(data.x_validation)
    twin = quantize_model(teacher, precision)
    context.progress.start(f"Observing ranges{of}", None)
    calibrate(twin, x_all, options.calibration)
    context.progress.finish()
    if options.qat:
        batch_size = training.plan_training(
            windows, context.config.train.learning_rate, batch_size=context.config.train.batch_size
        ).batch_size
        plan = plan_distillation(windows, batch_size, options.qat_epochs, options.qat_learning_rate)
        title = f"Quantization-aware training{of}"
        with log.phase(f"quantization-aware{of}", title, plan.epochs) as on_epoch:
            kept = distill(twin, teacher, x_all, data.inputs("validation"), plan, on_epoch, data.task)
        context.progress.message(
            f"{title}: epoch {kept} of {plan.epochs} is closest to the float model"
            + ("" if kept else " (epoch 0: the float weights, rounded; training found nothing closer)")
        )
    folder = context.folder / precision
    folder.mkdir()
    _save(folder, data, config, twin)


def _save(folder: Path, data: PreparedData, config: ModelConfig, twin: tf_keras.Model) -> None:
    """The twin's weights in a plain model, its ranges, and what both answer on the test windows."""
    from converters.export import export_saved_model
    from converters.ranges import Quantity, RangeTable
    from models.classifier import build_model
    from models.quantization.transfer import observed_quantities, outputs_with_context, transfer_weights
    from pipeline.parity.outputs import Outputs

    plain = build_model(config)
    transfer_weights(twin, plain)
    plain.save_weights(folder / "quantized.weights.h5")
    twin.save_weights(folder / "twin.weights.h5")
    # Every step of the probe counts: then masked scores are the scores, whose range holds both.
    window, length = data.x_train[0], config.steps if config.variable_length else None
    probe = window if length is None else {"features": window, "lengths": np.int32(length)}
    quantities = (
        Quantity(q.name, q.range, q.probe, q.precision) for q in observed_quantities(twin, probe)
    )
    RangeTable(window, tuple(quantities), length).save(folder / "ranges.npz")
    queries = config.attention.query == "all"
    for model, name in ((plain, "outputs_forward.npz"), (twin, "outputs_twin.npz")):
        Outputs.of(outputs_with_context(model, data.inputs("test")), queries).save(folder / name)
    export_saved_model(
        plain, folder / "saved_model", config.steps, config.features, config.variable_length
    )


STAGE = QuantizeStage()
