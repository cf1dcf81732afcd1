"""Stages that do nothing but write small files, for tests of what happens around stages.

As a script it runs one build in a process of its own, to be killed:

    python fake_stages.py OUT SECONDS_PER_FILE
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.build import BuildResult, build
from pipeline.config import BuildConfig
from pipeline.progress import Silence
from pipeline.stages import StageContext


class Listener(Silence):
    """Keeps the messages."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)

    def about(self, stage: str) -> str:
        """What was said about a stage."""
        (text,) = [m.split(f"{stage}: ", 1)[1] for m in self.messages if f" {stage}: " in m]
        return text


@dataclass
class FakeStage:
    """Writes its files; each holds the stage's options and what it read, so a wrong reuse shows."""

    name: str
    reads: tuple[str, ...]
    options: Callable[[BuildConfig], dict[str, Any]]
    files: tuple[str, ...]
    version: int = 1
    seconds_per_file: float = 0.0
    before_return: Callable[[StageContext], None] = lambda context: None
    runs: list[Path] = field(default_factory=list)

    def run(self, context: StageContext) -> None:
        self.runs.append(context.folder)
        read = {
            f"{name}/{path.name}": path.read_text()
            for name in self.reads
            for path in sorted(context.artifact(name).iterdir())
            if path.name != "manifest.json"
        }
        for name in self.files:
            path = context.folder / name
            path.parent.mkdir(exist_ok=True)
            with path.open("w") as file:
                text = json.dumps([self.name, name, self.options(context.config), read])
                file.write(text[: len(text) // 2])
                file.flush()
                time.sleep(self.seconds_per_file)
                file.write(text[len(text) // 2 :])
        if self.name == "verify":
            passed = context.config.tolerances.accuracy_drop != 0.0
            (context.folder / "parity.json").write_text(json.dumps(parity(passed)))
        self.before_return(context)


def parity(passed: bool) -> dict[str, Any]:
    """A verification's result with one judged check and one that is only reported."""
    check = {"reference": "float_model", "unit": "share", "n": 370}
    return {
        "verdict": "pass" if passed else "fail",
        "checks": [
            {**check, "name": "accuracy_drop", "relation": "<=", "value": 0.005,
             "limit": 0.01 if passed else 0.0, "passed": passed},
            {**check, "name": "attention_top1_agreement", "relation": ">=", "value": None,
             "limit": None, "passed": None},
        ],
        "notes": ["Here [bold]int8[/bold] is slower."],
        "accuracies": [
            {"name": "int8", "value": 0.9703, "correct": 359, "n": 370, "low": 0.948, "high": 0.983}
        ],
    }  # fmt: skip


def fake_stages(seconds_per_file: float = 0.0) -> list[FakeStage]:
    """The six stages with the real ones' names and dependencies."""
    stages = [
        FakeStage("data", (), lambda c: c.data.model_dump(), ("data.npz", "preprocessing.json")),
        FakeStage(
            "train", ("data",), lambda c: {"units": c.model.units, **c.train.model_dump()}, ("weights.h5",)
        ),
        FakeStage("quantize", ("data", "train"), lambda c: c.quantize.model_dump(), ("ranges.npz",)),
        FakeStage(
            "convert",
            ("data", "train", "quantize"),
            lambda c: c.convert.model_dump(),
            ("model_float32.tflite", "model_int8.tflite"),
        ),
        FakeStage(
            "verify",
            ("data", "train", "quantize", "convert"),
            lambda c: c.tolerances.model_dump(),
            ("golden.npz",),
        ),
        FakeStage(
            "report", ("verify",), lambda c: {}, ("report.json", "report.md", "report.html", "junit.xml")
        ),
    ]
    for stage in stages:
        stage.seconds_per_file = seconds_per_file
    return stages


def run_build(
    out: Path, config: BuildConfig | None = None, stages: list[FakeStage] | None = None, **options: Any
) -> tuple[BuildResult, Listener]:
    """One build with fake stages; its result and what it said."""
    listener = Listener()
    result = build(config or BuildConfig(), out, listener, stages=stages or fake_stages(), **options)
    return result, listener


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder by its path, the lock aside."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


if __name__ == "__main__":
    run_build(Path(sys.argv[1]), stages=fake_stages(float(sys.argv[2])))
