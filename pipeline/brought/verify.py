"""The stage `verify` of a model that was brought: named outputs are held against the original too."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import runtime
from pipeline.brought.document import BroughtModel
from pipeline.brought.model import CHECKED
from pipeline.parity import measurements as measure
from pipeline.parity.outputs import Array
from pipeline.parity.verdict import Check
from pipeline.scheme_runs import SchemeFile
from pipeline.stages import StageContext
from pipeline.stages.verify import VerifyStage

REFERENCE = "checked_outputs"
RMS_LIMIT = 0.1
"""Of the RMS change of a value, in its standard deviations: as of a regression's values it adds 0.1^2, one
hundredth, to the variance that is not explained."""


class BroughtVerifyStage(VerifyStage):
    """As of a build, and beside it the checked outputs."""

    version = 1
    further_references: Mapping[str, str] = {
        REFERENCE: "Named values against the original's: change in standard deviations of the value"
    }
    twin_is_exact = False

    def further_checks(
        self, context: StageContext, file: SchemeFile, features: Array, chosen: Array
    ) -> list[Check]:
        """RMS and largest change of each named output, in standard deviations of the original's values."""
        about = BroughtModel.load(context.artifact("train"))
        if not about.checked:
            return []
        ran = named_outputs(file.path, list(about.checked), features)
        checks = []
        with np.load(context.artifact("train") / CHECKED, allow_pickle=False) as arrays:
            for name, original in about.checked.items():
                right = arrays[name][chosen]
                checks += deviations(original, right, ran[name], len(features), file.scheme.asked)
        return checks

    def further_notes(self, context: StageContext, shown: SchemeFile) -> Sequence[str]:
        """What was mended, what was left out, what stayed in float."""
        about = BroughtModel.load(context.artifact("train"))
        return [*notes_of(about), *_float_note(context.artifact("convert"), shown.scheme.name)]


def deviations(name: str, right: Array, got: Array, n: int, asked: bool) -> list[Check]:
    """Two checks of one output, the RMS change with a limit where the file was asked for.

    Args:
        right, got: [n, ...].
    """
    std = float(right.astype(np.float64).std()) or 1.0
    right, got = right.reshape(n, -1) / std, got.reshape(n, -1) / std
    rms, largest = measure.rms_error(right, got), measure.max_error(right, got)
    limit = RMS_LIMIT if asked else None
    return [
        Check(f"{name}: RMS", REFERENCE, "<=", rms, limit, "std", n),
        Check(f"{name}: largest", REFERENCE, "<=", largest, None, "std", n),
    ]


def named_outputs(path: Path, names: Sequence[str], features: Array) -> dict[str, Array]:
    """What a file says in these outputs, window by window from the zero state, dequantized.

    Args:
        features: [n, steps, features].

    Returns:
        [n, ...] each.
    """
    interpreter = runtime.open_interpreter(path.read_bytes(), num_threads=1)
    taken, outputs = _borders(interpreter)
    details = {name: outputs[name] for name in names}
    rows: dict[str, list[Array]] = {name: [] for name in names}
    for window in features:
        interpreter.reset_all_variables()
        interpreter.set_tensor(taken["index"], runtime.quantize(window, taken)[np.newaxis])
        interpreter.invoke()
        for name, one in details.items():
            rows[name].append(runtime.dequantize(interpreter.get_tensor(one["index"])[0], one))
    return {name: np.stack(row) for name, row in rows.items()}


def _borders(interpreter: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Details of the input and of the outputs by name; a runner that lives on would block `invoke`."""
    runner = interpreter.get_signature_runner(runtime.SIGNATURE)
    (taken,) = runner.get_input_details().values()
    return taken, runner.get_output_details()


def notes_of(about: BroughtModel) -> list[str]:
    """What a reader has to know of the model that was brought."""
    notes = [
        f"The model is {about.file}, written by {about.written_by}. Rebuilt in fusable form, its answers "
        f"differ by {about.largest_difference:.2g} of the largest one on {about.compared} test windows."
    ]
    if about.mended:
        notes.append(f"Mended without changing the answers: {'; '.join(about.mended)}.")
    if about.end:
        notes.append(
            f"The {about.end} at the end of the answer is not in the files: `logits` are the numbers before "
            f"it, and the runtime computes the {about.end} from them."
        )
    if about.attention:
        notes.append(f"`attention_weights` is '{about.attention}' of the original.")
    renamed = [f"`{name}` is '{original}'" for name, original in about.checked.items() if name != original]
    if renamed:
        notes.append(f"Of the checked outputs {', '.join(renamed)} of the original.")
    return notes


def _float_note(folder: Path, scheme: str) -> list[str]:
    conversion: dict[str, Any] = json.loads((folder / "conversion.json").read_text(encoding="utf-8"))
    left = [one for one in conversion["schemes"][scheme]["ranges"] if one["left_in_float"]]
    if not left:
        return []
    told = ", ".join(f"{one['left_in_float']} '{one['tensor']}'" for one in left)
    return [f"{len(left)} ops stay in float32, between a DEQUANTIZE and a QUANTIZE: {told}."]
