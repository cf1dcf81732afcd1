"""Hold one .tflite against another, with the measurements, limits and report of a build.

    from pipeline.verify import verify

    result = verify("model_float32.tflite", "model_int8.tflite", "recordings.npz")
    print(result.verdict, result.headline)

The stage `verify` of a build comes to its verdict through `judge` as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import pipeline
from converters.summary import ModelSummary, summarize
from models.config import NO_LABEL
from models.errors import InputError
from pipeline import runtime
from pipeline.data.dataset import moved_padding, unread_note
from pipeline.data.given import GivenWindows, as_given, read_given
from pipeline.data.preprocessing import Preprocessing
from pipeline.data.targets import NAMES, target_values
from pipeline.parity import comparison
from pipeline.parity.definitions import DEFINITIONS, ROW_MEANINGS
from pipeline.parity.files import ModelFile, require_same_signature
from pipeline.parity.outputs import Array, Outputs
from pipeline.parity.running import run_files
from pipeline.parity.sampling import stratified_sample
from pipeline.parity.tasks import task_named
from pipeline.parity.tolerances import require_limits_of
from pipeline.parity.verdict import Check
from pipeline.progress import Progress, Silence
from pipeline.report import collect
from pipeline.report.data import BUILD_NAMES, ReportData, short_names
from pipeline.report.notes import note_on_contexts, notes_on_windows
from pipeline.targets.job import TargetFile
from pipeline.targets.target import Target
from pipeline.targets.verification import on_targets

Tolerances = Mapping[str, float | None]
Path = str | os.PathLike[str]

A, B = "A", "B"  # what the two files are called, as in `pipeline verify A B`


def verify(
    reference: Path,
    candidate: Path,
    data: Path | Array | Sequence[Array],
    labels: Sequence[int] | Array | None = None,
    *,
    standardized: bool = False,
    tolerances: Tolerances | None = None,
    logits: str | None = None,
    attention: str | None = None,
    kernels: str = "builtin",
) -> ReportData:
    """Hold a .tflite against another one of the same signature, ours or not.

    Args:
        reference: the file that is right by definition, usually float.
        candidate: the file in question.
        data: what `pipeline verify --data` takes, the name of a data set or the path of an .npz; or windows,
            [n, time, channels], or a row of [time_i, channels] where the files pad. They are in raw units,
            which files of ours standardize by their own constants. Other files take them as they are.
        labels: class of each of these windows, [n], or what else the files' task asks for: see
            `pipeline.data.targets`; without them accuracy is not measured.
        standardized: True where the windows are already what the models take.
        tolerances: limits by check name, as in `[tolerances]` of a configuration; None: the default.
        logits, attention: names of these outputs; by default `logits` (or the only output) and
            `attention_weights`.
        kernels: what runs the candidate's LSTMs, as in `pipeline.runtime`; the reference runs as built in.

    Returns:
        `verdict` ("pass" or "fail"), `headline`, `checks`, `accuracies`, `notes` and the rest of a report;
        `pipeline.report.render_all(result, folder)` writes it.

    Raises:
        InputError: a file that cannot be read or run, two that do not fit each other or the windows; a limit
            of another task; labels or `standardized` beside the name of a source, which says both itself.
    """
    if isinstance(data, (str, os.PathLike)):
        if labels is not None or standardized:
            raise InputError(
                f"`labels` and `standardized` describe arrays; '{os.fspath(data)}' brings its own labels.",
                "Leave them out, or give the windows as an array.",
            )
        given = given_for(os.fspath(data), reference, candidate, logits=logits, attention=attention)
    else:
        given = as_given(data, labels, standardized)
    return verify_files(
        reference, candidate, given, tolerances or {}, logits=logits, attention=attention, kernels=kernels
    )


def given_for(
    source: str, *paths: Path, logits: str | None = None, attention: str | None = None
) -> GivenWindows:
    """Read windows for files; labels that do not say their task are taken for what the files answer."""
    tasks = (ModelFile.read(path, logits, attention).task for path in paths)
    return read_given(source, next((task for task in tasks if task is not None), None))


def verify_files(
    reference: Path,
    candidate: Path,
    given: GivenWindows,
    tolerances: Tolerances,
    progress: Progress | None = None,
    *,
    logits: str | None = None,
    attention: str | None = None,
    targets: Sequence[Target] = (),
    beside: Sequence[Path] = (),
    kernels: str = "builtin",
) -> ReportData:
    """As `verify`, with windows of any source; above 5000 a seeded sample of them, as in a build.

    Args:
        targets: where both files are run too, each held against itself here.
        beside: further files of the same signature, run there and here and not held against A.
        kernels: what runs B's LSTMs here, as in `pipeline.runtime`; a note says what ran.
    """
    files = {A: ModelFile.read(reference, logits, attention), B: ModelFile.read(candidate, logits, attention)}
    others = [ModelFile.read(path, logits, attention) for path in beside]
    for one in (files[B], *others):
        require_same_signature(files[A], one)
    classes, channels = files[A].classes, files[A].features
    task, labels = _task(files, given), given.labels
    require_limits_of(task, tolerances)
    class_names = _names(files, given, "class_names", classes, NAMES[task])
    class_names = class_names or tuple(f"class {i}" for i in range(classes))
    channel_names = _names(files, given, "channel_names", channels, "channel_names")
    if labels is not None:
        shape = (len(given), files[A].steps)
        labels = target_values(task, "labels", labels, given.class_names or class_names, shape)
    kind = task_named(task)
    chosen = stratified_sample(np.zeros(len(given), int) if labels is None else kind.strata(labels))
    total, given, labels = len(given), given.select(chosen), None if labels is None else labels[chosen]
    features = {name: _features(given, name, files) for name in files}
    real = given.real_steps(files[A].steps) if files[A].lengths else None
    if labels is not None and task == "per-step" and (labels == NO_LABEL).any():
        if real is not None and given.lengths is None:  # data sets pad in front
            labels = moved_padding(labels, real.sum(axis=1), "end")
        real = labels != NO_LABEL
    told: dict[str, str] = {}
    ran, latency_ms = run_files(
        {name: (file, features[name]) for name, file in files.items()},
        progress or Silence(),
        real,
        task,
        {B: kernels},
        told,
    )
    elsewhere = on_targets(
        targets,
        {
            **{name: TargetFile(file, features[name], real) for name, file in files.items()},
            **{f"{B}{i}": TargetFile(file, features[B], real) for i, file in enumerate(others, start=2)},
        },
        task,
        progress or Silence(),
    )
    rule = next((one.rule for one in files.values() if one.rule), None)
    more: list[str] = []
    if task == "regression":
        rule, labels, more = _in_deviations(rule, labels, ran)
    units = next((tuple(one.metadata.get("target_units", ())) for one in files.values() if one.metadata), ())
    return judge(
        collect.Windows(features[A], labels, ran[A], ran[B], class_names, task, units, rule),
        tolerances,
        total=total,
        explanation=elsewhere.checks,
        notes=[
            *_notes(files, given, task),
            *([] if kernels == "builtin" else [f"LSTM kernels of B: {told[B]}"]),
            *more,
            *elsewhere.notes,
        ],
        dataset={
            "name": given.name,
            "attribution": given.attribution,
            "channel_names": list(channel_names or (f"channel {i}" for i in range(channels))),
            "channel_units": list(given.channel_units),
            "sample_rate_hz": given.sample_rate_hz,
        },
        moved={"total": comparison.moved(ran[A], ran[B], task)},
        files=[{"name": one.path.name, "size_bytes": len(one.content)} for one in files.values()],
        model=describe_model(summarize(files[B].content)),
        latency_ms=latency_ms,
        training=[],
        config={
            "reference": str(files[A].path),
            "candidate": str(files[B].path),
            "data": given.name,
            "tolerances": dict(tolerances),
        },
        provenance={
            "fuselage": pipeline.__version__,
            **{name: (one.metadata or {}).get("provenance", {}) for name, one in files.items()},
            **({"targets": elsewhere.provenance} if elsewhere.provenance else {}),
        },
        references={
            "float_model": f"The promise: B ({files[B].path.name}) against A ({files[A].path.name})",
            **elsewhere.references,
        },
        names={"float_model": A, "int8": B},
        built=False,
    )


def judge(
    windows: collect.Windows,
    tolerances: Tolerances,
    *,
    total: int,
    dataset: Mapping[str, Any],
    explanation: Sequence[Check] = (),
    models: Mapping[str, Outputs] | None = None,
    notes: Iterable[str] = (),
    names: Mapping[str, str] = BUILD_NAMES,
    weight_error: float = 1.0,
    contexts: bool = True,
    **about: Any,
) -> ReportData:
    """From the outputs of two models to the report with its verdict.

    Args:
        windows: what was compared.
        tolerances: limits of the promise that are not the default ones.
        total: how many windows there were before a sample was taken.
        dataset: what is known of the data beside names of classes and shapes.
        explanation: checks beside the promise.
        models: outputs of the models whose accuracy is told; None: the two.
        notes: beside those about the windows.
        names: what the two models are called.
        weight_error: of the second model's LSTM weights, as a share of what int8 does to them.
        contexts: False where `notes` say already that none are compared.
        about: the fields of `ReportData` that nobody has to measure.
    """
    float_model, int8, labels, kind = windows.float_model, windows.int8, windows.labels, windows.kind
    promise = comparison.promise(float_model, int8, labels, tolerances, windows.task, weight_error)
    examples, arrays = collect.examples(windows)
    models = models or {"float_model": float_model, "int8": int8}
    return ReportData(
        dataset={
            **dataset,
            "class_names": list(windows.class_names),
            "windows": len(int8),
            "steps": windows.features.shape[1],
            "features": windows.features.shape[2],
        },
        checks=(*promise, *explanation),
        accuracies=tuple(
            accuracy
            for name, one in models.items()
            if labels is not None and (accuracy := kind.accuracy(name, one, labels)) is not None
        ),
        scores=collect.scores(windows, models),
        task=windows.task,
        recalls=collect.recalls(windows),
        confusions=collect.confusions(windows),
        histograms=collect.histograms(float_model, int8, short_names(names), windows.task),
        examples=examples,
        most_different=[
            collect.figures(windows, int(index))
            for index in collect.by_difference(windows)[: collect.LISTED]
        ],
        notes=(
            *notes_on_windows(promise, windows, total),
            *(note_on_contexts(windows, names) if contexts else ()),
            *notes,
        ),
        attention_step=int8.attention_step,
        queries=int8.has_queries,
        glossary={
            **{name: one.meaning for name, one in DEFINITIONS.items()},
            **({} if len(int8.distributions) == len(int8) else ROW_MEANINGS),
            **kind.meanings,
        },
        arrays=arrays,
        names=dict(names),
        **about,
    )


def describe_model(summary: ModelSummary) -> dict[str, Any]:
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


def _notes(files: Mapping[str, ModelFile], given: GivenWindows, task: str) -> list[str]:
    """What was done to the windows and outputs of files, theirs and ours."""
    notes = [*unread_note(given.name, given.unread)]
    without = [name for name, one in files.items() if one.rule is None]
    if len(without) == len(files):
        notes.append(
            "Neither file carries standardization constants: the windows were taken as they are, as "
            "standardized values."
        )
    elif without and given.recordings:
        other = B if without[0] == A else A
        source = f"those of {other}" if given.features is None else "the standardized features of the data"
        notes.append(f"{without[0]} carries no standardization constants: {source} were taken.")
    elif given.recordings and files[A].rule != files[B].rule:
        notes.append("The files standardize differently: each took the raw windows by its own constants.")
    notes += [note for name, file in files.items() for note in _note_on_damage(name, file)]
    for name, file in files.items():
        if file.probabilities and task != "regression":
            end = "softmax" if file.probabilities == "SOFTMAX" else "sigmoid"
            notes.append(f"{name} ends with a {end}: its '{file.logits}' were compared as probabilities.")
    return notes


def _note_on_damage(name: str, file: ModelFile) -> list[str]:
    """A file of ours may be compared after a change on purpose, but not unseen."""
    try:
        if file.metadata is not None:
            runtime.read_checked(file.content)
    except runtime.ModelFileError as error:
        return [f"{name}, compared as it is: {error}"]
    return []


def _task(files: Mapping[str, ModelFile], given: GivenWindows) -> str:
    """What the files answer, as far as they or the data say; a class a window where nobody does."""
    known = {f"file {name}": one.task for name, one in files.items()} | {f"'{given.name}'": given.task}
    said = {who: task for who, task in known.items() if task is not None}
    if len(set(said.values())) > 1:
        told = ", ".join(f"{who} is for {task}" for who, task in said.items())
        raise InputError(f"The files and the data are for different tasks: {told}.")
    return next(iter(said.values()), "classification")


def _in_deviations(
    rule: Preprocessing | None, labels: Array | None, ran: dict[str, Outputs]
) -> tuple[Preprocessing, Array | None, list[str]]:
    """Values and targets in standard deviations: by the constants of a file of ours, else of the data's own.

    Changes `ran` where the files do not answer in them already. Returns the rule, the targets and notes.
    """
    if rule is not None and rule.target_std:
        return rule, None if labels is None else rule.apply_to_targets(labels), []
    known = ran[A].logits if labels is None else labels
    rule = Preprocessing((), (), 0, 0, "none").with_targets(known)
    for name, one in ran.items():
        ran[name] = replace(one, logits=rule.apply_to_targets(one.logits), logits_scale=None)
    source = "the values of A" if labels is None else "the labels"
    note = f"Neither file carries constants of its targets: deviations are those of {source}."
    return rule, None if labels is None else rule.apply_to_targets(labels), [note]


def _features(given: GivenWindows, name: str, files: Mapping[str, ModelFile]) -> Array:
    """What the file of this name takes: by its own constants, else `features`, else by the other's."""
    file, other = files[name], files[B if name == A else A]
    rule = file.rule or (other.rule if given.features is None else None)
    return given.standardized(rule, file.steps, file.features, at_end=file.lengths is not None)


def _names(
    files: Mapping[str, ModelFile], given: GivenWindows, key: str, count: int, called: str
) -> tuple[str, ...]:
    """The `class_names` or `channel_names` that files or data know; () where none does.

    Args:
        called: as the .npz of the task calls them, in messages.

    Raises:
        InputError: another number of them than `count`, or the same ones in another order.
    """
    known = [(f"File {name}", tuple(one.metadata[key])) for name, one in files.items() if one.metadata]
    known += [(f"'{given.name}'", getattr(given, key))] if getattr(given, key) else []
    what = called.replace("_", " ")
    for who, names in known:
        if len(names) != count:
            raise InputError(f"{who} has {len(names)} {what}; the files take {count}.")
        first, ours = known[0]
        if names != ours and sorted(names) == sorted(ours):
            both = f"{', '.join(ours)}; {', '.join(names)}"
            raise InputError(f"{first} and {who} have the same {what} in another order: {both}.")
    return known[0][1] if known else ()
