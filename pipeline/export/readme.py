"""The README.md of an exported folder, with the model's own names and numbers."""

from __future__ import annotations

from pipeline.export.built import BuiltModel
from pipeline.runtime import task_of

_SAID = {
    "classification": "print(prediction.label, prediction.probabilities)",
    "multi-label": "print(prediction.labels, prediction.probabilities)",
    "regression": "print(prediction.values, prediction.names, prediction.units)",
    "per-step": "print(prediction.labels)",
}


def readme(built: BuiltModel, streaming: bool) -> str:
    """The text, in Markdown; names of channels and classes stand in blocks of code, as they are."""
    rule, told = built.metadata["preprocessing"], built.metadata
    task = task_of(told)
    shorter = "" if rule["padding"] == "none" else "; shorter ones are padded"
    rate = told.get("sample_rate_hz")
    every = f", {rate:g} samples a second" if rate else ""
    parts = [
        "# A model to run\n\n"
        f"{warning(built)}"
        f"Task: {task}. Windows of {rule['steps']} steps{every}{shorter}. "
        "It needs numpy and an interpreter, nothing else.\n",
        _code("console", "python3 -m venv .venv\n.venv/bin/pip install -r requirements.txt\n"
              ".venv/bin/python selftest.py"),
        "The self-test runs the golden windows and ends with `SELF-TEST PASSED`. In your own program:\n",
        _code("python", "from runtime import load_model\n\n"
              'model = load_model("model.tflite")\n'
              f"prediction = model.predict(window)  # [time, {rule['features']}], raw units\n"
              f"{_SAID[task]}\nprint(prediction.attention_weights)"),
        "Channels, in this order, with their units:\n",
        _code("text", "\n".join(
            f"{index}: {_line(name)}  {_line(unit)}".rstrip()
            for index, (name, unit) in enumerate(
                zip(told["channel_names"], told["channel_units"], strict=True))
        )),
        "Classes (labels, targets), in the order of the outputs:\n",
        _code("text", "\n".join(f"{index}: {_line(name)}" for index, name in enumerate(told["class_names"]))),
    ]  # fmt: skip
    if streaming:
        parts += [
            "Samples as they come, any number at a time:\n",
            _code("python", "from streaming import StreamingModel\n\n"
                  'stream = StreamingModel("streaming.tflite", state="window", hop=HOP)\n'
                  "for answer in stream.push(samples):  # [n, channels]\n"
                  "    print(answer.start, answer.stop, answer.prediction)"),
            '`state="window"` answers as the whole model does; `state="carried"` never resets the LSTM, '
            "which is another answer than the model was trained and verified for. "
            "After a gap in the samples: `stream.reset()`.\n",
        ]  # fmt: skip
    parts.append(
        "Whoever calls the interpreter without `runtime.py`: the LSTM's state survives from one call to the "
        "next. Call `reset_all_variables()` after `allocate_tensors()` and before every window.\n"
    )
    return "\n".join(parts)


def warning(built: BuiltModel) -> str:
    """A paragraph, where the model is in doubt."""
    return f"**{built.doubt}** Its answers may be others than the float model's.\n\n" if built.doubt else ""


def _code(language: str, text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}\n"


def _line(name: str) -> str:
    """A name on one line, whatever is in it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
