"""Run a model built by fuselage: raw window in, answer and attention weights out.

This file stands alone. It needs numpy and one interpreter (ai_edge_litert, else tflite_runtime, else
TensorFlow's tf.lite) and imports nothing else of fuselage, so it can be copied to a device as it is. Of a
model for audio `predict_samples` starts from samples; that needs `front_end.py` beside this file.

    classifier = SequenceClassifier("model_int8.tflite")
    prediction = classifier.predict(window)  # [time, channels], raw units
    print(prediction.label, prediction.probabilities, prediction.attention_weights)

A model has one task. `SequenceClassifier` gives a class to a window, `MultiLabelClassifier` any number of
labels, `SequenceRegressor` values in their units, `StepClassifier` a class to every step; `load_model(path)`
returns the one that fits the file.

The fused LSTM keeps its hidden and cell state between two calls of the interpreter. Every window here
starts from the zero state: `run` calls `reset_all_variables()` before it invokes. Code that talks to the
interpreter directly has to do the same, or a window's result depends on the window before it.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

METADATA_NAME = b"FUSELAGE_METADATA"
METADATA_FORMAT = "fuselage-metadata"
METADATA_VERSION = 1
SIGNATURE = "serving_default"
ATTENTION, LENGTHS = "attention_weights", "lengths"
KERNELS = {
    "builtin": "AUTO",
    "default": "AUTO",
    "undelegated": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
    "reference": "BUILTIN_REF",
}
"""Which of the interpreter's kernels compute: those it takes by itself (under two names); the same without
its delegate; the portable ones."""
FUSELAGE, AUTO = "fuselage", "auto"
"""fuselage-kernels run the int8 LSTM, and the rest is "builtin"; or so where that is possible."""


class ModelFileError(ValueError):
    """The model file cannot be read, is damaged, or is not one of ours."""


class KernelsError(RuntimeError):
    """The kernels that were asked for cannot run here, or not this model."""


class WindowError(ValueError):
    """The window does not fit the model: shape, length, or values that are not finite."""


@dataclass(frozen=True)
class Prediction:
    """What a classifier says about one window.

    Attributes:
        label: name of the most probable class.
        class_index: its index; of classes with equal logits the first.
        probabilities: [classes] float32, softmax of the logits.
        logits: [classes] float32.
        attention_weights: [time] float32, one a step of the model's input; the last is the window's last.
            Of a model with several queries or heads [queries, time], [heads, time] or [heads, queries, time]:
            along the last axis each row is a distribution over the steps. Of a model that pads at the end the
            first is the window's first, and those behind the window are next to nothing. Where padding is no
            step, it asks for nothing: there are as many queries as the window has steps.
    """

    label: str
    class_index: int
    probabilities: np.ndarray
    logits: np.ndarray
    attention_weights: np.ndarray


@dataclass(frozen=True)
class MultiLabelPrediction:
    """Which of the labels one window has.

    Attributes:
        labels: names of those more probable than not; there may be none.
        probabilities: [labels] float32, sigmoid of the logits, in the order of the metadata's `class_names`.
        logits: [labels] float32.
        attention_weights: as of `Prediction`.
    """

    labels: tuple[str, ...]
    probabilities: np.ndarray
    logits: np.ndarray
    attention_weights: np.ndarray


@dataclass(frozen=True)
class RegressionPrediction:
    """The values of one window.

    Attributes:
        values: [targets] float32, in `units`.
        names, units: one text a target; a unit that is not known is "".
        attention_weights: as of `Prediction`.
    """

    values: np.ndarray
    names: tuple[str, ...]
    units: tuple[str, ...]
    attention_weights: np.ndarray


@dataclass(frozen=True)
class StepPrediction:
    """A class for every step of one window, padding left out.

    Attributes:
        labels: name of the most probable class of each step.
        class_indices: [time] int64.
        probabilities: [time, classes] float32, softmax of the logits.
        logits: [time, classes] float32.
        attention_weights: as of `Prediction`: of the model's input, padding included.
    """

    labels: tuple[str, ...]
    class_indices: np.ndarray
    probabilities: np.ndarray
    logits: np.ndarray
    attention_weights: np.ndarray


class SequenceModel:
    """A .tflite model of fuselage, ready for windows. One instance serves one thread.

    This is what the models of all tasks share; `predict` is in the class of the task.

    Args:
        model: path of the .tflite file, or its content.
        num_threads: threads the interpreter may use.
        verify_checksum: False takes a file that was changed since it was built. The interpreter does not
            survive every damage: a changed byte can end the process, so run such a file in one of its own.
        kernels: a name of `KERNELS`, "fuselage" or "auto". The reference kernels are slow and give the same
            int8 results on every processor; the others differ from one to the next, by a step of an int8
            softmax for example. "fuselage" runs the int8 LSTM by the package fuselage-kernels, with the
            results of "builtin" to the last bit; "auto" does so where it is possible.

    Attributes:
        kernels: what runs the LSTM: a name of `KERNELS`, or "fuselage".
        kernels_note: a sentence that says more: the instruction set, or why "auto" came to "builtin".
        metadata: what the model file says about itself: class names, channel names and units,
            preprocessing constants, provenance.
        output_scales: quantization step of each output, 0.0 where the output is not quantized. For a
            float output it is the step of the tensor that is dequantized into it.

    Raises:
        ModelFileError: the file is missing, damaged, or lacks the metadata or signature.
        KernelsError: "fuselage" was asked for and cannot run all LSTMs of the model; the text says why.
    """

    task: str
    answer = "logits"  # the output beside the attention weights
    metadata: dict[str, Any]
    output_scales: dict[str, float]

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        num_threads: int = 1,
        verify_checksum: bool = True,
        kernels: str = "builtin",
    ) -> None:
        content, self.metadata = read_checked(model, verify_checksum)
        if task_of(self.metadata) != self.task:
            raise ModelFileError(
                f"The model's task is {task_of(self.metadata)}; {type(self).__name__} is for {self.task}. "
                "load_model() takes any."
            )
        self._interpreter, self.kernels, self.kernels_note = open_with_kernels(content, num_threads, kernels)
        preprocessing = self.metadata["preprocessing"]
        self._shape = (preprocessing["steps"], preprocessing["features"])
        self._padding = preprocessing["padding"]
        self._class_names = tuple(self.metadata["class_names"])
        self._front_end = _front_end_of(self.metadata)
        self._inputs, self._outputs = self._bind()
        self.output_scales = {name: output_scale(content, one) for name, one in self._outputs.items()}

    @property
    def takes_lengths(self) -> bool:
        """Whether the model is told how many steps of its input are real: those at the end may be padding."""
        return LENGTHS in self._inputs

    def run(self, features: np.ndarray, length: int | None = None) -> dict[str, np.ndarray]:
        """Run the model on one standardized window, from the zero state.

        Args:
            features: [time, features], standardized, exactly as long as the model's input.
            length: how many of its steps count, from the first, where the model takes lengths; None: all.

        Returns:
            `logits` [classes] (per step [time, classes]; of a regression `values` [targets], standardized)
            and `attention_weights` [..., time] ([0] of a model without any), float32, dequantized where
            needed.

        Raises:
            WindowError: wrong shape, or a value that is not finite.
        """
        stored = self.integers(features, length)
        answers = {name: dequantize(stored[name], details) for name, details in self._outputs.items()}
        return {ATTENTION: np.zeros(0, np.float32), **answers}

    def integers(self, features: np.ndarray, length: int | None = None) -> dict[str, np.ndarray]:
        """As `run`, but what the tensors hold, without the batch: inputs and outputs by name. Where they are
        quantized these are integers."""
        features = finite_float32(features)
        if features.shape != self._shape:
            raise WindowError(f"The model takes features of shape {self._shape}, got {features.shape}.")
        self._interpreter.reset_all_variables()  # the LSTM would start from the state of the last window
        taken = self._inputs["features"]
        self._interpreter.set_tensor(taken["index"], quantize(features, taken)[np.newaxis])
        if self.takes_lengths:
            length = self._shape[0] if length is None else length
            if not 1 <= length <= self._shape[0]:
                raise WindowError(f"The length of a window is {length}; allowed is 1 to {self._shape[0]}.")
            self._interpreter.set_tensor(self._inputs[LENGTHS]["index"], np.array([length], np.int32))
        elif length not in (None, self._shape[0]):
            raise WindowError(f"The model takes no lengths: every one of its {self._shape[0]} steps counts.")
        self._interpreter.invoke()
        both = {**self._inputs, **self._outputs}
        return {name: self._interpreter.get_tensor(details["index"])[0] for name, details in both.items()}

    def predict(self, window: np.ndarray) -> Any:
        """Answer one window of raw measurements; see the class of the task."""
        raise NotImplementedError(f"{type(self).__name__} has no task; load_model() returns one that has.")

    @staticmethod
    def decode(outputs: dict[str, np.ndarray], metadata: dict[str, Any], real: slice = slice(None)) -> Any:
        """Say what the outputs of `run` mean; `real` is where the window stands in the model's input."""
        raise NotImplementedError("See the class of the task.")

    def predict_samples(self, samples: np.ndarray, sample_rate_hz: float) -> Any:
        """Answer one recording of a model for audio; see `predict` of the class of the task.

        Args:
            samples: [n], one channel: floats with full scale 1.0, or integers with the full scale of their
                type. What is longer than the model takes is cut as its training data was.
            sample_rate_hz: of the samples; the model takes one rate only.

        Raises:
            WindowError: another rate, several channels, less than a frame, or a value that is not finite.
            ModelFileError: the model is not for audio, or `front_end.py` is not there.
        """
        return self.predict(self.features_of(samples, sample_rate_hz))

    def features_of(self, samples: np.ndarray, sample_rate_hz: float) -> np.ndarray:
        """Return the window [time, channels] float32 that `predict` takes; see `predict_samples`."""
        rule = self._front_end
        if rule is None:
            known = "front_end" in self.metadata
            raise ModelFileError(
                "To start from samples, front_end.py has to be beside runtime.py."
                if known
                else "The model takes windows of features: its metadata says nothing of an audio front end."
            )
        if sample_rate_hz != rule.sample_rate_hz:
            raise WindowError(
                f"The samples have {sample_rate_hz:g} Hz; the model takes {rule.sample_rate_hz} Hz."
            )
        try:
            return np.asarray(rule(rule.cut(np.asarray(samples), self._shape[0])))
        except ValueError as error:  # front_end.FrontEndError
            raise WindowError(str(error)) from error

    def standardize(self, window: np.ndarray) -> np.ndarray:
        """Return the features the model takes: (x - mean) / std in float32, then zeros up to its length.

        They go in front or at the end, as the model's padding rule says.

        Raises:
            WindowError: wrong shape, too long, too short, or a value that is not finite.
        """
        steps, channels = self._shape
        raw = finite_float32(window)
        if raw.ndim != 2 or raw.shape[1] != channels:
            names = ", ".join(self.metadata["channel_names"])
            raise WindowError(f"A window is [time, {channels}] (channels: {names}), got shape {raw.shape}.")
        pads = self._padding != "none"
        if len(raw) == 0 or len(raw) > steps or (len(raw) < steps and not pads):
            allowed = f"1 to {steps}" if pads else f"exactly {steps}"
            raise WindowError(f"The window has {len(raw)} steps; the model takes {allowed}.")
        features = np.zeros(self._shape, np.float32)
        features[self._real(len(raw))] = standardized(raw, self.metadata)
        return features

    def _real(self, length: int) -> slice:
        """Where a window of this length stands in the model's input."""
        return slice(length) if self._padding == "end" else slice(self._shape[0] - length, None)

    def _answer(self, window: np.ndarray) -> dict[str, np.ndarray]:
        """Run the model on one window of raw measurements."""
        features = self.standardize(window)
        found = self.run(features, len(window) if self.takes_lengths else None)
        return {**found, ATTENTION: self._of_real_queries(found[ATTENTION], len(window))}

    def _of_real_queries(self, weights: np.ndarray, length: int) -> np.ndarray:
        """Attention [..., time] without the rows of queries that are padding: nothing is made of them.

        A model that pads in front and gives one answer a window takes its padding for steps like others.
        """
        padding_is_no_step = self._padding == "end" or self.task == "per-step"
        if self.metadata.get("query") != "all" or not padding_is_no_step or weights.ndim < 2:
            return weights
        return weights[..., self._real(length), :]

    def _bind(self) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
        """Return the tensor details of the inputs and of the outputs, their shapes and types checked."""
        if SIGNATURE not in self._interpreter.get_signature_list():
            tip = " It is for streaming: see streaming.py." if "streaming" in self.metadata else ""
            raise ModelFileError(f"The model has no signature '{SIGNATURE}'.{tip}")
        runner = self._interpreter.get_signature_runner(SIGNATURE)
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        bound = {}
        for name, shape in {
            "features": self._shape,
            self.answer: self._answer_shape(),
            ATTENTION: (..., self._shape[0]),  # of each head and query, where there are several
        }.items():
            details = (inputs if name == "features" else outputs).get(name)
            if details is None and name == ATTENTION and not self._says_that_it_attends():
                continue
            if details is None:
                raise ModelFileError(f"The signature has no tensor '{name}', only {[*inputs, *outputs]}.")
            got = tuple(map(int, details["shape"]))
            if not _fits(got, shape):
                said = str([1, *shape]).replace("Ellipsis", "...")
                raise ModelFileError(f"'{name}' has shape {[*got]}; its metadata says {said}.")
            known = (np.float32, np.int8) if name == "features" else (np.float32, np.int8, np.int16)
            if details["dtype"] not in known:
                names = ", ".join(np.dtype(one).name for one in known)
                raise ModelFileError(f"'{name}' is {np.dtype(details['dtype'])}; known are {names}.")
            bound[name] = details
        taken = {"features": bound.pop("features")}
        if self._padding == "end":  # the padding would be taken for steps by a model that is not told
            if LENGTHS not in inputs:
                raise ModelFileError("The model pads at the end, but has no input 'lengths'.")
            taken[LENGTHS] = inputs[LENGTHS]
            if tuple(taken[LENGTHS]["shape"]) != (1,) or taken[LENGTHS]["dtype"] != np.int32:
                raise ModelFileError("The input 'lengths' has to be int32 of shape [1].")
        elif LENGTHS in inputs:
            raise ModelFileError(f"The model takes lengths, but its padding is '{self._padding}'.")
        return taken, bound

    def _says_that_it_attends(self) -> bool:
        """False of a model that was brought and whose metadata lists its outputs, none of them attention."""
        signature = self.metadata.get("signature")
        outputs = signature.get("outputs") if isinstance(signature, dict) else None
        return not isinstance(outputs, list) or ATTENTION in outputs

    def _answer_shape(self) -> tuple[int, ...]:
        """Of the answer to one window."""
        return (len(self._class_names),)


