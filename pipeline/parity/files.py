"""Any .tflite as parity sees it: what goes in, which output is what, whether two files can be compared."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converters import schema
from converters.metadata import LENGTHS, read_metadata
from models.errors import InputError
from pipeline.data.preprocessing import Preprocessing
from pipeline.runtime import ModelFileError, checked_metadata, task_of

SIGNATURE = "serving_default"
LOGITS, VALUES, ATTENTION = "logits", "values", "attention_weights"
MAX_ATTENTION_AXES = 3  # heads, queries, time steps
_INPUT_TYPES = ("float32", "int8")
_OUTPUT_TYPES = (*_INPUT_TYPES, "int16")
_PROBABILITIES = ("SOFTMAX", "LOGISTIC")
_SAME_NUMBERS = ("QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS")


@dataclass(frozen=True)
class Tensor:
    """An input or output: its index in the file's first subgraph, its shape and its type."""

    index: int
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class ModelFile:
    """A model that takes one window and gives logits, and attention weights if it has them.

    Attributes:
        path: where it is.
        content: its bytes.
        input_name, input: the windows, [1, steps, features].
        lengths: the input that says how many steps of a window count, [1] int32; None where there is none.
        outputs: by name, in the signature's order; tensor names where the file has no signature.
        logits: name of the output with one number a class, label or target, or (per step) with a row of
            them for each time step; attention: of the one with a weight for each
            time step along its last axis (of each head, of each query), None where there is none.
        probabilities: "SOFTMAX" or "LOGISTIC" where `logits` is the result of one; None of any other op.
        metadata: what a file of ours says about itself; None of any other.
    """

    path: Path
    content: bytes
    input_name: str
    input: Tensor
    lengths: Tensor | None
    outputs: dict[str, Tensor]
    logits: str
    attention: str | None
    probabilities: str | None
    metadata: dict[str, Any] | None

    @property
    def steps(self) -> int:
        """T, the steps of a window."""
        return self.input.shape[1]

    @property
    def features(self) -> int:
        """F, the channels."""
        return self.input.shape[2]

    @property
    def classes(self) -> int:
        """C, how many classes, labels or targets `logits` has."""
        return self.answer_shape[-1]

    @property
    def answer_shape(self) -> tuple[int, ...]:
        """Of one window's `logits`: [C], or [T, C] of an answer for every step."""
        axes = _axes(self.outputs[self.logits]) or [1]
        return tuple(axes[-2:]) if axes[0] == self.steps and len(axes) > 1 else (axes[-1],)

    @property
    def task(self) -> str | None:
        """What a file of ours says it answers; "per-step" of another where that shows; None: not known."""
        if self.metadata is not None:
            return task_of(self.metadata)
        return "per-step" if len(self.answer_shape) > 1 else None

    @property
    def attention_shape(self) -> tuple[int, ...]:
        """Of one window's attention weights, axes of one element left out; (0,) where there are none."""
        return (0,) if self.attention is None else tuple(_axes(self.outputs[self.attention]))

    @property
    def queries(self) -> bool | None:
        """Whether a file of ours says that every step asks; None where nothing is said."""
        query = (self.metadata or {}).get("query")
        return query == "all" if query in ("last", "all") else None

    @property
    def rule(self) -> Preprocessing | None:
        """How a file of ours standardizes raw windows; None of any other."""
        if self.metadata is None:
            return None
        return Preprocessing.from_dict(self.metadata["preprocessing"])

    @property
    def signature(self) -> str:
        """Names and shapes of input and outputs, for people."""
        inner = {self.input_name: self.input} | ({} if self.lengths is None else {LENGTHS: self.lengths})
        return f"{_shown(inner)} -> {_shown(dict(sorted(self.outputs.items())))}"

    @classmethod
    def read(
        cls, path: str | os.PathLike[str], logits: str | None = None, attention: str | None = None
    ) -> ModelFile:
        """Look at a file without running it.

        Args:
            logits, attention: names of these outputs; by default `logits` or `values` (or the only output)
                and `attention_weights`.

        Raises:
            InputError: damaged, or no model of one window; the message says what was got and what is allowed.
        """
        path = Path(path)
        content = schema.read_bytes(path)
        model = schema.read_model(path)
        inputs, outputs = _interface(model, path)
        lengths = inputs.pop(LENGTHS, None) if len(inputs) == 2 else None
        if len(inputs) != 1:
            raise InputError(
                f"'{path}' has {len(inputs)} inputs; needed is one, [1, time, channels], and perhaps "
                f"'{LENGTHS}'."
            )
        if lengths is not None and (lengths.shape, lengths.dtype) != ((1,), "int32"):
            shown = f"{lengths.dtype} {list(lengths.shape)}"
            raise InputError(f"'{path}': '{LENGTHS}' is {shown}; needed is int32 [1].")
        ((input_name, taken),) = inputs.items()
        if len(taken.shape) != 3 or taken.shape[0] != 1 or taken.shape[1] < 2 or taken.shape[2] < 1:
            raise InputError(f"'{path}' takes {list(taken.shape)}; needed is [1, time, channels].")
        usual = LOGITS if LOGITS in outputs or VALUES not in outputs else VALUES
        logits = _choose(path, outputs, logits, usual, "--logits") or ""
        attention = _choose(path, outputs, attention, ATTENTION, "--attention")
        _require_type(path, input_name, taken, _INPUT_TYPES)
        for name in (logits, attention):
            if name is not None:
                _require_type(path, name, outputs[name], _OUTPUT_TYPES)
        metadata = _metadata(model, path)
        one_will_do = usual == VALUES or metadata is not None
        _require_answer(path, logits, outputs[logits], taken.shape[1], one_will_do)
        if attention is not None:
            _require_distributions(path, attention, outputs[attention], taken.shape[1])
        return cls(
            path=path,
            content=content,
            input_name=input_name,
            input=taken,
            lengths=lengths,
            outputs=outputs,
            logits=logits,
            attention=attention,
            probabilities=_made_by(model, outputs[logits].index),
            metadata=metadata,
        )


