"""Take the answers out of files: through the runtime that ships, each window from the zero state.

Files that somebody gives us run in a child process: what the native interpreter cannot survive ends the
child, and becomes an error message here.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from converters import child
from models.errors import FuselageError, InputError, VerificationError
from pipeline import runtime
from pipeline.parity.files import ATTENTION, LOGITS, ModelFile
from pipeline.parity.latency import median_latencies_ms
from pipeline.parity.outputs import Array, Outputs
from pipeline.progress import Progress, Silence

REAL = "real steps.npy"
JOB = "pipeline.parity.running:run_job"
_TOLD_EVERY = 16  # windows
_NEXT_TO_0 = np.float32(2.0**-24)  # 1 minus it is the float32 next to 1


class Runnable(Protocol):
    """What answers windows: a `pipeline.runtime.SequenceModel`, or a file that is not ours."""

    output_scales: dict[str, float]
    kernels_note: str

    def run(self, features: Array, length: int | None = None) -> Mapping[str, Array]:
        """Outputs of one window [T, F] by name, dequantized, from the zero state.

        `length`: how many of its steps count, of a model that is told so.
        """


class ForeignModel:
    """A file without our metadata, run as the runtime runs ours."""

    def __init__(self, file: ModelFile, kernels: str = "builtin") -> None:
        opened = runtime.open_with_kernels(file.content, 1, kernels)
        self._interpreter, self.kernels, self.kernels_note = opened
        details = self._interpreter.get_input_details() + self._interpreter.get_output_details()
        by_index = {one["index"]: one for one in details}
        self._input = by_index[file.input.index]
        self._lengths = None if file.lengths is None else file.lengths.index
        self._outputs = {name: by_index[file.outputs[name].index] for name in _wanted(file)}
        self.output_scales = {
            name: runtime.output_scale(file.content, details) for name, details in self._outputs.items()
        }

    def run(self, features: Array, length: int | None = None) -> Mapping[str, Array]:
        """Outputs of one window [T, F] by name, dequantized, from the zero state."""
        self._interpreter.reset_all_variables()
        window = runtime.quantize(np.asarray(features, np.float32), self._input)
        self._interpreter.set_tensor(self._input["index"], window[np.newaxis])
        if self._lengths is not None:
            self._interpreter.set_tensor(self._lengths, np.array([length or len(features)], np.int32))
        self._interpreter.invoke()
        return {
            name: runtime.dequantize(self._interpreter.get_tensor(one["index"]), one)
            for name, one in self._outputs.items()
        }


def open_model(file: ModelFile, kernels: str = "builtin") -> Runnable:
    """An interpreter for the file: ours through the class that ships. `kernels` as in `pipeline.runtime`.

    Raises:
        InputError: the interpreter, or our runtime, refuses it; the kernels cannot run it.
    """
    try:
        if file.metadata is None:
            return ForeignModel(file, kernels)
        # A file of ours that was changed since is compared like any other.
        return runtime.load_model(file.content, verify_checksum=False, kernels=kernels)
    except (runtime.ModelFileError, runtime.KernelsError) as error:
        raise InputError(f"'{file.path}' cannot be run: {error}") from error


def run_file(
    model: Runnable,
    features: Array,
    progress: Progress,
    logits: str = LOGITS,
    attention: str | None = ATTENTION,
    real: Array | None = None,
    takes_lengths: bool = False,
) -> Outputs:
    """Runs every window of `features` [n, T, F]; `logits` and `attention` name the outputs.

    Args:
        real: [n, T], the steps that count where others are padding, see `Outputs`.
        takes_lengths: the model is told how many they are, from the first.
    """
    found: dict[str, Array] = {}  # filled window by window: the maps of many windows fit in memory once
    for index, window in enumerate(features):
        told = int(real[index].sum()) if takes_lengths and real is not None else None
        answer = model.run(window, told)
        for name in (logits, attention):
            if name is not None:
                rows = found.setdefault(name, np.empty((len(features), *answer[name].shape), np.float32))
                rows[index] = answer[name]
        progress.advance()
    return Outputs(
        logits=found[logits],
        attention_weights=found[attention] if attention else np.zeros((len(features), 0), np.float32),
        logits_scale=model.output_scales.get(logits) or None,
        attention_step=model.output_scales.get(attention or "") or None,
        real=real,
    )


def run_files(
    given: Mapping[str, tuple[ModelFile, Array]],
    progress: Progress,
    real: Array | None = None,
    task: str = "classification",
    kernels: Mapping[str, str] | None = None,
    told: dict[str, str] | None = None,
) -> tuple[dict[str, Outputs], dict[str, float]]:
    """Run files in a child process.

    Args:
        given: by any name, each file and its features [n, T, F].
        real: [n, T], the steps of every window that count, see `Outputs`; None: all.
        task: what they answer; of "regression" a softmax or sigmoid at the end gives values.
        kernels: by the same names, of `pipeline.runtime`; of those that are not named "builtin".
        told: filled with a sentence about the kernels that ran, by the same names.

    Returns:
        The outputs, with the context vectors where they can be found, and the median time of one window in
        milliseconds, both by the same names.

    Raises:
        InputError: the interpreter refuses a file, or crashes on it.
    """
    relay = _Relay(progress)

    def crashed(code: int, how: str) -> FuselageError:
        if code < 0 and relay.running in given:
            path = given[relay.running][0].path
            return InputError(
                f"The interpreter crashed on '{path}': its process {how}",
                "What can be checked without running the file is in order: convert it again.",
            )
        return VerificationError(f"The files could not be run: the process {how}")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files: dict[str, Any] = {}
        if real is not None:
            np.save(folder / REAL, real)
        for role, (file, features) in given.items():
            (folder / f"{role}.tflite").write_bytes(file.content)
            np.save(folder / f"{role}.npy", features)
            files[role] = {
                "path": str(file.path),
                "logits": file.logits,
                "attention": file.attention,
                "kernels": (kernels or {}).get(role, "builtin"),
            }
        progress.start("Running the files", sum(len(features) for _, features in given.values()))
        result = child.run_in_child(JOB, folder, files, relay, crashed)
        progress.finish()
        outputs = {role: Outputs.load(folder / f"{role}.npz") for role in given}
    if task != "regression":
        outputs = {role: as_logits(one, given[role][0]) for role, one in outputs.items()}
    if told is not None:
        told.update(result["kernels"])
    return outputs, result["latency_ms"]


def run_job(folder: Path, files: dict[str, Any]) -> dict[str, Any]:
    """In the child: run `ROLE.tflite` on `ROLE.npy`, write `ROLE.npz`; the result is `latency_ms` and a
    sentence about the `kernels`, each by role."""
    folder, timed, told_kernels = Path(folder), {}, {}
    for role, about in files.items():
        child.say(f"{role} 0")
        try:
            file = ModelFile.read(folder / f"{role}.tflite", about["logits"], about["attention"])
            file = dataclasses.replace(file, path=Path(about["path"]))
            model = open_model(file, about["kernels"])
            told_kernels[role] = model.kernels_note
            features = np.load(folder / f"{role}.npy", allow_pickle=False)
            real = np.load(folder / REAL, allow_pickle=False) if (folder / REAL).is_file() else None
            told = file.lengths is not None
            ran = run_file(model, features, _Told(role), file.logits, file.attention, real, told)
            outputs = shaped(ran, file)
        except (runtime.WindowError, RuntimeError, ValueError) as error:  # the interpreter's own kinds
            raise InputError(f"'{about['path']}' cannot be run: {error}") from error
        lengths = lengths_of(features, real) if told else None
        context = context_of(file.content, features, lengths) if file.attention else None
        dataclasses.replace(outputs, context=context).save(folder / f"{role}.npz")
        timed[role] = lambda model=model, window=features[0]: model.run(window)
    return {"latency_ms": dict(median_latencies_ms(timed)), "kernels": told_kernels}


def lengths_of(features: Array, real: Array | None) -> Array:
    """How many steps of each window [n, T, F] count, [n] int32; `real` as in `Outputs`."""
    if real is None:
        return np.full(len(features), features.shape[1], np.int32)
    return np.asarray(real.sum(axis=1), np.int32)


def context_of(content: bytes, features: Array, lengths: Array | None = None) -> Array | None:
    """The context vectors [n, ...] of a file, None where its structure does not show one product for them.

    Args:
        lengths: [n] int32, how many steps of a window count, of a file that is told so.
    """
    from converters.inner_tensors import context_vectors

    others = {} if lengths is None else {runtime.LENGTHS: lengths}
    try:
        return np.asarray(context_vectors(content, features, **others))
    except VerificationError:
        return None


def shaped(outputs: Outputs, file: ModelFile) -> Outputs:
    """Without axes of one element beside the window, in which files of one signature differ."""
    count = len(outputs)
    return dataclasses.replace(
        outputs,
        logits=outputs.logits.reshape(count, *file.answer_shape),
        attention_weights=outputs.attention_weights.reshape(count, *file.attention_shape),
        queries=file.queries,
    )


def as_logits(outputs: Outputs, file: ModelFile) -> Outputs:
    """What gives a probability back: softmax(log p) = p, and sigmoid(log(p / (1 - p))) = p.

    An int8 0 (or 1, of a sigmoid) has no finite logit; it becomes a probability next to it.
    """
    if file.probabilities is None:
        return outputs
    if file.probabilities == "SOFTMAX":
        logits = np.log(np.maximum(outputs.logits, 1e-30))
    else:
        shares = np.clip(outputs.logits, _NEXT_TO_0, 1 - _NEXT_TO_0)
        logits = np.log(shares) - np.log1p(-shares)
    return dataclasses.replace(outputs, logits=logits, logits_scale=None)


def _wanted(file: ModelFile) -> list[str]:
    return [name for name in (file.logits, file.attention) if name is not None]


class _Told(Silence):
    """In the child: passes progress on, now and then."""

    def __init__(self, role: str) -> None:
        self._role, self._done = role, 0

    def advance(self, n: int = 1, note: str = "") -> None:
        self._done += n
        if self._done % _TOLD_EVERY == 0:
            child.say(f"{self._role} {_TOLD_EVERY}")


class _Relay:
    """In the parent: hears which file is running and how many windows more are done."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self.running = progress, ""

    def message(self, text: str) -> None:
        self.running, done = text.split()
        self._progress.advance(int(done))
