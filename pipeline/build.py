"""One build: which stages have to run, in order, and what their results come to."""

import functools
import importlib.metadata
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pipeline
from models.errors import InputError
from pipeline import stages as registry
from pipeline.config import AUTO, BuildConfig, canonical_json
from pipeline.disk import disk_errors
from pipeline.progress import Progress
from pipeline.stages import Stage, StageContext
from pipeline.store import Artifact, DamagedArtifact, Store

# Another version of one of these may give another result.
PACKAGES = ("tensorflow", "tf_keras", "tensorflow-model-optimization", "numpy", "ai-edge-litert", "aeon")

# What is copied to the top of the output folder, from whichever stage holds it: of the models those that
# were asked for.
PUBLISHED = (
    "model_float32.tflite",
    "model_float16.tflite",
    "model_dynamic.tflite",
    "model_int8.tflite",
    "model_int8_attention16.tflite",
    "model_int8_attention32.tflite",
    "model_int8_stock.tflite",  # where it was asked for
    "golden.npz",
    "report.json",
    "report.md",
    "report.html",
    "junit.xml",
)


@dataclass(frozen=True)
class BuildResult:
    """What a build came to.

    Args:
        out: the output folder.
        parity: the verify stage's `parity.json`; None where the build stopped before.
        files: the published files by name.
        built: the stages that ran; the others were kept.
    """

    out: Path
    parity: dict[str, Any] | None
    files: dict[str, Path]
    built: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """False only where the verification came to a verdict other than "pass"."""
        return self.parity is None or self.parity["verdict"] == "pass"


def build(
    config: BuildConfig,
    out: Path,
    progress: Progress,
    *,
    until: str | None = None,
    redo: Collection[str] = (),
    fresh: bool = False,
    stages: Sequence[Stage] | None = None,
) -> BuildResult:
    """Run what is not stored yet, and publish the results.

    Args:
        until: the last stage to run; None: all.
        redo: stages to run again although their results are stored; what depends on a result
            that comes out different follows.
        fresh: forget all stored results first.
        stages: other stages than the registered ones.
    Raises:
        FuselageError: a stage failed, or the output folder cannot be used. Results stored before stay.
    """
    every = list(stages) if stages is not None else [registry.load(name) for name in registry.NAMES]
    names = [stage.name for stage in every]
    wanted = every[: names.index(until) + 1] if until else every
    for name in redo:
        if name not in [stage.name for stage in wanted]:
            raise InputError(f"--redo {name} comes after --until {until}.")
    with disk_errors(out), Store(out) as store:
        if fresh:
            store.forget()
        artifacts: dict[str, Artifact] = {}
        built = []
        for position, stage in enumerate(wanted, start=1):
            inputs = _inputs(stage, config, artifacts)
            stored, reason = _look_up(store, stage.name, inputs, stage.name in redo)
            progress.message(f"{position}/{len(wanted)} {stage.name}: {reason}")
            if stored is None:
                stored = _run(store, stage, config, inputs, artifacts, progress)
                built.append(stage.name)
            artifacts[stage.name] = stored
        return _publish(store, config, artifacts, tuple(built))


def render_again(out: Path, progress: Progress, stage: Stage | None = None) -> BuildResult:
    """Run only the report stage, on the results stored in `out`, with the configuration they were made with.

    Raises:
        InputError: there is no whole verification in `out`.
    """
    again = f"Run `pipeline build --out {out}` to make it whole."
    if not Store.exists(out):
        raise InputError(f"{out} is not the folder of a build.", "Give the folder `pipeline build` wrote.")
    stage = stage or registry.load("report")
    with disk_errors(out), Store(out) as store:
        artifacts: dict[str, Artifact] = {}
        for name in registry.NAMES[: registry.NAMES.index("report")]:
            try:
                artifact = store.read(name)
            except DamagedArtifact as error:
                raise InputError(f"{name}: {error} is damaged in {out}.", again) from error
            if artifact is not None:
                artifacts[name] = artifact
        for name in stage.reads:
            if name not in artifacts:
                raise InputError(f"The build in {out} has not come to {name!r} yet.", again)
        for name, identity in artifacts["verify"].inputs["reads"].items():
            if name not in artifacts or artifacts[name].identity != identity:
                raise InputError(f"In {out} the verification is older than {name!r}.", again)
        config = BuildConfig.model_validate(artifacts["verify"].config)
        inputs = _inputs(stage, config, artifacts)
        artifacts[stage.name] = _run(store, stage, config, inputs, artifacts, progress)
        return _publish(store, config, artifacts, (stage.name,))


