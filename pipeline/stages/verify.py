"""The stage `verify`: runs both files on the test windows and holds them against the float model.

TensorFlow is not needed here: what the Keras models said was written down by the stages that trained them,
and the files are run by the same code that ships with them, `pipeline.runtime`.
"""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from converters.summary import ModelSummary, summarize
from models.errors import VerificationError
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.parity import comparison
from pipeline.parity.definitions import DEFINITIONS, REFERENCES
from pipeline.parity.latency import latency_note, median_latencies_ms
from pipeline.parity.measurements import accuracy
from pipeline.parity.outputs import Array, Outputs
from pipeline.parity.sampling import GOLDEN_LIMIT, stratified_sample
from pipeline.parity.verdict import Check
from pipeline.progress import Progress
from pipeline.report import collect
from pipeline.report.data import ReportData
from pipeline.runtime import ModelFileError, SequenceClassifier
from pipeline.stages import StageContext

FILES = {"float32": "model_float32.tflite", "int8": "model_int8.tflite"}


class VerifyStage:
    """Reads all stages before it; writes `golden.npz`, `parity.json` and the report's data."""

    name = "verify"
    version = 1
    reads: tuple[str, ...] = ("data", "train", "quantize", "convert")

    def options(self, config: BuildConfig) -> dict[str, Any]:
        """Only the limits; everything else is in the artifacts it reads."""
        return config.tolerances.model_dump()

    def run(self, context: StageContext) -> None:
        """Run the files, measure, judge, save. A failed check is a verdict, not an error."""
        data = PreparedData.load(context.artifact("data"))
        chosen = stratified_sample(data.y_test)
        features, labels = data.x_test[chosen], data.y_test[chosen]
        train, quantize = context.artifact("train"), context.artifact("quantize")
        float_model = _outputs(train / "outputs_float.npz", data, chosen)
        forward = _outputs(quantize / "outputs_forward.npz", data, chosen)
        twin_path = quantize / "outputs_twin.npz"
        twin = _outputs(twin_path, data, chosen) if twin_path.is_file() else None
        paths = {name: context.artifact("convert") / file for name, file in FILES.items()}
        classifiers = {name: _open(path) for name, path in paths.items()}

        context.progress.start("Running both files", len(FILES) * len(features))
        ran = {name: run_file(classifiers[name], features, context.progress) for name in FILES}
        context.progress.finish()
        int8 = dataclasses.replace(ran["int8"], context=_context(paths["int8"], features))
        latency_ms = median_latencies_ms(
            {name: lambda one=one: one.run(features[0]) for name, one in classifiers.items()}  # type: ignore[misc]
        )

        checks = (
            *comparison.promise(float_model, int8, labels, context.config.tolerances.model_dump()),
            *comparison.float_forward(forward, int8),
            *comparison.training_forward(twin, int8),
            *comparison.keras(float_model, ran["float32"]),
        )
        summary = summarize(paths["int8"])
        models = {"float_model": float_model, "float32": ran["float32"], "float_forward": forward,
                  **({"training_forward": twin} if twin else {}), "int8": int8}  # fmt: skip
        windows = collect.Windows(features, labels, float_model, int8, data.class_names)
        examples, arrays = collect.examples(windows)
        report = ReportData(
            dataset=_dataset(data, len(features)),
            checks=checks,
            accuracies=tuple(accuracy(name, one.logits, labels) for name, one in models.items()),
            recalls=collect.recalls(windows),
            confusions=collect.confusions(windows),
            moved={
                "total": comparison.moved(float_model, int8),
                "training": comparison.moved(float_model, forward),
                "quantization": comparison.moved(forward, int8),
            },
            histograms=collect.histograms(float_model, int8),
            examples=examples,
            most_different=[
                collect.figures(windows, int(index))
                for index in collect.by_difference(windows)[: collect.LISTED]
            ],
            files=[{"name": file, "size_bytes": paths[name].stat().st_size} for name, file in FILES.items()],
            model=_model(summary),
            latency_ms=latency_ms,
            training=[*_phases(train), *_phases(quantize)],
            config=context.config.model_dump(),
            provenance=classifiers["int8"].metadata.get("provenance", {}),
            notes=(
                *_notes(checks, data, len(features), context.config.quantize.qat),
                latency_note(latency_ms, platform.machine()),
            ),
            glossary={name: one.meaning for name, one in DEFINITIONS.items()},
            references=REFERENCES,
            arrays=arrays,
        )
        np.savez_compressed(
            context.folder / "golden.npz",
            allow_pickle=False,
            raw_features=data.raw_test[chosen],
            features=features,
            labels=labels,
            float_logits=float_model.logits.astype(np.float32),
            float_attention_weights=float_model.attention_weights.astype(np.float32),
        )
        report.save(context.folder)
        _write_parity(context.folder / "parity.json", report)
        context.progress.message(f"{report.verdict}: {report.headline}")


