"""The stage `verify`: runs every file on the test windows and holds it against the float model.

TensorFlow is not needed here: what the Keras models said was written down by the stages that trained them,
and the files are run by the same code that ships with them, `pipeline.runtime`.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
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
from pipeline.parity.golden import write_golden
from pipeline.parity.latency import latency_note
from pipeline.parity.outputs import Array, Outputs
from pipeline.parity.running import run_files
from pipeline.parity.sampling import stratified_sample
from pipeline.parity.tasks import task_named
from pipeline.parity.tolerances import require_limits_of
from pipeline.parity.verdict import Check
from pipeline.progress import Silence
from pipeline.report import collect
from pipeline.report.data import BUILD_NAMES
from pipeline.report.recommendation import recommend
from pipeline.scheme_runs import SchemeFile, latencies_ms
from pipeline.schemes import FLOAT32, Scheme, schemes_of
from pipeline.stages import StageContext
from pipeline.verify import describe_model, judge

STOCK = "model_int8_stock.tflite"


class VerifyStage:
    """Reads all stages before it; writes `golden.npz`, `parity.json` and the report's data."""

    name = "verify"
    version = 9
    reads: tuple[str, ...] = ("data", "train", "quantize", "convert")

    def options(self, config: BuildConfig) -> dict[str, Any]:
        """The limits and which files are held to them; everything else is in the artifacts it reads."""
        asked = [scheme.name for scheme in schemes_of(config.quantize) if scheme.asked]
        return {**config.tolerances.model_dump(), "schemes": asked}

    def run(self, context: StageContext) -> None:
        """Run the files, measure, judge, save. A failed check is a verdict, not an error."""
        data = PreparedData.load(context.artifact("data"))
        task = task_named(data.task)
        chosen = stratified_sample(task.strata(data.y_test))
        features, labels = data.x_test[chosen], data.y_test[chosen]
        real = None if data.real_test is None else data.real_test[chosen]
        tolerances = context.config.tolerances.model_dump()
        require_limits_of(task.name, tolerances)  # the stage `train` is kept where only limits changed
        float_model = _outputs(context.artifact("train") / "outputs_float.npz", "train", data, chosen)
        files = [
            SchemeFile.open(scheme, context.artifact("convert"))
            for scheme in schemes_of(context.config.quantize)
        ]
        # One file after the other, and of all but the last only the decisions are kept: attention of every
        # step to every step, of thousands of windows, does not fit in memory six times.
        checks: dict[str, list[Check]] = {}
        decided: dict[str, dict[str, Outputs]] = {}
        what = "both files" if len(files) == 2 else f"{len(files)} files"
        context.progress.start(f"Running {what}", len(files) * len(features))
        for file in files:
            outputs = file.answers(features, real, context.progress, task.name)
            forwards = _forwards(context, file.scheme, data, chosen)
            checks[file.scheme.name] = [
                *_checks(file.scheme, float_model, outputs, labels, tolerances, forwards, task.name,
                         features.shape[1], self.twin_is_exact),
                *self.further_checks(context, file, features, chosen),
            ]
            decided[file.scheme.name] = {
                name: _decisions(one) for name, one in {"file": outputs, **forwards}.items()
            }
        context.progress.finish()
        latency_ms = latencies_ms(files, features[0])
        results = [
            file.result(checks[name], decided[name]["file"], labels, task, latency_ms[name])
            for name, file in {file.scheme.name: file for file in files}.items()
        ]
        recommendation = recommend(results)
        shown = _shown(files, recommendation.scheme)
        name = shown.scheme.name
        if shown is not files[-1]:
            outputs = shown.answers(features, real, Silence(), task.name)
            forwards = _forwards(context, shown.scheme, data, chosen)
        stock, stock_outputs = _stock(context, features, labels, float_model, task.name)
        beside = [file for file in files if file.scheme.name not in (FLOAT32, name)]
        paths = dict.fromkeys([files[0].path, shown.path, *(file.path for file in beside)])
        if stock_outputs:
            paths[context.artifact("convert") / STOCK] = None
        true = data.preprocessing.restore_targets(labels) if task.name == "regression" else labels
        golden_notes = write_golden(
            context.folder / "golden.npz", data.raw_test[chosen], features, true, float_model, task.name
        )

        report = judge(
            collect.Windows(
                features, labels, float_model, outputs, data.class_names, task.name, data.target_units,
                data.preprocessing,
            ),
            tolerances,
            weight_error=shown.scheme.weight_error,
            contexts=context.config.model.attention != "multi-head",  # a note says why
            total=len(data.x_test),
            explanation=[
                *(one for one in checks[name] if one.reference not in ("float_model", "keras")),
                *(one for one in checks[FLOAT32] if one.reference == "keras"),
            ],
            models={
                "float_model": float_model,
                "float32": decided[FLOAT32]["file"],
                **{kind: one for kind, one in decided[name].items() if kind != "file"},
                "int8": outputs,
                # Under names of their own: in a report `int8` is whichever file is shown.
                **{f"{one.scheme.name}_file": decided[one.scheme.name]["file"] for one in beside},
                **stock_outputs,
            },
            notes=(
                *_notes(context.config, shown, latency_ms), *golden_notes, *self.further_notes(context, shown)
            ),
            names={**BUILD_NAMES, "int8": f"{name} file"},
            dataset=_dataset(data),
            moved=_moved(float_model, forwards.get("float_forward"), outputs, task.name),
            files=[{"name": path.name, "size_bytes": path.stat().st_size} for path in paths],
            model=describe_model(shown.summary),
            latency_ms=latency_ms,
            training=[*_phases(context.artifact("train")), *_phases(context.artifact("quantize"))],
            config=context.config.model_dump(),
            provenance=(shown.summary.metadata or {}).get("provenance", {}),
            references={
                key: text.replace("int8 file", f"{name} file")
                for key, text in {**REFERENCES, **self.further_references}.items()
            },
            stock=stock,
            schemes=tuple(results),
            recommendation=asdict(recommendation),
        )
        report.save(context.folder)
        parity = json.dumps(report.parity(), indent=1, ensure_ascii=False, allow_nan=False)
        (context.folder / "parity.json").write_text(parity + "\n", encoding="utf-8")
        context.progress.message(f"{report.verdict}: {report.headline}")

    twin_is_exact = True
    """Whether every layer has a twin, so that what was trained is what runs."""
    further_references: Mapping[str, str] = {}
    """What files are compared with beside the usual."""

    def further_checks(
        self, context: StageContext, file: SchemeFile, features: Array, chosen: Array
    ) -> list[Check]:
        """Checks of a file beside the usual ones, on the chosen test windows."""
        return []

    def further_notes(self, context: StageContext, shown: SchemeFile) -> Sequence[str]:
        """What else a reader has to know."""
        return ()