class SequenceClassifier(SequenceModel):
    """A model that gives one class to a window."""

    task = "classification"

    def predict(self, window: np.ndarray) -> Prediction:
        """Classify one window of raw measurements.

        Args:
            window: [time, channels] in the units the model was trained with (`metadata["channel_units"]`).
                A model whose padding rule is "front" or "end" takes shorter windows too.

        Raises:
            WindowError: wrong shape, too long, too short, or a value that is not finite.
        """
        return self.decode(self._answer(window), self.metadata)

    @staticmethod
    def decode(
        outputs: dict[str, np.ndarray], metadata: dict[str, Any], real: slice = slice(None)
    ) -> Prediction:
        """As of `SequenceModel`."""
        logits = outputs["logits"]
        winner = int(np.argmax(logits))
        label = metadata["class_names"][winner]
        return Prediction(label, winner, softmax(logits), logits, outputs[ATTENTION])


class MultiLabelClassifier(SequenceModel):
    """A model that gives any number of labels to a window."""

    task = "multi-label"

    def predict(self, window: np.ndarray) -> MultiLabelPrediction:
        """Say which labels one window of raw measurements has; window and errors as of
        `SequenceClassifier`."""
        return self.decode(self._answer(window), self.metadata)

    @staticmethod
    def decode(
        outputs: dict[str, np.ndarray], metadata: dict[str, Any], real: slice = slice(None)
    ) -> MultiLabelPrediction:
        """As of `SequenceModel`."""
        logits, names = outputs["logits"], metadata["class_names"]
        labels = tuple(name for name, logit in zip(names, logits, strict=True) if logit > 0)
        return MultiLabelPrediction(labels, sigmoid(logits), logits, outputs[ATTENTION])


