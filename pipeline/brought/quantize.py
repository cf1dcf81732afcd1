"""The stage `quantize` of a model that was brought: twins of layers that have one, the others in float."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.inputs import Inputs
from pipeline.brought.model import ARCHITECTURE, WEIGHTS, outputs_of
from pipeline.conversion import evenly
from pipeline.data.prepared import PreparedData
from pipeline.parity.outputs import Outputs
from pipeline.stages import StageContext
from pipeline.stages.quantize import FloatModel, QuantizeStage

if TYPE_CHECKING:
    import tf_keras

WINDOWS = "observed.npy"


class BroughtQuantizeStage(QuantizeStage):
    """Writes what the stage of a build writes, and the windows for the ranges that are observed."""

    version = 1

    def run(self, context: StageContext) -> None:
        """As of a build; beside it the windows."""
        super().run(context)
        x = PreparedData.load(context.artifact("data")).x_train
        np.save(context.folder / WINDOWS, evenly(x))

    def float_model(self, context: StageContext) -> FloatModel:
        """The rebuilt model, of layers that are known (`models.foreign`)."""
        import tf_keras

        from models.quantization.tfmot import layers_without_twin

        folder = context.artifact("train")
        architecture = (folder / ARCHITECTURE).read_text(encoding="utf-8")
        task = PreparedData.load(context.artifact("data")).task

        def make() -> tf_keras.Model:
            model = tf_keras.models.model_from_json(architecture)
            model.load_weights(folder / WEIGHTS)
            for layer in model.layers:
                if isinstance(layer, tf_keras.layers.BatchNormalization):
                    layer.trainable = False
            return model

        def answers(model: tf_keras.Model, x: Inputs) -> Outputs:
            return outputs_of(model.predict(x, batch_size=1024, verbose=0), task)

        return FloatModel(make, answers, layers_without_twin, variable_length=False)
