"""Where the error of an int8 LSTM comes from: any .tflite with fused int8 LSTMs, on windows of any source.

from pipeline.data.given import read_given
from pipeline.explain import explain

found = explain("model_int8.tflite", read_given("golden.npz"))
print(found.lstms[0].attribution.roundings[0].name)  # the rounding that costs most
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from converters import schema
from converters.inputs import lengths_place
from converters.lstm_op import LstmNode, lstm_nodes
from converters.metadata import read_metadata
from converters.microscope import inner, reference
from converters.microscope.attribution import runs
from converters.microscope.explanation import LstmExplanation
from converters.microscope.explanation import explain as explain_lstm
from converters.microscope.simulation import FloatWeights, Input, SwitchableLstm
from models.errors import InputError
from pipeline.data.dataset import unread_note
from pipeline.data.given import GivenWindows
from pipeline.data.preprocessing import Preprocessing
from pipeline.progress import Progress, Silence
from pipeline.runtime import ModelFileError, checked_metadata

SCHEMA = "fuselage-explanation/1"
USUAL_REFERENCE = "model_float32.tflite"
INT8 = "int8 8x8_16"
SEED = 0


@dataclass(frozen=True)
class Explanation:
    """What was found about a file's LSTMs.

    Attributes:
        model: the file's name.
        reference: name of the float file whose weights the float side has; None: the file's own weights.
        data: name of the windows. windows: how many of `available` were taken, a seeded sample.
        notes: what a reader has to know beside the numbers.
        lstms: each fused int8 LSTM, in the order in which they run.
    """

    model: str
    reference: str | None
    data: str
    windows: int
    available: int
    notes: tuple[str, ...]
    lstms: tuple[LstmExplanation, ...]

    def to_dict(self) -> dict[str, Any]:
        """In JSON's types; docs/explain.md has the fields."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            "schema": SCHEMA,
            **values,
            "notes": list(self.notes),
            "lstms": [lstm.to_dict() for lstm in self.lstms],
        }