class SequenceRegressor(SequenceModel):
    """A model that gives one or several values to a window."""

    task = "regression"
    answer = "values"

    def predict(self, window: np.ndarray) -> RegressionPrediction:
        """Estimate the values of one window of raw measurements; window and errors as of
        `SequenceClassifier`."""
        return self.decode(self._answer(window), self.metadata)

    @staticmethod
    def decode(
        outputs: dict[str, np.ndarray], metadata: dict[str, Any], real: slice = slice(None)
    ) -> RegressionPrediction:
        """As of `SequenceModel`."""
        rule = metadata["preprocessing"]
        mean, std = (np.array(rule[key], np.float32) for key in ("target_mean", "target_std"))
        values = np.asarray(outputs["values"] * std + mean)
        names, units = tuple(metadata["class_names"]), tuple(metadata["target_units"])
        return RegressionPrediction(values, names, units, outputs[ATTENTION])


class StepClassifier(SequenceModel):
    """A model that gives a class to every step of a window."""

    task = "per-step"

    def predict(self, window: np.ndarray) -> StepPrediction:
        """Classify every step of one window of raw measurements; window and errors as of
        `SequenceClassifier`."""
        return self.decode(self._answer(window), self.metadata, self._real(len(window)))

    @staticmethod
    def decode(
        outputs: dict[str, np.ndarray], metadata: dict[str, Any], real: slice = slice(None)
    ) -> StepPrediction:
        """As of `SequenceModel`."""
        logits = outputs["logits"][real]
        winners = np.argmax(logits, axis=-1)
        labels = tuple(metadata["class_names"][winner] for winner in winners)
        return StepPrediction(labels, winners, softmax(logits), logits, outputs[ATTENTION])

    def _answer_shape(self) -> tuple[int, ...]:
        return (self._shape[0], len(self._class_names))


