"""The stage in the place of `train`: the model that was brought, rebuilt and held against the original."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.config import output_name
from models.errors import QuantizationError
from pipeline.brought.document import BroughtModel
from pipeline.brought.original import Wanted, answer_of, open_original
from pipeline.brought.outputs import ATTENTION, fusable
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.parity.outputs import Outputs
from pipeline.parity.tolerances import keras_limits, require_limits_of
from pipeline.stages import StageContext
from pipeline.training_log import TrainingLog

if TYPE_CHECKING:
    from models.foreign.files import Original
    from models.foreign.rebuild import Rebuilt

COMPARED = 1000
"""Windows at most on which original and rebuilt model are compared."""

ARCHITECTURE, WEIGHTS, CHECKED = "architecture.json", "float.weights.h5", "outputs_checked.npz"


class ModelStage:
    """Reads the data; writes what `train` of a build writes, `architecture.json` and the outputs to check."""

    name = "train"
    version = 1
    reads: tuple[str, ...] = ("data",)

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted

    def options(self, config: BuildConfig) -> dict[str, Any]:
        """The model and what of it is looked at."""
        return {"brought": self._wanted.identity()}

    def run(self, context: StageContext) -> None:
        """Rebuild, compare, save."""
        from models.quiet_tensorflow import load_tensorflow

        load_tensorflow()
        from converters.export import export_saved_model

        data = PreparedData.load(context.artifact("data"))
        require_limits_of(data.task, context.config.tolerances.model_dump())
        context.progress.start("Rebuilding the model", None)
        original, rebuilt = open_original(self._wanted, data.preprocessing.steps)
        difference = largest_difference(original, rebuilt, data.x_test[:COMPARED])
        answer = answer_of(rebuilt, self._wanted)
        made = fusable(
            rebuilt, answer, self._wanted.check, data.x_train, data.task, data.preprocessing
        )
        context.progress.finish()
        about = BroughtModel(
            file=self._wanted.path.name,
            written_by=original.written_by,
            lstms=list(rebuilt.lstms),
            end=answer.end,
            attention=made.attention,
            checked=made.checked,
            mended=[str(one) for one in rebuilt.mended],
            largest_difference=difference,
            compared=min(COMPARED, len(data.x_test)),
        )
        about.save(context.folder)
        (context.folder / ARCHITECTURE).write_text(made.model.to_json(), encoding="utf-8")
        made.model.save_weights(context.folder / WEIGHTS)
        told = made.model.predict(data.x_test, batch_size=1024, verbose=0)
        outputs_of(told, data.task).save(context.folder / "outputs_float.npz")
        np.savez(context.folder / CHECKED, allow_pickle=False, **{name: told[name] for name in made.checked})
        steps, features = data.preprocessing.steps, data.preprocessing.features
        export_saved_model(made.model, context.folder / "saved_model", steps, features)
        TrainingLog(context.progress).save(context.folder)
        context.progress.message(
            f"{about.file} ({about.written_by}): {len(about.lstms)} LSTM layers in fusable form; the rebuilt "
            f"model differs from it by {difference:.1g} of its largest answer on {about.compared} windows"
        )
        for sentence in about.mended:
            context.progress.message(f"Mended: {sentence}")


def outputs_of(told: dict[str, NDArray[np.float32]], task: str) -> Outputs:
    """What a brought model, plain or twin, said about windows, as parity takes it."""
    answer = told[output_name(task)]
    attention = told.get(ATTENTION, np.zeros((len(answer), 0), np.float32))
    return Outputs(answer, attention)


def largest_difference(original: Original, rebuilt: Rebuilt, x: NDArray[np.float32]) -> float:
    """Between the answers of original and rebuilt model, over the largest answer, or over 1 if that is more.

    Args:
        x: [n, steps, features].

    Raises:
        QuantizationError: more than two float32 implementations of one function differ by.
    """
    import tf_keras

    model = tf_keras.Model(rebuilt.input, dict(rebuilt.outputs))
    told, right = model.predict(x, batch_size=1024, verbose=0), original.answers(x)
    worst = float(
        np.max([  # which hands on a NaN
            np.abs(told[name] - expected).max() / max(1.0, float(np.abs(expected).max()))
            for name, expected in right.items()
        ])
    )  # fmt: skip
    limit = keras_limits(x.shape[1])["logits_max_relative_error"]
    if not worst <= limit:
        masks = any("Masking" in str(one) for one in rebuilt.mended)
        why = (
            "The model masks steps that occur in the data, and the fused op has no mask: without it the "
            "answers are others."
            if masks
            else "A layer computes something else in tf_keras than in the Keras that wrote the file."
        )
        raise QuantizationError(
            f"The rebuilt model's answers differ from the original's by {worst:.3g} of the largest one on "
            f"{len(x)} windows; {limit:.2g} is what float32 explains. {why}",
            "Pad the windows in front with zeros, and train without Masking."
            if masks
            else "Leave layers out until it agrees, and report the one that does not.",
        )
    return worst
