"""Answer a stream of samples: any number of them in, one answer for each window that has become whole.

This file stands beside `runtime.py` and needs nothing more: numpy and one interpreter.

    stream = StreamingClassifier("streaming.tflite", state="window", hop=32)
    for answer in stream.push(samples):  # [n, channels], raw units, n as it comes
        print(answer.stop, answer.prediction.label, answer.prediction.attention_weights)

The file has the two signatures that docs/streaming.md describes: `encode` takes one sample and the LSTM's
state to its hidden state and the state after it, `attend` takes the hidden states of a window to the answer.
What is carried from sample to sample is named by `state`:

    "window"   every window starts from the zero state, as in training: its answer is that of the whole model.
    "carried"  one LSTM runs on from the first sample; a window is its last T hidden states.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

if __package__ == "pipeline":
    from pipeline import runtime
else:  # copied to a device, beside runtime.py
    import runtime  # type: ignore[import-not-found,no-redef]

STATES = ("window", "carried")


@dataclass(frozen=True)
class StreamAnswer:
    """The answer to one window of the stream.

    Attributes:
        start, stop: the window is the samples start to stop - 1, counted from the last reset.
        prediction: what the class of the task in runtime.py returns; its attention weights are over these
            samples.
    """

    start: int
    stop: int
    prediction: Any


class StreamingModel:
    """A model of any task in its streaming form. One instance serves one stream and one thread.

    Args:
        model: path of the streaming file, or its content.
        state: "window" or "carried". Not the same answers: see docs/streaming.md.
        hop: samples from the start of a window to that of the next; None: as long as a window, so that every
            sample is in one. With "window" and a hop shorter than the window each sample is computed once for
            each window it is in.
        num_threads, verify_checksum: as of `runtime.SequenceModel`.

    Attributes:
        metadata: what the file says about itself.
        steps: samples in a window.

    Raises:
        ModelFileError: the file is missing, damaged, or has no streaming form.
        ValueError: `state` or `hop` is none of those allowed.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        state: str,
        hop: int | None = None,
        num_threads: int = 1,
        verify_checksum: bool = True,
    ) -> None:
        if state not in STATES:
            raise ValueError(f"Unknown state {state!r}. Known: {', '.join(STATES)}.")
        content, self.metadata = runtime.read_checked(model, verify_checksum)
        rule = self.metadata["preprocessing"]
        self.steps, self._channels = int(rule["steps"]), int(rule["features"])
        hop = self.steps if hop is None else hop
        if isinstance(hop, bool) or not isinstance(hop, (int, np.integer)) or hop < 1:
            raise ValueError(f"A hop is a whole number of samples, at least one; got {hop!r}.")
        self.state, self.hop = state, int(hop)
        self._parts = _Parts(content, self.metadata, num_threads)
        self.reset()

    def reset(self) -> None:
        """Start again: the next sample is the first. After a gap in the samples, for example."""
        self._seen = 0
        self._open: deque[_Run] = deque()

    @property
    def seen(self) -> int:
        """How many samples were taken since the last reset."""
        return self._seen

    def push(self, samples: np.ndarray) -> list[StreamAnswer]:
        """Take samples and answer the windows that become whole by them, in their order.

        Args:
            samples: [n, channels] or [channels], raw units; n may be 0, and [0] are none too.

        Raises:
            WindowError: wrong shape, or a value that is not finite. Nothing of the samples is taken then.
        """
        features = self._features(samples)
        return [answer for sample in features for answer in self._take(sample)]

    def _features(self, samples: np.ndarray) -> np.ndarray:
        raw = runtime.finite_float32(samples)
        raw = raw[np.newaxis] if raw.ndim == 1 and raw.size else raw
        if raw.shape == (0,):
            return np.zeros((0, self._channels), np.float32)
        if raw.ndim != 2 or raw.shape[1] != self._channels:
            names = ", ".join(self.metadata["channel_names"])
            raise runtime.WindowError(
                f"Samples are [n, {self._channels}] (channels: {names}), got shape {raw.shape}."
            )
        return runtime.finite_float32(runtime.standardized(raw, self.metadata))

    def _take(self, sample: np.ndarray) -> Iterable[StreamAnswer]:
        """Advance every LSTM that runs by one standardized sample [channels]."""
        starts = self._seen % self.hop == 0
        if starts if self.state == "window" else self._seen == 0:
            self._open.append(_Run(self._parts.zero, deque(maxlen=self.steps)))
        self._seen += 1
        for run in self._open:
            hidden, run.state = self._parts.encode(sample, run.state)
            run.hidden.append(hidden)
        start = self._seen - self.steps
        if start < 0 or start % self.hop:
            return []
        # The oldest run is the one whose window this is; of carried state there is only one.
        run = self._open[0] if self.state == "carried" else self._open.popleft()
        outputs = self._parts.attend(np.stack(run.hidden))
        return [StreamAnswer(start, self._seen, runtime.decode(outputs, self.metadata))]