_BY_TASK: dict[str, type[SequenceModel]] = {
    one.task: one for one in (SequenceClassifier, MultiLabelClassifier, SequenceRegressor, StepClassifier)
}


def load_model(
    model: str | os.PathLike[str] | bytes,
    num_threads: int = 1,
    verify_checksum: bool = True,
    kernels: str = "builtin",
) -> SequenceModel:
    """Return the model of a file, of the class that fits its task; arguments and errors as of it."""
    content = model if isinstance(model, bytes) else _read_file(model)
    task = task_of(checked_metadata(_read_metadata(content)))
    return _BY_TASK[task](content, num_threads, verify_checksum, kernels)


def read_checked(
    model: str | os.PathLike[str] | bytes, verify_checksum: bool = True
) -> tuple[bytes, dict[str, Any]]:
    """Return the content of a file of ours and its metadata; arguments and errors as of `SequenceModel`."""
    content = model if isinstance(model, bytes) else _read_file(model)
    metadata = checked_metadata(_read_metadata(content))
    if verify_checksum:
        _verify_checksum(content, metadata)
    return content, metadata


def decode(outputs: dict[str, np.ndarray], metadata: dict[str, Any]) -> Any:
    """Return what the outputs for a whole window mean, as `predict` of the task's class does."""
    return _BY_TASK[task_of(metadata)].decode(outputs, metadata)