def require_same_signature(reference: ModelFile, candidate: ModelFile) -> None:
    """Raise an InputError that shows both, where names or shapes differ. Types may: that is the point."""
    if reference.signature != candidate.signature:
        raise InputError(
            "The files cannot be compared: their signatures differ.\n"
            f"  A {reference.path}: {reference.signature}\n  B {candidate.path}: {candidate.signature}",
            "Both need the same input, the same outputs and the same shapes.",
        )


def _metadata(model: schema.ModelT, path: Path) -> dict[str, Any] | None:
    try:
        document = read_metadata(model)
        return None if document is None else checked_metadata(document)
    except (InputError, ModelFileError) as error:
        raise InputError(f"'{path}': {error}") from error


def _interface(model: schema.ModelT, path: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Inputs and outputs by name, of the signature `serving_default`, of the only one, or of the graph."""
    signatures = {schema.text(one.signatureKey): one for one in model.signatureDefs or []}
    graph = model.subgraphs[0]

    def tensor(index: int) -> Tensor:
        one = graph.tensors[index]
        return Tensor(index, schema.shape(one), schema.tensor_type_name(one))

    if not signatures:
        inputs, outputs = (
            {schema.name(graph.tensors[index]): tensor(index) for index in schema.indices(side) if index >= 0}
            for side in (graph.inputs, graph.outputs)
        )
        return inputs, outputs
    chosen = signatures.get(SIGNATURE) or next(iter(signatures.values()))
    if SIGNATURE not in signatures and len(signatures) > 1:
        raise InputError(f"'{path}' has the signatures {', '.join(signatures)}, but not '{SIGNATURE}'.")
    if chosen.subgraphIndex != 0:
        raise InputError(f"'{path}': its signature is not that of the first subgraph.")
    inputs, outputs = (
        {schema.name(entry): tensor(entry.tensorIndex) for entry in side or []}
        for side in (chosen.inputs, chosen.outputs)
    )
    return inputs, outputs


def _choose(
    path: Path, outputs: dict[str, Tensor], given: str | None, usual: str, option: str
) -> str | None:
    """The output of the name given, else of the usual name; logits may be the only output of any name."""
    if given is not None and given not in outputs:
        raise InputError(f"'{path}' has no output '{given}', only {', '.join(outputs) or 'none'}.")
    if given is not None or usual in outputs:
        return given or usual
    if usual == ATTENTION:
        return None
    if len(outputs) != 1:
        raise InputError(
            f"'{path}' has no output '{usual}', only {', '.join(outputs) or 'none'}.",
            f"Say which one it is with {option} NAME.",
        )
    return next(iter(outputs))


def _require_type(path: Path, name: str, tensor: Tensor, known: tuple[str, ...]) -> None:
    if tensor.dtype not in known:
        shown = f"{', '.join(known[:-1])} and {known[-1]}"
        raise InputError(f"'{path}': '{name}' is {tensor.dtype}; known are {shown}.")


def _require_answer(path: Path, name: str, tensor: Tensor, steps: int, one_will_do: bool) -> None:
    """One number a class, perhaps at every step; two at least, but of values one will do."""
    axes = _axes(tensor)
    if len(axes) == 1 or (len(axes) == 2 and axes[0] == steps) or (one_will_do and not axes):
        return
    raise InputError(
        f"'{path}': '{name}' is {list(tensor.shape)}; needed is [1, classes], two at least, or "
        f"[1, {steps}, classes], an answer for every step."
    )


def _require_distributions(path: Path, name: str, tensor: Tensor, steps: int) -> None:
    """The last axis are the time steps; before it there may be heads, queries or both."""
    axes = _axes(tensor)
    if not 1 <= len(axes) <= MAX_ATTENTION_AXES or axes[-1] != steps:
        raise InputError(
            f"'{path}': '{name}' is {list(tensor.shape)}; needed is [1, {steps}], one weight a step, or "
            f"[1, queries, {steps}], [1, heads, {steps}], [1, heads, queries, {steps}]."
        )


def _axes(tensor: Tensor) -> list[int]:
    """Its axes of more than one element."""
    return [size for size in tensor.shape if size != 1]


def _made_by(model: schema.ModelT, tensor: int) -> str | None:
    """Which of `_PROBABILITIES` the tensor comes from, perhaps reshaped, quantized or dequantized."""
    graph = model.subgraphs[0]
    makers = {
        output: operator
        for operator in schema.operators(model, graph)
        for output in schema.indices(operator.outputs)
    }
    for _ in makers:  # a damaged file may go in circles
        if tensor not in makers:
            return None
        kind = schema.operator_name(model, makers[tensor])
        if kind not in _SAME_NUMBERS:
            return kind if kind in _PROBABILITIES else None
        tensor = next(iter(schema.indices(makers[tensor].inputs)), -1)
    return None


def _shown(tensors: dict[str, Tensor]) -> str:
    return ", ".join(f"{name} {list(one.shape)}" for name, one in tensors.items()) or "none"
