"""Measure what models cost, all of them in one run.

    from pipeline.benchmark.run import benchmark

    found = benchmark(["build/har"], peers=["onnxruntime"])
    print(found.entries[0].latency.p50)
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from converters import schema
from converters.findings import memory, samples
from models.errors import InputError
from pipeline.benchmark.environment import Environment, describe
from pipeline.benchmark.instructions import Counter, window_of
from pipeline.benchmark.measuring import PROCESSES, Candidate, Timed, start_fresh, time_together
from pipeline.benchmark.padding import INT8, paddings
from pipeline.benchmark.peers import PEERS, Missing, PeerModel, load
from pipeline.benchmark.percentiles import Latency
from pipeline.benchmark.profile import not_profiled, to_profile
from pipeline.benchmark.result import Benchmark, Entry, Instructions, Profile
from pipeline.benchmark.runners import save_inputs
from pipeline.benchmark.subjects import FLOAT, Subject, read_float_of, read_subjects
from pipeline.parity.latency import plain_c
from pipeline.progress import Progress, Silence

ROUNDS, WARM_UP = 200, 10
INPUTS = "seeded noise over the range that each model's input can represent, one window"

def benchmark(
    models: Sequence[str | os.PathLike[str]],
    *,
    rounds: int = ROUNDS,
    warm_up: int = WARM_UP,
    threads: int = 1,
    peers: Sequence[str] = (),
    profile: bool = True,
    counter: Counter | None = None,
    progress: Progress | None = None,
) -> Benchmark:
    """Time .tflite files and the files of build folders, with their peers, in turn.

    Args:
        models: files or build folders.
        rounds: how often each is called; a p90 takes 10, a p99 100.
        warm_up: calls before those.
        threads: that each may use.
        peers: of `pipeline.benchmark.peers.PEERS`.
        profile: whether the operators of the files are timed too.
        counter: counts executed instructions; None: they are not counted.

    Raises:
        InputError: a file that cannot be read or run, a folder without models, an unknown peer.
        VerificationError: the measurement itself failed.
    """
    unknown = [name for name in peers if name not in PEERS]
    if unknown:
        raise InputError(f"Unknown peer '{unknown[0]}'. Known: {', '.join(PEERS)}.")
    progress = progress or Silence()
    environment = describe(threads)
    subjects = read_subjects([Path(one) for one in models])
    inputs = {one.name: _inputs(one) for one in subjects}
    skipped = {one.name: not_profiled(one.model, len(one.content)) for one in subjects}
    counted, uncounted = _instructions(subjects, counter, progress)
    padded = tuple(padding for one in subjects for padding in paddings(one, counter))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made, missing = _peers(subjects, peers, folder, progress)
        candidates = [
            _candidate(place, one.name, one.path, "tflite", inputs[one.name], folder,
                       profile and not skipped[one.name])
            for place, one in enumerate(subjects)
        ] + [
            _candidate(len(subjects) + place, label, model.path, model.runner, _inputs(of), folder)
            for place, (label, of, model) in enumerate(made)
        ]  # fmt: skip
        timed = time_together(candidates, rounds, warm_up, threads, progress)
        progress.start("Starting fresh processes", len(candidates) * PROCESSES)
        started = {one.name: start_fresh(one, threads, progress) for one in candidates}
        progress.finish()
        sizes = {one.name: one.path.stat().st_size for one in candidates}
        works_in = {
            one.name: memory.used(schema.read_model(one.path), timed.memory_bytes[one.name])
            for one in candidates
            if one.name in timed.memory_bytes
        }
    first = timed.times_ms[candidates[0].name]
    entries = [
        Entry(
            name=one.name,
            peer_of="",
            runner="tflite",
            size_bytes=sizes[one.name],
            lstms=one.lstms,
            latency=Latency.of(timed.times_ms[one.name], None if place == 0 else first),
            startup=started[one.name],
            memory=works_in[one.name],
            instructions=counted.get(one.name),
        )
        for place, one in enumerate(subjects)
    ] + [
        Entry(
            name=label,
            peer_of=of.name,
            runner=model.runner,
            size_bytes=sizes[label],
            lstms={},
            latency=Latency.of(timed.times_ms[label], first),
            startup=started[label],
            memory=works_in.get(label),
            largest_error=model.largest_error,
        )
        for label, of, model in made
    ]
    return Benchmark(
        environment=environment,
        inputs=INPUTS,
        rounds=rounds,
        warm_up=warm_up,
        entries=tuple(entries),
        missing=(*missing, *uncounted),
        profiles=tuple(_profiles(subjects, skipped, timed)) if profile else (),
        paddings=padded,
        warnings=tuple(_warnings(environment, subjects)),
    )


def _inputs(subject: Subject) -> list[np.ndarray]:
    """One window of seeded noise, as the model's inputs store it."""
    graph = subject.model.subgraphs[0]
    tensors = [graph.tensors[index] for index in schema.indices(graph.inputs)]
    try:
        drawn = samples.seeded(subject.model)
        return [samples.stored(tensor, one[0]) for tensor, one in zip(tensors, drawn, strict=True)]
    except InputError as error:
        raise InputError(f"'{subject.path}' cannot be fed: {error.message}") from error


