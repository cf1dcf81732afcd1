"""What a model said about every window: the one thing that parity compares."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import VerificationError

Array = npt.NDArray[Any]

ATTENTION_STEP = 1.0 / 256.0  # an int8 softmax output: scale 1/256, zero point -128, by the op's definition


@dataclass(frozen=True)
class Outputs:
    """The outputs of one model for a row of windows.

    Attributes:
        logits: [n, classes], before the softmax.
        attention_weights: [n, steps], a distribution over the time steps of each window; [n, 0] of a model
            that has no such output.
        context: [n, units], the attention-weighted sum of the hidden states; None where it was not taken.
        logits_scale: the quantization step of the logits; None where they are not on an integer grid.

    Raises:
        VerificationError: shapes that do not belong together.
    """

    logits: Array
    attention_weights: Array
    context: Array | None = None
    logits_scale: float | None = None

    def __post_init__(self) -> None:
        arrays = {"logits": self.logits, "attention_weights": self.attention_weights}
        if self.context is not None:
            arrays["context"] = self.context
        for name, array in arrays.items():
            if array.ndim != 2 or len(array) != len(self.logits):
                raise VerificationError(
                    f"Outputs: {name} has the shape {array.shape}; expected two dimensions, "
                    f"the first of {len(self.logits)} windows."
                )

    def __len__(self) -> int:
        return len(self.logits)

    @property
    def attends(self) -> bool:
        """False of a model without attention weights."""
        return bool(self.attention_weights.shape[1] > 0)

    def select(self, windows: Array) -> Outputs:
        """Returns the outputs of the given windows (indices, [m]), in that order."""
        return Outputs(
            self.logits[windows],
            self.attention_weights[windows],
            None if self.context is None else self.context[windows],
            self.logits_scale,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes an .npz with `logits`, `attention_weights` and, where present, `context`, `logits_scale`."""
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
                    logits_scale=float(arrays["logits_scale"]) if "logits_scale" in arrays else None,
                )
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise VerificationError(
                f"The outputs {os.path.basename(path)} cannot be read: {error}",
                "Build again with --redo train.",
            ) from error
