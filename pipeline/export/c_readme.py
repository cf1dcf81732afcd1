"""The README.md of an exported C folder: how to call this model, and what its numbers mean."""

from __future__ import annotations

from pathlib import Path
from string import Template

from converters.metadata import LENGTHS
from models.config import output_name
from pipeline.export.built import BuiltModel
from pipeline.export.c_model import borders
from pipeline.export.readme import warning
from pipeline.runtime import task_of

TEMPLATE = Path(__file__).parent / "firmware" / "README.md"

_MEANING = {
    "classification": "FUSELAGE_NAMES of them; the largest one wins",
    "multi-label": "FUSELAGE_NAMES of them; above FUSELAGE_OUTPUT_LOGITS_ZERO_POINT a label holds",
    "regression": "FUSELAGE_NAMES of them, in standard deviations: see below",
    "per-step": "[FUSELAGE_STEPS][FUSELAGE_NAMES]; the largest one of a step wins",
}
_IN_UNITS = """
Value `i` in its own unit, `fuselage_target_units[i]`:

```cpp
float value = FUSELAGE_OUTPUT_VALUES_SCALE * (values[i] - FUSELAGE_OUTPUT_VALUES_ZERO_POINT)
                  * fuselage_target_std[i] + fuselage_target_mean[i];
```
"""
_PADDED = {
    "front": "\nOf a window with fewer steps the last `steps` rows count; those before are of padding.\n",
    "end": "\nOf a window with fewer steps the first `steps` rows count; those behind are of padding.\n",
    "none": "",
}


def c_readme(content: bytes, built: BuiltModel) -> str:
    """The text, in Markdown.

    Args:
        content: the file as it is exported, with integer inputs and outputs.
    """
    task = task_of(built.metadata)
    name = output_name(task)
    inputs, outputs = borders(content)
    kind = next(one.dtype for one in outputs if one.name == name)
    lengths = f"interpreter.input(FUSELAGE_INPUT_{LENGTHS.upper()})->data.i32[0] = steps;\n"
    more = {"regression": _IN_UNITS, "per-step": _PADDED[built.metadata["preprocessing"]["padding"]]}
    return Template(TEMPLATE.read_text("utf-8")).substitute(
        warning=warning(built),
        lengths=lengths if any(one.name == LENGTHS for one in inputs) else "",
        answer=f"const {kind}_t *{name} = interpreter.output(FUSELAGE_OUTPUT_{name.upper()})"
        f"->data.{'i16' if kind == 'int16' else kind};\n// {_MEANING[task]}",
        more=more.get(task, ""),
    )