def _candidate(
    place: int,
    name: str,
    path: Path,
    runner: str,
    inputs: list[np.ndarray],
    folder: Path,
    profiled: bool = False,
) -> Candidate:
    stored = folder / f"inputs{place}.npz"
    save_inputs(stored, inputs)
    return Candidate(name, path, stored, runner, profiled)


def _peers(
    subjects: Sequence[Subject], names: Sequence[str], folder: Path, progress: Progress
) -> tuple[list[tuple[str, Subject, PeerModel]], list[str]]:
    """What the peers made of each float model, once, with a name for each; and a line for what is missing."""
    floats: dict[Path, Subject] = {}
    missing = []
    for subject in subjects:
        found = read_float_of(subject)
        if found is not None:
            floats.setdefault(found.path.resolve(), found)
        elif names:
            missing.append(
                f"{' and '.join(names)}: {subject.name} is not float, and no {FLOAT} lies beside it"
            )
    made = []
    for name in names:
        for place, subject in enumerate(floats.values()):
            progress.start(f"Making the peer {name} of {subject.name}", None)
            try:
                models = load(name).make(subject, folder / f"{name} {place}", progress)
            except Missing as reason:
                missing.append(f"{name}: {reason}")
                models = []
            progress.finish()
            of = f" of {subject.name}" if len(floats) > 1 else ""
            made += [(f"{one.name}{of}", subject, one) for one in models]
    missing += [f"{name}: not asked for (--peer {name})" for name in PEERS if name not in names]
    return made, missing


def _profiles(subjects: Sequence[Subject], skipped: dict[str, str], timed: Timed) -> Iterator[Profile]:
    for one in subjects:
        if skipped[one.name]:
            yield Profile(one.name, 0, (), skipped[one.name])
        else:
            yield to_profile(one.name, one.model, timed.profiles[one.name])


def _instructions(
    subjects: Sequence[Subject], counter: Counter | None, progress: Progress
) -> tuple[dict[str, Instructions], list[str]]:
    """Of each file that was given, by name; and a line for each that could not be run there."""
    found: dict[str, Instructions] = {}
    if counter is None:
        return found, []
    refused = []
    for one in subjects:
        progress.start(f"Counting instructions of {one.name}", None)
        try:
            found[one.name] = counter(one.path, window_of(one.model, f"'{one.path}'"))
        except InputError as error:
            refused.append(f"instructions of {one.name}: {error.message}")
        progress.finish()
    return found, refused


def _warnings(environment: Environment, subjects: Sequence[Subject]) -> Iterator[str]:
    """What has to be known to read the figures."""
    kinds = {kind for one in subjects for kind in one.lstms.values()}
    if INT8 in kinds and plain_c(INT8, environment.machine):
        yield (
            f"On this machine ({environment.machine}) TFLite's int8 LSTM kernel is plain scalar C, and its "
            "float kernel is not: what int8 costs here says nothing of a device. On Arm it has vector "
            "instructions. Compare int8 with float on the device, or by --instructions."
        )
    if environment.busy:
        yield (
            f"The machine was busy: a load of {environment.load:g} on {environment.cores} cores before the "
            "run. The ratios hold better than the times."
        )
    if environment.threads > 1 and kinds:
        yield "The fused LSTM kernels use one thread, whatever they are allowed."