def task_of(metadata: dict[str, Any]) -> str:
    """Return a model's task; files from before there were several say nothing and classify."""
    return str(metadata.get("task", "classification"))


def _front_end_of(metadata: dict[str, Any]) -> Any:
    """Return the `FrontEnd` of a model for audio; None of another, or where `front_end.py` is not there."""
    if "front_end" not in metadata:
        return None
    try:
        module = importlib.import_module(f"{__package__}.front_end" if __package__ else "front_end")
    except ModuleNotFoundError:
        return None
    try:
        rule = module.FrontEnd.from_dict(metadata["front_end"])
    except ValueError as error:  # FrontEndError
        raise ModelFileError(f"The model's metadata cannot be used: {error}") from error
    if rule.features != metadata["preprocessing"]["features"]:
        raise ModelFileError(
            f"The model takes {metadata['preprocessing']['features']} features a step; its front end makes "
            f"{rule.features}."
        )
    return rule


def _fits(got: tuple[int, ...], shape: tuple[Any, ...]) -> bool:
    """Whether a tensor is [1, *shape]; `...` stands for up to two axes of any size."""
    if shape[0] is not ...:
        return got == (1, *shape)
    return 2 <= len(got) <= 4 and got[0] == 1 and got[-1:] == shape[1:] and min(got) > 0


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return exp(z - max z) / sum over the last axis, computed in float64, as float32.

    Shifting by the largest logit keeps the exponential finite and changes nothing: it cancels.
    """
    powers = np.exp(logits.astype(np.float64) - np.max(logits, axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-z)) = (1 + tanh(z / 2)) / 2, which never overflows; in float64, as float32."""
    return np.asarray((1.0 + np.tanh(logits.astype(np.float64) / 2.0)) / 2.0, np.float32)


def standardized(raw: np.ndarray, metadata: dict[str, Any]) -> np.ndarray:
    """Return (x - mean) / std of each channel in float32; what is too large for it becomes infinite."""
    mean, std = (np.array(metadata["preprocessing"][key], np.float32) for key in ("mean", "std"))
    with np.errstate(over="ignore"):
        return np.asarray((raw - mean) / std)


