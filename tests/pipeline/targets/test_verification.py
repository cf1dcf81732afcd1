"""What targets add to a report, with targets that answer rightly and wrongly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import VerificationError
from pipeline.parity.verdict import verdict
from pipeline.progress import Progress
from pipeline.targets.host import Host
from pipeline.targets.job import TargetFile
from pipeline.targets.verification import on_targets


class Board:
    """Not this machine, as far as anybody can tell."""

    name = "board"

    def __init__(self, spoil: tuple[str, str] | None = None, interpreter: str | None = None) -> None:
        self.spoil, self.interpreter = spoil, interpreter

    def prepare(self, progress: Progress) -> Mapping[str, str]:
        return {"cpu": "cortex-a76"}

    def run(self, folder: Path, progress: Progress) -> None:
        Host().run(folder, progress)
        if self.interpreter:
            about = folder / "out" / "about.json"
            about.write_text(about.read_text().replace("ai-edge-litert 2", self.interpreter))
        if self.spoil:
            path = folder / "out" / f"{self.spoil[0]}.{self.spoil[1]}.npz"
            with np.load(path) as arrays:
                changed = {name: values.copy() for name, values in arrays.items()}
            changed["attention_weights"][3, 0] += 1 / 256
            np.savez(path, **changed)


def run(files: dict[str, TargetFile], heard: Any, **options: Any) -> Any:
    return on_targets([Board(**options)], files, "classification", heard)


def test_each_file_is_held_against_itself_with_either_kernels(
    integer_file: TargetFile, float_file: TargetFile, heard: Any
) -> None:
    found = run({"A": float_file, "B": integer_file}, heard)
    assert verdict(found.checks) == "pass"
    assert list(found.references) == [
        "board/float.tflite/reference", "board/float.tflite/default",
        "board/int8.tflite/reference", "board/int8.tflite/default",
    ]  # fmt: skip
    assert {check.reference for check in found.checks} == set(found.references)
    assert found.provenance["board"]["cpu"] == "cortex-a76"
    assert found.provenance["board"]["seconds"] > 0
    ran, differing = found.notes
    assert ran.startswith("board: 2 files on 20 windows each, by ai-edge-litert 2.")
    assert differing == "int8.tflite on board, default kernels: 0 of 180 numbers differ."


def test_one_step_with_reference_kernels_fails(integer_file: TargetFile, heard: Any) -> None:
    found = run({"A": integer_file}, heard, spoil=("A", "reference"))
    failed = [check for check in found.checks if check.passed is False]
    assert [(check.reference, check.name, check.value) for check in failed] == [
        ("board/int8.tflite/reference", "outputs_different", 1.0)
    ]


def test_one_step_with_default_kernels_is_told(integer_file: TargetFile, heard: Any) -> None:
    found = run({"A": integer_file}, heard, spoil=("A", "default"))
    assert any("1 of 180 numbers differ" in note for note in found.notes)


def test_another_interpreter_there_is_told(integer_file: TargetFile, heard: Any) -> None:
    found = run({"A": integer_file}, heard, interpreter="ai-edge-litert 1")
    assert any("board runs ai-edge-litert 1" in note for note in found.notes)


def test_the_host_alone_adds_nothing(integer_file: TargetFile, heard: Any) -> None:
    found = on_targets([Host()], {"A": integer_file}, "classification", heard)
    assert (found.checks, found.references, found.provenance) == ([], {}, {})
    assert heard.messages == []


def test_a_target_that_is_not_there_is_told_before_anything_runs(
    integer_file: TargetFile, heard: Any
) -> None:
    class Gone(Board):
        def prepare(self, progress: Progress) -> Mapping[str, str]:
            raise VerificationError("gone cannot be reached")

    with pytest.raises(VerificationError, match="gone cannot be reached"):
        on_targets([Board(), Gone()], {"A": integer_file}, "classification", heard)
    assert heard.messages == []