class StreamingClassifier(StreamingModel):
    """A streaming model that gives one class to a window; arguments and errors as of `StreamingModel`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        task = runtime.task_of(self.metadata)
        if task != runtime.SequenceClassifier.task:
            raise runtime.ModelFileError(
                f"The model's task is {task}; StreamingClassifier is for {runtime.SequenceClassifier.task}. "
                "StreamingModel takes any."
            )


@dataclass
class _Run:
    """An LSTM under way: its state and its last hidden states, a window of them at most."""

    state: dict[str, np.ndarray]
    hidden: deque[np.ndarray]


class _Parts:
    """The two signatures of the file, as functions of arrays as the file stores them."""

    def __init__(self, content: bytes, metadata: dict[str, Any], num_threads: int) -> None:
        interpreter = runtime.open_interpreter(content, num_threads)
        parts = interpreter.get_signature_list()
        if not {"encode", "attend"} <= set(parts):
            raise runtime.ModelFileError(
                "The model has no signatures 'encode' and 'attend'. `pipeline export python --streaming` "
                "makes a file that has."
            )
        self._encode = interpreter.get_signature_runner("encode")
        self._attend = interpreter.get_signature_runner("attend")
        given, taken = self._encode.get_input_details(), self._attend.get_input_details()
        self._results = self._attend.get_output_details()
        self._check(given, taken, metadata["preprocessing"])
        self._features = given.pop("features")
        self.zero = {name: _zero(details) for name, details in given.items()}
        every = {runtime.LENGTHS: np.array([metadata["preprocessing"]["steps"]], np.int32)}
        self._told = every if runtime.LENGTHS in taken else {}

    def _check(self, given: dict[str, Any], taken: dict[str, Any], rule: dict[str, Any]) -> None:
        made = self._encode.get_output_details()
        found = {"features": given.get("features"), "hidden": taken.get("hidden"), "made": made.get("hidden")}
        missing = [name for name, details in found.items() if details is None]
        if missing or set(given) - {"features"} != set(made) - {"hidden"}:
            raise runtime.ModelFileError(
                "The signatures 'encode' and 'attend' do not fit together: "
                f"{[*given]} to {[*made]}, {[*taken]}."
            )
        units = int(found["made"]["shape"][-1])
        wanted = {
            "features": (1, 1, rule["features"]), "hidden": (1, rule["steps"], units), "made": (1, 1, units)
        }  # fmt: skip
        for name, shape in wanted.items():
            got = tuple(map(int, found[name]["shape"]))
            if got != shape:
                raise runtime.ModelFileError(f"'{name}' of the streaming file is {[*got]}, not {[*shape]}.")

    def encode(
        self, sample: np.ndarray, state: dict[str, np.ndarray]
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """One step: a standardized sample [channels] and a state, to the last LSTM's hidden state [units] and
        the state after it."""
        features = runtime.quantize(sample, self._features)[np.newaxis, np.newaxis]
        after = self._encode(features=features, **state)
        return after.pop("hidden")[0, 0], after

    def attend(self, hidden: np.ndarray) -> dict[str, np.ndarray]:
        """The hidden states of a window, [steps, units], to the outputs as of `runtime.SequenceModel.run`."""
        found = self._attend(hidden=hidden[np.newaxis], **self._told)
        return {name: runtime.dequantize(found[name][0], one) for name, one in self._results.items()}


def _zero(details: dict[str, Any]) -> np.ndarray:
    """A state of real numbers 0: of a quantized tensor its zero point."""
    return np.full(details["shape"], details["quantization"][1], details["dtype"])