def _inputs(stage: Stage, config: BuildConfig, artifacts: Mapping[str, Artifact]) -> dict[str, Any]:
    """Everything the stage's result depends on, as JSON."""
    inputs: dict[str, Any] = {
        "version": stage.version,
        "options": stage.options(config),
        "packages": {name: _version(name) for name in PACKAGES} | {"fuselage": pipeline.__version__},
        "reads": {name: artifacts[name].identity for name in stage.reads},
    }
    normalized: dict[str, Any] = json.loads(canonical_json(inputs))
    return normalized


def _look_up(store: Store, name: str, inputs: Mapping[str, Any], redo: bool) -> tuple[Artifact | None, str]:
    """The stored result if it is the wanted one, and in words why it is kept or made again."""
    try:
        artifact = store.read(name)
    except DamagedArtifact as error:
        return None, f"{error} is damaged, building again"
    if artifact is None:
        return None, "first run"
    if redo:
        return None, "asked for by --redo"
    if artifact.inputs != inputs:
        return None, ", ".join(changes(artifact.inputs, inputs))
    return artifact, "kept from an earlier build"


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two stages' inputs, each difference in words: "units 64 -> 32"."""
    for kind in sorted({*old, *new}):
        before, after = _leaves(old.get(kind)), _leaves(new.get(kind))
        for name in sorted({*before, *after}):
            if (name in before, before.get(name)) != (name in after, after.get(name)):
                was, now = (_shown(side[name]) if name in side else "nothing" for side in (before, after))
                yield f"{name} changed" if kind == "reads" else f"{name or f'stage {kind}'} {was} -> {now}"


def _shown(value: Any) -> str:
    row = value if isinstance(value, list) else [] if value is None else [value]
    text = ", ".join(map(str, row)) or AUTO
    return text if len(text) < 64 else f"{text[:12]}..."  # a checksum


def _leaves(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, with dotted names; a bare value has the empty name."""
    if not isinstance(value, dict):
        return {prefix: value}
    return {
        name: leaf
        for key, inner in value.items()
        for name, leaf in _leaves(inner, f"{prefix}.{key}" if prefix else key).items()
    }


def _run(
    store: Store,
    stage: Stage,
    config: BuildConfig,
    inputs: Mapping[str, Any],
    artifacts: Mapping[str, Artifact],
    progress: Progress,
) -> Artifact:
    def artifact(name: str) -> Path:
        if name not in stage.reads:
            raise LookupError(f"Stage {stage.name!r} reads {name!r} without saying so in `reads`.")
        return artifacts[name].folder

    def work(folder: Path) -> None:
        stage.run(StageContext(config, folder, artifact, progress))

    return store.write(stage.name, inputs, config.model_dump(), work)


def _publish(
    store: Store, config: BuildConfig, artifacts: Mapping[str, Artifact], built: tuple[str, ...]
) -> BuildResult:
    held = {
        name: artifact.folder / name
        for name in PUBLISHED
        for artifact in artifacts.values()
        if name in artifact.files
    }
    store.publish({**held, "config.toml": config.to_toml()}, outdated=bool(built))
    verified = artifacts.get("verify")
    parity = json.loads((verified.folder / "parity.json").read_text()) if verified else None
    files = {name: store.out / name for name in (*held, "config.toml")}
    return BuildResult(store.out, parity, files, built)


@functools.cache
def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"