def run_file(classifier: SequenceClassifier, features: Array, progress: Progress) -> Outputs:
    """Runs every window [n, T, F] through the shipped runtime, which resets the state before each."""
    answers = []
    for window in features:
        answers.append(classifier.run(window))
        progress.advance()
    return Outputs(
        logits=np.stack([answer["logits"] for answer in answers]),
        attention_weights=np.stack([answer["attention_weights"] for answer in answers]),
        logits_scale=classifier.output_scales.get("logits") or None,
    )


def _outputs(path: Path, data: PreparedData, chosen: Array) -> Outputs:
    """The written outputs of a Keras model for the chosen test windows."""
    outputs = Outputs.load(path)
    expected = (len(data.x_test), len(data.class_names), data.preprocessing.steps)
    got = (len(outputs), outputs.logits.shape[1], outputs.attention_weights.shape[1])
    if got != expected:
        raise VerificationError(
            f"{path.name} holds {got} (windows, classes, steps); the test data has {expected}.",
            f"Build again with --redo {path.parent.name}.",
        )
    return outputs.select(chosen)


def _open(path: Path) -> SequenceClassifier:
    try:
        return SequenceClassifier(path)
    except ModelFileError as error:
        raise VerificationError(
            f"{path.name} cannot be run: {error}", "Build again with --redo convert."
        ) from error


def _context(path: Path, features: Array) -> Array:
    """The context vectors [n, U] inside the int8 file, from an interpreter that keeps all tensors."""
    from converters.inner_tensors import context_vectors

    return np.asarray(context_vectors(path, features))


def _model(summary: ModelSummary) -> dict[str, Any]:
    """Of a file's summary what the report shows: its ops, and each LSTM's tensors in their order."""
    whole = summary.to_dict()
    lstms = [
        {
            "name": lstm["name"],
            "kind": lstm["kind"],
            "cell_clip": lstm["cell_clip"],
            "parameters": [
                {
                    "tensor": role,
                    "dtype": tensor["dtype"],
                    "scale": tensor["scales"][0] if tensor["scales"] else None,
                    "zero_point": tensor["zero_points"][0] if tensor["zero_points"] else None,
                }
                for role, tensor in lstm["parameters"].items()
            ],
        }
        for lstm in whole["lstms"]
    ]
    return {"ops": whole["ops"], "lstms": lstms, "integer_only": whole["integer_only"]}


def _phases(folder: Path) -> list[dict[str, Any]]:
    path = folder / "history.json"
    return list(json.loads(path.read_text(encoding="utf-8"))["phases"]) if path.is_file() else []


def _dataset(data: PreparedData, windows: int) -> dict[str, Any]:
    return {
        "name": data.name,
        "attribution": data.attribution,
        "class_names": list(data.class_names),
        "channel_names": list(data.channel_names),
        "channel_units": list(data.channel_units),
        "sample_rate_hz": data.sample_rate_hz,
        "windows": windows,
        "steps": data.preprocessing.steps,
        "features": data.preprocessing.features,
    }


def _notes(checks: tuple[Check, ...], data: PreparedData, windows: int, qat: bool) -> list[str]:
    """What a reader has to know beside the numbers."""
    by_name: Mapping[str, Check] = {one.name: one for one in checks if one.reference == "float_model"}
    notes = []
    if ties := by_name["attention_top1_ties"].value:
        notes.append(
            f"In {ties:.0f} of {windows} windows the two attend most to different steps whose weights are "
            "within one quantization step (1/256) of each other; these count as agreeing."
        )
    if windows < len(data.x_test):
        notes.append(
            f"{windows} of {len(data.x_test)} test windows were used, a seeded sample of every class "
            f"(at most {GOLDEN_LIMIT})."
        )
    if windows < 100:
        notes.append(f"With {windows} test windows one window is {100 / windows:.1f} % of every share.")
    if absent := len(data.class_names) - len(np.unique(data.y_test)):
        notes.append(f"{absent} of {len(data.class_names)} classes do not occur in the test windows.")
    if not qat:
        notes.append(
            "Built without quantization-aware training: the weights are the float model's, and the training "
            "forward is their fake-quantized forward."
        )
    return notes


def _write_parity(path: Path, report: ReportData) -> None:
    document = report.document()
    parity = {name: document[name] for name in ("verdict", "checks", "notes")}
    path.write_text(
        json.dumps(parity, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )


STAGE = VerifyStage()