def _outputs(path: Path, stage: str, data: PreparedData, chosen: Array) -> Outputs:
    """The written outputs of a Keras model for the chosen test windows."""
    outputs = Outputs.load(path)
    steps = data.preprocessing.steps
    expected = (len(data.x_test), len(data.class_names), steps)
    got = (len(outputs), outputs.logits.shape[-1], outputs.steps if outputs.attends else steps)
    if got != expected:
        raise VerificationError(
            f"{path.name} holds {got} (windows, classes, steps); the test data has {expected}.",
            f"Build again with --redo {stage}.",
        )
    return replace(outputs, real=data.real_test).select(chosen)


def _decisions(outputs: Outputs) -> Outputs:
    """The outputs without attention and contexts."""
    return replace(outputs, attention_weights=np.zeros((len(outputs), 0), np.float32), context=None)


def _forwards(context: StageContext, scheme: Scheme, data: PreparedData, chosen: Array) -> dict[str, Outputs]:
    """What the float and the fake-quantized forward of a scheme's own weights answer; none without a twin."""
    if scheme.attention is None:
        return {}
    folder = context.artifact("quantize") / scheme.attention
    paths = {"float_forward": folder / "outputs_forward.npz", "training_forward": folder / "outputs_twin.npz"}
    return {
        name: _outputs(path, "quantize", data, chosen)
        for name, path in paths.items()
        if name == "float_forward" or path.is_file()
    }


def _checks(
    scheme: Scheme,
    float_model: Outputs,
    outputs: Outputs,
    labels: Array,
    tolerances: Mapping[str, float | None],
    forwards: Mapping[str, Outputs],
    task: str,
    steps: int,
    twin_is_exact: bool,
) -> list[Check]:
    """All checks of one scheme: the promise, which binds only what was asked for, and the explanation."""
    checks = comparison.promise(float_model, outputs, labels, tolerances, task, scheme.weight_error)
    if not scheme.asked:
        checks = [replace(check, limit=None) for check in checks]
    if scheme.attention is not None:
        checks += comparison.float_forward(forwards["float_forward"], outputs, task)
        trained = comparison.training_forward(forwards.get("training_forward"), outputs)
        checks += trained if twin_is_exact else [replace(check, limit=None) for check in trained]
    if scheme.name == FLOAT32:
        checks += comparison.keras(float_model, outputs, task, steps)
    return checks


def _shown(files: Sequence[SchemeFile], recommended: str) -> SchemeFile:
    """The file whose maps the report draws: the recommended one; float32 only if it alone was asked for."""
    asked = [file for file in files if file.scheme.asked]
    smaller = [file for file in asked if file.scheme.name != FLOAT32]
    return next((file for file in smaller if file.scheme.name == recommended), [*smaller, *asked][0])


def _moved(float_model: Outputs, forward: Outputs | None, shown: Outputs, task: str) -> dict[str, Any]:
    """In total, what training moved and what quantization moved; the parts only where there is a twin."""
    total = {"total": comparison.moved(float_model, shown, task)}
    if forward is None:
        return total
    return {
        **total,
        "training": comparison.moved(float_model, forward, task),
        "quantization": comparison.moved(forward, shown, task),
    }


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
        stock = {"int8_stock": (ModelFile.read(path), features)}
        ran, _ = run_files(stock, context.progress, float_model.real, task)
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


def _notes(config: BuildConfig, shown: SchemeFile, latency_ms: Mapping[str, float]) -> list[str]:
    """What a reader has to know about this build."""
    notes: list[str] = []
    if config.model.attention == "multi-head":
        notes.append(
            "With multi-head attention context vectors are not compared: the files show the means of the "
            "heads, the float model what their projection makes of them."
        )
    finer = [one for one in config.quantize.attention_precision if one != "int8"]
    if config.convert.io == "int8" and finer:
        notes.append(
            "With --io int8 attention weights leave the file as int8, in steps of 1/256, though they are "
            f"computed in {' or '.join(finer)}."
        )
    if shown.scheme.attention is None:
        return notes
    if not config.quantize.qat:
        notes.append(
            "Built without quantization-aware training: the weights are the float model's, and the training "
            "forward is their fake-quantized forward."
        )
    return [*notes, latency_note(latency_ms, platform.machine(), shown.scheme.name)]


STAGE = VerifyStage()
