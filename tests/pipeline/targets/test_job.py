"""A job comes back with the answers of the runtime that ships."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import VerificationError
from pipeline import runtime
from pipeline.parity.running import ForeignModel, open_model
from pipeline.targets.host import Host
from pipeline.targets.job import KERNELS, TargetFile, read_answers, write_job


def run(folder: Path, files: dict[str, TargetFile], heard: Any) -> Any:
    assert write_job(folder, files) == len(KERNELS) * sum(len(one.features) for one in files.values())
    Host().run(folder, heard)
    return read_answers(folder, files, "classification")


def test_files_of_ours_and_others_answer_as_here(
    tmp_path: Path, integer_file: TargetFile, float_file: TargetFile, told_file: TargetFile, heard: Any
) -> None:
    files = {"A": integer_file, "B": float_file, "C": told_file}
    (tmp_path / "job").mkdir()
    answers, about = run(tmp_path / "job", files, heard)
    assert heard.done == 2 * (20 + 20 + 3)
    assert about["interpreter"].startswith("ai-edge-litert 2.")
    assert about["machine"]
    for role, one in files.items():
        model = open_model(one.file)
        for index, window in enumerate(one.features):
            told = None if one.real is None else int(one.real[index].sum())
            expected = model.run(window, told)
            for name, values in expected.items():
                np.testing.assert_array_equal(answers[role, "default"].raw[name][index], values.reshape(
                    answers[role, "default"].raw[name][index].shape))  # fmt: skip
    assert isinstance(open_model(integer_file.file), ForeignModel)
    assert answers["A", "reference"].outputs.attention_step == 1 / 256
    assert answers["B", "default"].outputs.attention_step is None


def test_what_runs_on_the_target_is_the_runtime_itself(tmp_path: Path, float_file: TargetFile) -> None:
    write_job(tmp_path, {"A": float_file})
    assert (tmp_path / "runtime.py").read_bytes() == Path(runtime.__file__).read_bytes()
    assert json.loads((tmp_path / "job.json").read_text())["kernels"] == ["reference", "default"]


def test_a_file_that_cannot_be_run_is_an_error(tmp_path: Path, float_file: TargetFile, heard: Any) -> None:
    write_job(tmp_path, {"A": float_file})
    (tmp_path / "A.tflite").write_bytes(b"\0\0\0\0TFL3 nothing")
    with pytest.raises(VerificationError, match="could not be run on this machine: exit code 1"):
        Host().run(tmp_path, heard)


def test_missing_answers_are_an_error(tmp_path: Path, float_file: TargetFile, heard: Any) -> None:
    files = {"A": float_file}
    run(tmp_path, files, heard)
    (tmp_path / "out" / "A.default.npz").unlink()
    with pytest.raises(VerificationError, match="cannot be read"):
        read_answers(tmp_path, files, "classification")


def test_answers_for_fewer_windows_are_an_error(tmp_path: Path, float_file: TargetFile, heard: Any) -> None:
    run(tmp_path, {"A": dataclasses.replace(float_file, features=float_file.features[:5])}, heard)
    with pytest.raises(VerificationError, match="has 5 windows, 20 were sent"):
        read_answers(tmp_path, {"A": float_file}, "classification")
