"""The stage `verify`: runs every file on the test windows and holds it against the float model.

TensorFlow is not needed here: what the Keras models said was written down by the stages that trained them,
and the files are run by the same code that ships with them, `pipeline.runtime`.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import ConversionError, FuselageError, VerificationError
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.parity import comparison
from pipeline.parity.definitions import REFERENCES
from pipeline.parity.files import ModelFile
from pipeline.parity.latency import latency_note
from pipeline.parity.outputs import Array, Outputs
from pipeline.parity.running import run_files
from pipeline.parity.sampling import stratified_sample
from pipeline.parity.verdict import Check
from pipeline.report import collect
from pipeline.report.data import BUILD_NAMES
from pipeline.report.recommendation import recommend
from pipeline.scheme_runs import SchemeRun, result_of, run_schemes
from pipeline.schemes import FLOAT32, schemes_of
from pipeline.stages import StageContext
from pipeline.verify import describe_model, judge

STOCK = "model_int8_stock.tflite"


class VerifyStage:
    """Reads all stages before it; writes `golden.npz`, `parity.json` and the report's data."""

    name = "verify"
    version = 3
    reads: tuple[str, ...] = ("data", "train", "quantize", "convert")

    def options(self, config: BuildConfig) -> dict[str, Any]:
        """The limits and which files are held to them; everything else is in the artifacts it reads."""
        asked = [scheme.name for scheme in schemes_of(config.quantize) if scheme.asked]
        return {**config.tolerances.model_dump(), "schemes": asked}

    def run(self, context: StageContext) -> None:
        """Run the files, measure, judge, save. A failed check is a verdict, not an error."""
        data = PreparedData.load(context.artifact("data"))
        chosen = stratified_sample(data.y_test)
        features, labels = data.x_test[chosen], data.y_test[chosen]
        tolerances = context.config.tolerances.model_dump()
        float_model = _outputs(context.artifact("train") / "outputs_float.npz", "train", data, chosen)
        schemes = schemes_of(context.config.quantize)
        runs = run_schemes(schemes, context.artifact("convert"), features, context.progress)
        forwards = {name: _forwards(context, run, data, chosen) for name, run in runs.items()}
        results = [
            result_of(run, _checks(run, float_model, labels, tolerances, forwards[name]), labels)
            for name, run in runs.items()
        ]
        recommendation = recommend(results)
        shown = _shown(runs, recommendation.scheme)
        name, outputs = shown.scheme.name, forwards[shown.scheme.name]
        stock, stock_outputs = _stock(context, features, labels, float_model)
        beside = {one: run for one, run in runs.items() if one not in (FLOAT32, name)}
        files = [runs[FLOAT32].path, shown.path, *(run.path for run in beside.values())]
        if stock_outputs:
            files.append(context.artifact("convert") / STOCK)
        latency_ms = {one: run.latency_ms for one, run in runs.items()}

        report = judge(
            collect.Windows(features, labels, float_model, shown.outputs, data.class_names),
            tolerances,
            weight_error=shown.scheme.weight_error,
            total=len(data.x_test),
            explanation=(
                *_explanation(shown, outputs),
                *comparison.keras(float_model, runs[FLOAT32].outputs),
            ),
            models={
                "float_model": float_model,
                "float32": runs[FLOAT32].outputs,
                **outputs,
                "int8": shown.outputs,
                **{one: run.outputs for one, run in beside.items()},
                **stock_outputs,
            },
            notes=_notes(context.config, shown, latency_ms),
            names={**BUILD_NAMES, "int8": f"{name} file"},
            dataset=_dataset(data),
            moved=_moved(float_model, outputs.get("float_forward"), shown.outputs),
            files=[{"name": path.name, "size_bytes": path.stat().st_size} for path in dict.fromkeys(files)],
            model=describe_model(shown.summary),
            latency_ms=latency_ms,
            training=[*_phases(context.artifact("train")), *_phases(context.artifact("quantize"))],
            config=context.config.model_dump(),
            provenance=(shown.summary.metadata or {}).get("provenance", {}),
            references={key: text.replace("int8 file", f"{name} file") for key, text in REFERENCES.items()},
            stock=stock,
            schemes=tuple(results),
            recommendation=asdict(recommendation),
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
        parity = json.dumps(report.parity(), indent=1, ensure_ascii=False, allow_nan=False)
        (context.folder / "parity.json").write_text(parity + "\n", encoding="utf-8")
        context.progress.message(f"{report.verdict}: {report.headline}")


def _outputs(path: Path, stage: str, data: PreparedData, chosen: Array) -> Outputs:
    """The written outputs of a Keras model for the chosen test windows."""
    outputs = Outputs.load(path)
    expected = (len(data.x_test), len(data.class_names), data.preprocessing.steps)
    got = (len(outputs), outputs.logits.shape[1], outputs.attention_weights.shape[1])
    if got != expected:
        raise VerificationError(
            f"{path.name} holds {got} (windows, classes, steps); the test data has {expected}.",
            f"Build again with --redo {stage}.",
        )
    return outputs.select(chosen)


def _forwards(context: StageContext, run: SchemeRun, data: PreparedData, chosen: Array) -> dict[str, Outputs]:
    """What the float and the fake-quantized forward of a scheme's own weights answer; none without a twin."""
    if run.scheme.attention is None:
        return {}
    folder = context.artifact("quantize") / run.scheme.attention
    paths = {"float_forward": folder / "outputs_forward.npz", "training_forward": folder / "outputs_twin.npz"}
    return {
        name: _outputs(path, "quantize", data, chosen)
        for name, path in paths.items()
        if name == "float_forward" or path.is_file()
    }


def _checks(
    run: SchemeRun,
    float_model: Outputs,
    labels: Array,
    tolerances: Mapping[str, float | None],
    forwards: Mapping[str, Outputs],
) -> list[Check]:
    """All checks of one scheme. What was not asked for is held to no promise."""
    promise = comparison.promise(float_model, run.outputs, labels, tolerances, run.scheme.weight_error)
    if not run.scheme.asked:
        promise = [replace(check, limit=None) for check in promise]
    own = comparison.keras(float_model, run.outputs) if run.scheme.name == FLOAT32 else []
    return [*promise, *_explanation(run, forwards), *own]


def _explanation(run: SchemeRun, forwards: Mapping[str, Outputs]) -> list[Check]:
    """What quantization moved, and whether what runs is what was trained; nothing without a twin."""
    if run.scheme.attention is None:
        return []
    return [
        *comparison.float_forward(forwards["float_forward"], run.outputs),
        *comparison.training_forward(forwards.get("training_forward"), run.outputs),
    ]


def _shown(runs: Mapping[str, SchemeRun], recommended: str) -> SchemeRun:
    """The scheme whose maps the report draws: the recommended one; float32 only if it alone was asked for."""
    asked = [run for run in runs.values() if run.scheme.asked]
    smaller = [run for run in asked if run.scheme.name != FLOAT32]
    return next((run for run in smaller if run.scheme.name == recommended), [*smaller, *asked][0])


def _moved(float_model: Outputs, forward: Outputs | None, shown: Outputs) -> dict[str, Any]:
    """In total, what training moved and what quantization moved; the parts only where there is a twin."""
    total = {"total": comparison.moved(float_model, shown)}
    if forward is None:
        return total
    return {
        **total,
        "training": comparison.moved(float_model, forward),
        "quantization": comparison.moved(forward, shown),
    }


def _stock(
    context: StageContext, features: Array, labels: Array, float_model: Outputs
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
        ran, _ = run_files({"int8_stock": (ModelFile.read(path), features)}, context.progress)
    except FuselageError as error:
        return {"file": STOCK, "checks": [], "error": error.message}, {}
    checks = comparison.promise(
        float_model, ran["int8_stock"], labels, context.config.tolerances.model_dump()
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


def _notes(config: BuildConfig, shown: SchemeRun, latency_ms: Mapping[str, float]) -> list[str]:
    """What a reader has to know about this build."""
    notes: list[str] = []
    if shown.scheme.attention is None:
        return notes
    if not config.quantize.qat:
        notes.append(
            "Built without quantization-aware training: the weights are the float model's, and the training "
            "forward is their fake-quantized forward."
        )
    return [*notes, latency_note(latency_ms, platform.machine(), shown.scheme.name)]


STAGE = VerifyStage()