def explain(
    path: str | os.PathLike[str],
    given: GivenWindows,
    windows: int = 100,
    reference_path: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Put each fused int8 LSTM of a file under the microscope.

    Args:
        path: the .tflite file.
        given: windows; raw ones are standardized by the file's own constants.
        windows: how many of them to take at most, a seeded sample.
        reference_path: the float file it was made from. None: `model_float32.tflite` beside the file, and
            where there is none the file's own weights, dequantized. Those too if it is the file itself.

    Raises:
        InputError: the file or the reference cannot be read or run, has nothing to explain, or the windows
            do not fit.
        VerificationError: the integer reference does not give what the interpreter gives.
    """
    path, progress = Path(path), progress or Silence()
    if windows < 1:
        raise InputError(f"{windows} windows were asked for; at least 1 is needed.")
    content = schema.read_bytes(path)
    model = schema.read_model(path)
    nodes = _explainable(model, path)
    found = _Reference.find(path, reference_path)
    _, steps, channels = inner.input_shape(model, f"'{path}'")
    rule = _rule(model, path)
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(given))[:windows])
    taken = given.select(chosen)
    told = lengths_place(model) is not None
    features = taken.standardized(rule, steps, channels, at_end=told)
    counted = taken.real_steps(steps) if told else None
    lengths = counted.sum(axis=1) if counted is not None else None if taken.recordings else taken.lengths
    longest = steps if lengths is None else int(lengths.max())
    files = {f"'{path}'": content}
    if found.model is not None:
        _, *shape = inner.input_shape(found.model, f"'{found.path}'")
        if tuple(shape) != (steps, channels):
            raise InputError(
                f"'{found.path}' takes windows of {shape}, the model of {[steps, channels]}.",
                reference.OTHER,
            )
        files[f"'{found.path}'"] = found.content
    tensors = list(inner.run(files, features, lengths).values())
    lstms, notes = [], [*unread_note(given.name, given.unread), *found.notes]
    for index, node in nodes.items():
        written = tensors[0][index]
        lstm = SwitchableLstm.from_model(model, node, index, None)
        place = found.place_of(lstm)
        if place is None:
            real = inner.before_rounding(model, node, features)
        else:
            lstm = SwitchableLstm.from_model(model, node, index, found.weights[place])
            real = tensors[1][place].input.astype(np.float64)
        x = Input(written.input, real, counted)
        _require_shape(schema.name(node.output), lstm, x)
        x = x.until(longest)
        progress.start(f"LSTM {schema.name(node.output)}", runs(lstm, x))
        one = explain_lstm(schema.name(node.output), lstm, x, written.output[:, :longest], progress.advance)
        window = int(chosen[one.focus.window])  # as the data count them
        lstms.append(replace(one, focus=replace(one.focus, window=window)))
        progress.finish()
    notes += [*_note_on_padding(lengths, steps), *_notes(model, nodes, lstms)]
    return Explanation(
        model=path.name,
        reference=None if found.model is None else found.path.name,
        data=given.name,
        windows=len(chosen),
        available=len(given),
        notes=tuple(notes),
        lstms=tuple(lstms),
    )


@dataclass
class _Reference:
    """The float file, or why there is none."""

    path: Path
    content: bytes
    model: schema.ModelT | None
    weights: list[FloatWeights]
    taken: set[int]
    notes: tuple[str, ...]

    @classmethod
    def find(cls, path: Path, given: str | os.PathLike[str] | None) -> _Reference:
        """The one that was asked for, else the usual one, else none."""
        wanted = path.with_name(USUAL_REFERENCE) if given is None else Path(given)
        if wanted.exists() and path.exists() and wanted.samefile(path):
            return cls.none("The float side has the file's own weights, dequantized, as asked for.")
        if given is None and not wanted.exists():
            return cls.none(
                f"The float side has the file's own weights, dequantized: there is no {USUAL_REFERENCE} "
                "beside it. So the rounding of the weights is not seen; --reference FLOAT.tflite shows it."
            )
        model = schema.read_model(wanted)
        weights = reference.float_lstms(model, f"'{wanted}'")
        return cls(wanted, schema.read_bytes(wanted), model, weights, set(), ())

    @classmethod
    def none(cls, why: str) -> _Reference:
        return cls(Path(), b"", None, [], set(), (why,))

    def place_of(self, lstm: SwitchableLstm) -> int | None:
        """Which of the float LSTMs belongs to this one; None without a reference."""
        if self.model is None:
            return None
        place = reference.match(lstm, self.weights, self.taken, f"'{self.path}'")
        self.taken.add(place)
        return place


def _explainable(model: schema.ModelT, path: Path) -> dict[int, LstmNode]:
    """The int8 LSTMs by their place among all.

    Raises:
        InputError: there is none; the message says what there is instead.
    """
    nodes = lstm_nodes(model)
    found = {index: node for index, node in enumerate(nodes) if node.kind == INT8}
    if found:
        return found
    kinds = {node.kind for node in nodes}
    if not kinds:
        raise InputError(
            f"'{path}' has no fused LSTM (UNIDIRECTIONAL_SEQUENCE_LSTM): there is nothing to explain.",
            "`pipeline inspect` says what kept an LSTM from fusing.",
        )
    if kinds == {"float32"}:
        raise InputError(
            f"'{path}' is a float file: its LSTMs round nothing, there is nothing to explain.",
            "Give the int8 file; a float file can be its --reference.",
        )
    if kinds == {"hybrid"}:
        raise InputError(
            f"'{path}' has LSTMs with int8 weights that compute in float (dynamic range): nothing is rounded "
            "inside, there is nothing to explain.",
            "Convert with full integer quantization.",
        )
    raise InputError(
        f"'{path}' has LSTMs of kind {', '.join(sorted(kinds))}; only {INT8} can be explained.",
        "Convert with full integer quantization (int8 activations).",
    )


def _rule(model: schema.ModelT, path: Path) -> Preprocessing | None:
    """How a file of ours standardizes raw windows; None of any other."""
    try:
        document = read_metadata(model)
        if document is None:
            return None
        rule = checked_metadata(document)["preprocessing"]
    except (InputError, ModelFileError) as error:
        raise InputError(f"'{path}': {error}") from error
    return Preprocessing.from_dict(rule)


def _require_shape(name: str, lstm: SwitchableLstm, x: Input) -> None:
    width = lstm.integer.features
    if x.quantized.ndim != 3 or x.quantized.shape[2] != width or x.quantized.dtype != np.int8:
        raise InputError(f"The LSTM '{name}' is damaged: its input is {x.quantized.shape[1:]}, {width} wide.")
    if x.real is not None and x.real.shape != x.quantized.shape:
        raise InputError(
            f"The LSTM '{name}' takes {x.quantized.shape[1:]} a window, the reference's {x.real.shape[1:]}."
        )


def _note_on_padding(lengths: np.ndarray | None, steps: int) -> list[str]:
    """How many windows are shorter than the model's input, and what that means for the numbers."""
    shorter = 0 if lengths is None else int((lengths < steps).sum())
    if lengths is None or not shorter:
        return []
    return [
        f"{shorter} of {len(lengths)} windows are shorter than {steps} steps; padding is left out, so later "
        f"steps are judged on fewer windows. The longest window has {lengths.max()} steps."
    ]


def _notes(model: schema.ModelT, nodes: dict[int, LstmNode], lstms: list[LstmExplanation]) -> list[str]:
    """What was left out, and what the float side is."""
    notes = []
    for lstm in lstms:
        of = f"of '{lstm.name}' " if len(lstms) > 1 else ""
        if lstm.moved is not None and lstm.moved.beyond_rounding > 0.01:
            notes.append(
                f"{lstm.moved.beyond_rounding:.0%} of the weights {of}are further from the reference's than "
                f"rounding goes (median {lstm.moved.median_steps:.2f} steps, 0.25 by rounding alone): "
                "training moved them. The two cannot be told apart, so the weights' error holds both."
            )
        if lstm.input.error_rms is None:
            notes.append(
                f"What '{lstm.name}' gets is computed by int8 layers before it; without a reference it "
                "counts as exact."
            )
    if left_out := len(lstm_nodes(model)) - len(nodes):
        notes.append(f"{left_out} LSTM(s) of another kind than {INT8} are left out.")
    return notes