def finite_float32(values: np.ndarray) -> np.ndarray:
    """Return `values` as float32; a WindowError says where one is not finite or too large for it."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise WindowError("The rows of the window differ in length.") from None
    if array.dtype.kind not in "fiub":
        raise WindowError(f"A window holds numbers, got {array.dtype}.")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        where = ", ".join(f"{axis} {index}" for axis, index in zip(("step", "channel"), bad[0], strict=False))
        raise WindowError(f"{len(bad)} values are NaN, infinite or too large, the first at {where}.")
    return array


def quantize(values: np.ndarray, details: dict[str, Any]) -> np.ndarray:
    """q = clip(round(x / scale) + zero_point), int8, ties to even; float tensors pass through."""
    if details["dtype"] == np.float32:
        return values
    scale, zero_point = details["quantization"]
    steps = np.rint(values / np.float32(scale)) + np.float32(zero_point)
    return np.clip(steps, -128, 127).astype(np.int8)


def output_scale(content: bytes, details: dict[str, Any]) -> float:
    """Return the quantization step of an output, 0.0 where nothing about it is quantized.

    For a float output it is the step of the tensor that is dequantized into it.
    """
    return float(details["quantization"][0] or _scale_before(content, details["index"]))


def dequantize(values: np.ndarray, details: dict[str, Any]) -> np.ndarray:
    """x = scale * (q - zero_point) in float32; float tensors pass through."""
    if details["dtype"] == np.float32:
        return values
    scale, zero_point = details["quantization"]
    return np.asarray((values.astype(np.float32) - np.float32(zero_point)) * np.float32(scale))


def _read_file(path: str | os.PathLike[str]) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ModelFileError(f"Cannot read the model '{os.fspath(path)}': {error.strerror}.") from error


def open_with_kernels(content: bytes, num_threads: int, kernels: str) -> tuple[Any, str, str]:
    """Return an interpreter, the name of what runs the LSTM in it, and a sentence about it.

    `kernels` is a name of `KERNELS`, "fuselage" or "auto".

    Raises:
        ModelFileError: as of `open_interpreter`.
        KernelsError: "fuselage" cannot run, or not all LSTMs of the model.
        ValueError: no such name.
    """
    if kernels in KERNELS:
        name = "builtin" if kernels == "default" else kernels
        return open_interpreter(content, num_threads, kernels), name, "The interpreter's own kernels."
    if kernels not in (FUSELAGE, AUTO):
        raise ValueError(f"Unknown kernels '{kernels}'. Known: {', '.join([*KERNELS, AUTO, FUSELAGE])}.")
    package, delegate, problem = _fuselage_delegate()
    if not problem:
        interpreter = open_interpreter(content, num_threads, delegates=[delegate])
        told = package.describe(delegate)
        note = f"fuselage-kernels ({told.path}) run {told.taken} of {told.taken + told.refused} fused LSTMs."
        if told.reasons:
            note += f" The built-in kernel runs the rest: {'; '.join(dict.fromkeys(told.reasons))}."
        if told.taken and (kernels == AUTO or not told.refused):
            return interpreter, FUSELAGE, note
        problem = note
    if kernels == FUSELAGE:
        raise KernelsError(problem)
    return open_interpreter(content, num_threads), "builtin", problem


def _fuselage_delegate() -> tuple[Any, Any, str]:
    """Return the package fuselage_kernels, a delegate of it, and "", or why there is none."""
    try:
        package = importlib.import_module("fuselage_kernels")
    except ImportError:
        return None, None, "The package fuselage-kernels is not installed."
    try:
        return package, package.load(_interpreter_class().__module__.split(".")[0]), ""
    except package.Unavailable as error:
        return package, None, str(error)


def open_interpreter(
    content: bytes, num_threads: int, kernels: str = "builtin", delegates: Sequence[Any] = ()
) -> Any:
    """Return an interpreter with its tensors allocated and its state reset; any .tflite will do.

    `kernels` is a name of `KERNELS`; `delegates` take what they can before the interpreter's own.

    The interpreter verifies the flatbuffer, so a truncated file is refused. It does not verify what the
    operators make of it: a damaged file can end the process.

    Raises:
        ModelFileError: the content is no .tflite, or the interpreter refuses it.
    """
    if kernels not in KERNELS:
        raise ValueError(f"Unknown kernels '{kernels}'. Known: {', '.join(KERNELS)}.")
    _require_identifier(content)
    try:
        interpreter = _interpreter_class()(
            model_content=content,
            num_threads=num_threads,
            **({"experimental_delegates": list(delegates)} if delegates else {}),
            **({} if KERNELS[kernels] == "AUTO" else {"experimental_op_resolver_type": _resolver(kernels)}),
        )
        interpreter.allocate_tensors()
        interpreter.reset_all_variables()
    except (ValueError, RuntimeError) as error:
        raise ModelFileError(f"The interpreter refuses the model. Is the file whole? {error}") from error
    return interpreter


def _require_identifier(content: bytes) -> None:
    if content[4:8] != b"TFL3":
        raise ModelFileError("This is not a .tflite file: the identifier 'TFL3' is missing.")


def _resolver(kernels: str) -> Any:
    """Return the library's name for these kernels; its Interpreter and they come from one module."""
    module = importlib.import_module(_interpreter_class().__module__)
    return getattr(module.OpResolverType, KERNELS[kernels])


