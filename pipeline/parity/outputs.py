"""What a model said about every window: the one thing that parity compares."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import VerificationError

Array = npt.NDArray[Any]
_STEPS = ("logits_scale", "attention_step")



@dataclass(frozen=True)
class Outputs:
    """The outputs of one model for a row of windows.

    Attributes:
        logits: what the model answers: [n, classes] or [n, labels] before softmax or sigmoid, [n, T, classes]
            of an answer for every step; of a regression its values [n, targets], standardized.
        attention_weights: [n, T], [n, queries, T], [n, heads, T] or [n, heads, queries, T]; along the last
            axis a distribution over the time steps. [n, 0] of a model that has no such output.
        context: [n, ...], the attention-weighted sum of the hidden states; None where it was not taken.
        logits_scale: the quantization step of the logits; None where they are not on an integer grid.
        attention_step: the quantization step of the attention weights, 1/256 in int8 and 1/32768 in int16;
            None where they are float.
        real: [n, T] bool, the steps that count where others are padding; None where all do.
        queries: whether every step asks, so that the axis before the last is one of queries; False: of heads,
            if there is one. None: nobody said, as of a file that is not ours; then its length tells.

    Raises:
        VerificationError: shapes that do not belong together.
    """

    logits: Array
    attention_weights: Array
    context: Array | None = None
    logits_scale: float | None = None
    attention_step: float | None = None
    real: Array | None = None
    queries: bool | None = None

    @classmethod
    def of(cls, answers: Mapping[str, Array], queries: bool | None = None) -> Outputs:
        """Returns what a Keras model answered, by the names of its outputs; a regression's are `values`."""
        answer = answers["values"] if "values" in answers else answers["logits"]
        return cls(answer, answers["attention_weights"], answers.get("context"), queries=queries)

    def __post_init__(self) -> None:
        arrays = {"logits": self.logits, "attention_weights": self.attention_weights}
        if self.context is not None:
            arrays["context"] = self.context
        if self.real is not None:
            arrays["real"] = self.real
        for name, array in arrays.items():
            if array.ndim < 2 or len(array) != len(self.logits):
                raise VerificationError(
                    f"Outputs: {name} has the shape {array.shape}; expected two dimensions or more, "
                    f"the first of {len(self.logits)} windows."
                )

    def __len__(self) -> int:
        return len(self.logits)

    @property
    def attends(self) -> bool:
        """False of a model without attention weights."""
        return self.steps > 0

    @property
    def steps(self) -> int:
        """T, how many time steps are attended to; 0 of a model without attention weights."""
        return int(self.attention_weights.shape[-1])

    @property
    def distributions(self) -> Array:
        """The attention weights as [rows, T]: one row for each window, head and query that is no padding.

        No copy, unless there is padding to leave out.
        """
        if not self.attends:
            return self.attention_weights
        if self.real is None or not self.has_queries:
            return self.attention_weights.reshape(-1, self.steps)
        return np.asarray(self.attention_weights[self.real_rows])

    @property
    def has_queries(self) -> bool:
        """Whether every step asks: as `queries` says, else where the last two axes are equally long."""
        shape = self.attention_weights.shape
        square = len(shape) > 2 and shape[-2] == shape[-1]
        return square and self.queries is not False

    @property
    def real_rows(self) -> Array:
        """Which rows of attention belong to a query that is no padding, [n, ..., queries] bool."""
        rows = self.attention_weights.shape[:-1]
        if self.real is None or not self.has_queries:
            return np.ones(rows, bool)
        return np.broadcast_to(self.real if len(rows) == 2 else self.real[:, np.newaxis], rows)

    @property
    def real_weights(self) -> Array:
        """The weights of `distributions` that lie on real steps, in any shape."""
        if self.real is None:
            return self.distributions
        shape = self.attention_weights.shape
        keys = self.real.reshape(len(self), *(1,) * (len(shape) - 2), shape[-1])
        return np.asarray(self.attention_weights[keys & self.real_rows[..., np.newaxis]])

    @property
    def answers(self) -> Array:
        """`logits` as [rows, C]: a row for each window, or for each step of it that is no padding."""
        if self.logits.ndim == 2:
            return self.logits
        if self.real is None:
            return self.logits.reshape(-1, self.logits.shape[-1])
        return np.asarray(self.logits[self.real])

    def select(self, windows: Array) -> Outputs:
        """Returns the outputs of the given windows (indices, [m]), in that order."""
        return replace(
            self,
            logits=self.logits[windows],
            attention_weights=self.attention_weights[windows],
            context=None if self.context is None else self.context[windows],
            real=None if self.real is None else self.real[windows],
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes an .npz with a key for every attribute that is present."""
        present = {name: value for name, value in vars(self).items() if value is not None}
        np.savez_compressed(path, allow_pickle=False, **present)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Outputs:
        """Reads what `save` wrote.

        Raises:
            VerificationError: the file is missing, damaged or lacks an array.
        """
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls(
                    logits=arrays["logits"],
                    attention_weights=arrays["attention_weights"],
                    context=arrays.get("context"),
                    real=arrays.get("real"),
                    queries=bool(arrays["queries"]) if "queries" in arrays else None,
                    **{name: float(arrays[name]) for name in _STEPS if name in arrays},
                )
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise VerificationError(
                f"The outputs {os.path.basename(path)} cannot be read: {error}",
                "Build again with --redo train.",
            ) from error
