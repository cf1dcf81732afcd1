"""What the stage `model` says about a model that was brought: `model.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "model.json"


@dataclass(frozen=True)
class BroughtModel:
    """A model in fusable form.

    Attributes:
        file: the original's name.
        written_by: which Keras.
        lstms: names of its LSTM layers.
        end: the last step of the answer that was left out, "softmax", "sigmoid" or None.
        attention: name of the output of the original that is `attention_weights`, None where there is none.
        checked: further outputs by their names in the files, and what they are in the original.
        mended: a sentence for each change that changes no answer.
        largest_difference: between answers of the original and of the rebuilt model, over the largest answer.
        compared: on how many windows.
    """

    file: str
    written_by: str
    lstms: list[str]
    end: str | None
    attention: str | None
    checked: dict[str, str]
    mended: list[str]
    largest_difference: float
    compared: int

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        text = json.dumps({"brought": asdict(self)}, indent=1, ensure_ascii=False)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> BroughtModel:
        """Read what `save` wrote."""
        return cls(**json.loads((folder / FILE).read_text(encoding="utf-8"))["brought"])
