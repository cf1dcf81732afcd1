"""The stage `verify`: runs both files on the test windows and holds them against the float model.

TensorFlow is not needed here: what the Keras models said was written down by the stages that trained them,
and the files are run by the same code that ships with them, `pipeline.runtime`.
"""

from __future__ import annotations

import dataclasses
import json
import platform
from pathlib import Path
from typing import Any

from converters.summary import summarize
from models.config import output_name
from models.errors import ConversionError, FuselageError, VerificationError
from models.quiet_tensorflow import stderr_held_back
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.parity import comparison
from pipeline.parity.definitions import REFERENCES
from pipeline.parity.files import ModelFile
from pipeline.parity.golden import write_golden
from pipeline.parity.latency import latency_note, median_latencies_ms
from pipeline.parity.outputs import Array, Outputs
from pipeline.parity.running import context_of, run_file, run_files
from pipeline.parity.sampling import stratified_sample
from pipeline.parity.tasks import task_named
from pipeline.report import collect
from pipeline.runtime import ModelFileError, SequenceModel, load_model
from pipeline.stages import StageContext
from pipeline.verify import describe_model, judge

FILES = {"float32": "model_float32.tflite", "int8": "model_int8.tflite"}
STOCK = "model_int8_stock.tflite"


class VerifyStage:
    """Reads all stages before it; writes `golden.npz`, `parity.json` and the report's data."""

    name = "verify"
    version = 3
    reads: tuple[str, ...] = ("data", "train", "quantize", "convert")

    def options(self, config: BuildConfig) -> dict[str, Any]:
        """Only the limits; everything else is in the artifacts it reads."""
        return config.tolerances.model_dump()

    def run(self, context: StageContext) -> None:
        """Run the files, measure, judge, save. A failed check is a verdict, not an error."""
        data = PreparedData.load(context.artifact("data"))
        chosen = stratified_sample(task_named(data.task).strata(data.y_test))
        features, labels = data.x_test[chosen], data.y_test[chosen]
        train, quantize = context.artifact("train"), context.artifact("quantize")
        real = None if data.real_test is None else data.real_test[chosen]
        float_model = _outputs(train / "outputs_float.npz", data, chosen)
        forward = _outputs(quantize / "outputs_forward.npz", data, chosen)
        twin_path = quantize / "outputs_twin.npz"
        twin = _outputs(twin_path, data, chosen) if twin_path.is_file() else None
        paths = {name: context.artifact("convert") / file for name, file in FILES.items()}
        classifiers = {name: _open(path) for name, path in paths.items()}

        context.progress.start("Running both files", len(FILES) * len(features))
        answer = output_name(data.task)
        ran = {
            name: run_file(
                one, features, context.progress, answer, real=real, takes_lengths=one.takes_lengths
            )
            for name, one in classifiers.items()
        }
        context.progress.finish()
        lengths = real.sum(axis=1) if real is not None and classifiers["int8"].takes_lengths else None
        int8 = dataclasses.replace(ran["int8"], context=_context(paths["int8"], features, lengths))
        latency_ms = median_latencies_ms(
            {name: lambda one=one: one.run(features[0]) for name, one in classifiers.items()}  # type: ignore[misc]
        )
        stock, stock_outputs = _stock(context, features, labels, float_model, data.task)
        if stock_outputs:
            paths["int8_stock"] = context.artifact("convert") / STOCK

        true = data.preprocessing.restore_targets(labels) if data.task == "regression" else labels
        golden_notes = write_golden(
            context.folder / "golden.npz", data.raw_test[chosen], features, true, float_model, data.task
        )
        report = judge(
            collect.Windows(
                features, labels, float_model, int8, data.class_names,
                data.task, data.target_units, data.preprocessing,
            ),
            context.config.tolerances.model_dump(),
            total=len(data.x_test),
            explanation=(
                *comparison.float_forward(forward, int8, data.task),
                *comparison.training_forward(twin, int8),
                *comparison.keras(float_model, ran["float32"], data.task),
            ),
            models={
                "float_model": float_model,
                "float32": ran["float32"],
                "float_forward": forward,
                **({"training_forward": twin} if twin else {}),
                "int8": int8,
                **stock_outputs,
            },
            notes=(
                *_notes(context.config.quantize.qat),
                *golden_notes,
                latency_note(latency_ms, platform.machine()),
            ),
            dataset=_dataset(data),
            moved={
                "total": comparison.moved(float_model, int8, data.task),
                "training": comparison.moved(float_model, forward, data.task),
                "quantization": comparison.moved(forward, int8, data.task),
            },
            files=[{"name": path.name, "size_bytes": path.stat().st_size} for path in paths.values()],
            model=describe_model(summarize(paths["int8"])),
            latency_ms=latency_ms,
            training=[*_phases(train), *_phases(quantize)],
            config=context.config.model_dump(),
            provenance=classifiers["int8"].metadata.get("provenance", {}),
            references=REFERENCES,
            stock=stock,
        )
        report.save(context.folder)
        parity = json.dumps(report.parity(), indent=1, ensure_ascii=False, allow_nan=False)
        (context.folder / "parity.json").write_text(parity + "\n", encoding="utf-8")
        context.progress.message(f"{report.verdict}: {report.headline}")