def _interpreter_class() -> Any:
    """Return the Interpreter of the first library that is installed."""
    for library in ("ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow"):
        try:
            module = importlib.import_module(library)
        except ImportError:
            continue
        return module.lite.Interpreter if library == "tensorflow" else module.Interpreter
    raise ImportError("No TFLite interpreter is installed. Try: pip install ai-edge-litert")


class _Flatbuffer:
    """The few reads of a flatbuffer that we need; each is checked to stay inside the file.

    A table starts with the distance back to its vtable, which lists for every field the distance from the
    table's start (0: absent). Vectors, strings and sub-tables are stored as a distance to where they are.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content

    def number(self, position: int, form: str = "<I") -> Any:
        if not 0 <= position <= len(self._content) - struct.calcsize(form):
            raise ModelFileError("The model file is damaged: it points outside of itself.")
        return struct.unpack_from(form, self._content, position)[0]

    def follow(self, position: int) -> int:
        return position + int(self.number(position))

    def field(self, table: int, index: int) -> int | None:
        """Return the position of a table's field, or None where it is absent."""
        vtable = table - self.number(table, "<i")
        slot = 4 + 2 * index
        distance = self.number(vtable + slot, "<H") if slot < self.number(vtable, "<H") else 0
        return table + distance if distance else None

    def value(self, table: int, index: int, form: str = "<I") -> Any:
        position = self.field(table, index)
        return 0 if position is None else self.number(position, form)

    def vector(self, table: int, index: int, size: int = 4) -> range:
        """Return the positions of a vector's elements of `size` bytes each; absent counts as empty."""
        position = self.field(table, index)
        if position is None:
            return range(0)
        start = self.follow(position)
        end = start + 4 + self.number(start) * size
        if end > len(self._content):
            raise ModelFileError("The model file is damaged: a vector reaches beyond its end.")
        return range(start + 4, end, size)

    def data(self, table: int, index: int) -> bytes:
        span = self.vector(table, index, size=1)
        return self._content[span.start : span.stop]

    def text(self, table: int, index: int, length: int) -> bytes:
        """Return a text of this length, b"" for one of another: a name can be as long as the file."""
        span = self.vector(table, index, size=1)
        return self._content[span.start : span.stop] if len(span) == length else b""


# Fields of the TFLite schema that are read here, by their place in their table.
_MODEL_SUBGRAPHS, _MODEL_BUFFERS, _MODEL_METADATA = 2, 4, 6
_METADATA_NAME, _METADATA_BUFFER = 0, 1
_BUFFER_DATA, _BUFFER_OFFSET = 0, 1
_SUBGRAPH_TENSORS, _SUBGRAPH_OPERATORS = 0, 3
_OPERATOR_INPUTS, _OPERATOR_OUTPUTS = 1, 2
_TENSOR_QUANTIZATION, _QUANTIZATION_SCALE = 4, 2


