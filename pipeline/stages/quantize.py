"""The stage `quantize`: weights that bear rounding, and the range of every quantity."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.config import ModelConfig
from models.inputs import Inputs
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.schemes import attention_precisions
from pipeline.stages import StageContext
from pipeline.training_log import TrainingLog

if TYPE_CHECKING:
    import tf_keras

    from pipeline.parity.outputs import Outputs


@dataclass(frozen=True)
class FloatModel:
    """What there is to quantize.

    Attributes:
        make: a model of the float weights, without what acts in training only.
        answers: what such a model or its twin says about windows.
        without_twin: of a model and a precision, names of layers that stay float in training.
        variable_length: the model takes lengths.
    """

    make: Callable[[], tf_keras.Model]
    answers: Callable[[tf_keras.Model, Inputs], Outputs]
    without_twin: Callable[[tf_keras.Model, str], Collection[str]]
    variable_length: bool


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
            data = PreparedData.load(context.artifact("data"))
            source = self.float_model(context)
            for precision in precisions:
                _quantize(context, data, source, precision, log)
        log.save(context.folder)

    def float_model(self, context: StageContext) -> FloatModel:
        """The float model that stage `train` wrote."""
        from models.classifier import build_model, inference_config
        from models.quantization.transfer import outputs_with_context
        from pipeline.parity.outputs import Outputs

        document = json.loads((context.artifact("train") / "model.json").read_text("utf-8"))
        config = inference_config(ModelConfig.from_dict(document))

        def make() -> tf_keras.Model:
            model = build_model(config)
            model.load_weights(context.artifact("train") / "float.weights.h5")
            return model

        def answers(model: tf_keras.Model, x: Inputs) -> Outputs:
            return Outputs.of(outputs_with_context(model, x), config.attention.query == "all")

        return FloatModel(make, answers, lambda model, precision: (), config.variable_length)


def _quantize(
    context: StageContext, data: PreparedData, source: FloatModel, precision: str, log: TrainingLog
) -> None:
    """The twin of one precision, into the folder of its name; the same whatever others are made."""
    from models import training
    from models.quantization import calibrate, quantize_model
    from models.quantization.training import distill, plan_distillation

    options = context.config.quantize
    of = "" if precision == "int8" else f", {precision} attention"
    training.set_seed(context.config.train.seed)
    teacher = source.make()
    x_all, windows = data.inputs("train", "validation"), len(data.x_train) + len(data.x_validation)
    twin = quantize_model(teacher, precision, source.without_twin(teacher, precision))
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
    _save(folder, data, source, twin)


def _save(folder: Path, data: PreparedData, source: FloatModel, twin: tf_keras.Model) -> None:
    """The twin's weights in a plain model, its ranges, and what both answer on the test windows."""
    from converters.export import export_saved_model
    from converters.ranges import Quantity, RangeTable
    from models.quantization.transfer import observed_quantities, transfer_weights

    plain = source.make()
    transfer_weights(twin, plain)
    plain.save_weights(folder / "quantized.weights.h5")
    twin.save_weights(folder / "twin.weights.h5")
    steps, features = data.preprocessing.steps, data.preprocessing.features
    # Every step of the probe counts: then masked scores are the scores, whose range holds both.
    window, length = data.x_train[0], steps if source.variable_length else None
    probe = window if length is None else {"features": window, "lengths": np.int32(length)}
    quantities = (
        Quantity(q.name, q.range, q.probe, q.precision) for q in observed_quantities(twin, probe)
    )
    RangeTable(window, tuple(quantities), length).save(folder / "ranges.npz")
    for model, name in ((plain, "outputs_forward.npz"), (twin, "outputs_twin.npz")):
        source.answers(model, data.inputs("test")).save(folder / name)
    export_saved_model(plain, folder / "saved_model", steps, features, source.variable_length)


STAGE = QuantizeStage()