def _outputs(path: Path, data: PreparedData, chosen: Array) -> Outputs:
    """The written outputs of a Keras model for the chosen test windows."""
    outputs = Outputs.load(path)
    expected = (len(data.x_test), len(data.class_names), data.preprocessing.steps)
    got = (len(outputs), outputs.logits.shape[-1], outputs.steps)
    if got != expected:
        raise VerificationError(
            f"{path.name} holds {got} (windows, classes, steps); the test data has {expected}.",
            f"Build again with --redo {path.parent.name}.",
        )
    return dataclasses.replace(outputs, real=data.real_test).select(chosen)


def _open(path: Path) -> SequenceModel:
    try:
        with stderr_held_back():  # the interpreter tells about its delegate
            return load_model(path)
    except ModelFileError as error:
        raise VerificationError(
            f"{path.name} cannot be run: {error}", "Build again with --redo convert."
        ) from error


def _context(path: Path, features: Array, lengths: Array | None) -> Array | None:
    """The context vectors inside the int8 file, from an interpreter that keeps all tensors."""
    return context_of(path.read_bytes(), features, lengths)


def _stock(
    context: StageContext, features: Array, labels: Array, float_model: Outputs, task: str
) -> tuple[dict[str, Any] | None, dict[str, Outputs]]:
    """The stock quantizer's file held against the same float model, where the build was asked for it.

    Whatever it does, a refusal and a crash included, is told and counts for nothing.

    Returns:
        `ReportData.stock`, and its outputs by name, none where it has none.
    """
    if not context.config.convert.compare_stock:
        return None, {}
    path = context.artifact("convert") / STOCK
    try:
        if not path.is_file():
            conversion = json.loads((path.parent / "conversion.json").read_text(encoding="utf-8"))
            raise ConversionError(conversion["stock"])
        ran, _ = run_files(
            {"int8_stock": (ModelFile.read(path), features)}, context.progress, float_model.real
        )
    except FuselageError as error:
        return {"file": STOCK, "checks": [], "error": error.message}, {}
    checks = comparison.promise(
        float_model, ran["int8_stock"], labels, context.config.tolerances.model_dump(), task
    )
    return {"file": STOCK, "checks": [check.to_dict() for check in checks], "error": None}, ran


def _phases(folder: Path) -> list[dict[str, Any]]:
    path = folder / "history.json"
    return list(json.loads(path.read_text(encoding="utf-8"))["phases"]) if path.is_file() else []


def _dataset(data: PreparedData) -> dict[str, Any]:
    return {
        "name": data.name,
        "attribution": data.attribution,
        "channel_names": list(data.channel_names),
        "channel_units": list(data.channel_units),
        "sample_rate_hz": data.sample_rate_hz,
    }


def _notes(qat: bool) -> list[str]:
    """What a reader has to know about this build."""
    if qat:
        return []
    return [
        "Built without quantization-aware training: the weights are the float model's, and the training "
        "forward is their fake-quantized forward."
    ]


STAGE = VerifyStage()