def _read_metadata(content: bytes) -> Any:
    """Return the JSON value stored as the model's metadata entry FUSELAGE_METADATA."""
    _require_identifier(content)
    file = _Flatbuffer(content)
    model = file.follow(0)
    for entry in map(file.follow, file.vector(model, _MODEL_METADATA)):
        if file.text(entry, _METADATA_NAME, len(METADATA_NAME)) != METADATA_NAME:
            continue
        buffers = file.vector(model, _MODEL_BUFFERS)
        index = file.value(entry, _METADATA_BUFFER)
        if index >= len(buffers):
            raise ModelFileError("The model file is damaged: its metadata names a buffer that is not there.")
        buffer = file.follow(buffers[index])
        if file.value(buffer, _BUFFER_OFFSET, "<Q"):
            raise ModelFileError("The model keeps its buffers outside of the flatbuffer (2 GB and more).")
        try:
            return json.loads(file.data(buffer, _BUFFER_DATA).decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise ModelFileError(f"The model's metadata is not JSON: {error}.") from error
    raise ModelFileError(
        "The model has no FUSELAGE_METADATA: class names and standardization constants are not known. "
        "Models from `pipeline build` carry it."
    )


def _verify_checksum(content: bytes, metadata: dict[str, Any]) -> None:
    """Raise a ModelFileError unless every byte is the one that was written.

    `sha256` in the metadata is that of the whole file, its own 64 digits taken as zeros.
    """
    written = metadata.get("sha256")
    if not isinstance(written, str) or not re.fullmatch("[0-9a-f]{64}", written):
        raise ModelFileError("The model's metadata has no checksum, sha256. Build the model again.")
    blank = content.replace(written.encode("ascii"), b"0" * 64)
    if hashlib.sha256(blank).hexdigest() != written:
        raise ModelFileError(
            "The model file is damaged, or was changed after it was built: its checksum does not fit. "
            "Copy it again, or build it again."
        )


def _scale_before(content: bytes, tensor: int) -> float:
    """Return the scale of the one quantized input of the operator that makes `tensor`, else 0.0."""
    file = _Flatbuffer(content)
    subgraph = file.follow(file.vector(file.follow(0), _MODEL_SUBGRAPHS)[0])
    tensors = file.vector(subgraph, _SUBGRAPH_TENSORS)
    for operator in map(file.follow, file.vector(subgraph, _SUBGRAPH_OPERATORS)):
        outputs = [file.number(at, "<i") for at in file.vector(operator, _OPERATOR_OUTPUTS)]
        inputs = [file.number(at, "<i") for at in file.vector(operator, _OPERATOR_INPUTS)]
        if outputs == [tensor] and len(inputs) == 1:
            quantization = file.field(file.follow(tensors[inputs[0]]), _TENSOR_QUANTIZATION)
            scales = file.vector(file.follow(quantization), _QUANTIZATION_SCALE) if quantization else range(0)
            return float(file.number(scales[0], "<f")) if len(scales) == 1 else 0.0
    return 0.0


def checked_metadata(metadata: Any) -> dict[str, Any]:
    """Return the metadata if this runtime can rely on it; a ModelFileError says what is wrong."""

    def need(condition: object, what: str) -> None:
        if not condition:
            raise ModelFileError(f"The model's metadata cannot be used: {what}.")

    def texts(value: object) -> bool:
        return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)

    def number(value: object) -> bool:  # finite, as float32 too; NaN fails the comparison
        return isinstance(value, int | float) and abs(value) < 3e38

    need(isinstance(metadata, dict) and metadata.get("format") == METADATA_FORMAT, f"not '{METADATA_FORMAT}'")
    version = metadata.get("version")
    need(version == METADATA_VERSION, f"version {version}, this runtime reads version {METADATA_VERSION}")
    need(texts(metadata.get("class_names")), "class_names has to be a list of texts")
    task = metadata.get("task", "classification")
    need(isinstance(task, str) and task in _BY_TASK, f"task {task!r}, known are {', '.join(_BY_TASK)}")
    rule = metadata.get("preprocessing")
    need(isinstance(rule, dict), "preprocessing is missing")
    for key in ("steps", "features"):
        need(type(rule.get(key)) is int and rule[key] > 0, f"preprocessing.{key} has to be a positive number")
    targets = len(metadata["class_names"])
    counts = {"mean": (rule["features"], "feature"), "std": (rule["features"], "feature")}
    if task == "regression":
        counts |= {"target_mean": (targets, "target"), "target_std": (targets, "target")}
        units = metadata.get("target_units")
        need(texts(units) and len(units) == targets, "target_units needs one text a target")
    for key, (count, what) in counts.items():
        values = rule.get(key)
        need(
            isinstance(values, list) and all(map(number, values)), f"preprocessing.{key} has to hold numbers"
        )
        need(len(values) == count, f"preprocessing.{key} needs one number a {what}")
        need(not key.endswith("std") or min(values) > 1e-37, f"preprocessing.{key} has to be positive")
    known = ("none", "front", "end")
    need(rule.get("padding") in known, "preprocessing.padding has to be 'none', 'front' or 'end'")
    for key in ("channel_names", "channel_units"):
        values = metadata.get(key)
        need(texts(values) and len(values) == rule["features"], f"{key} needs one text a feature")
    return dict(metadata)
