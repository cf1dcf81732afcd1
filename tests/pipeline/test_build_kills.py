"""A real build, killed in every one of its stages, goes on where it was."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.stages import NAMES


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_build_killed_in_every_stage_goes_on_where_it_was(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(24) % 2
    windows = rng.normal(size=(24, 6, 2)) + labels[:, None, None]
    np.savez(tmp_path / "tiny.npz", x_train=windows, y_train=labels, x_test=windows, y_test=labels)
    command = [sys.executable, "-m", "pipeline.cli", "build", "--data", str(tmp_path / "tiny.npz")]
    command += ["--units", "4", "--epochs", "2", "--qat-epochs", "1", "--out", str(tmp_path / "out")]
    for number, stage in enumerate(NAMES, start=1):
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as build:
            assert build.stderr is not None
            said = next(line for line in build.stderr if line.startswith(f"{number}/{len(NAMES)} {stage}"))
            assert "kept" not in said
            os.killpg(build.pid, signal.SIGKILL)  # the converter's child too
        stored = {path.name for path in (tmp_path / "out" / "stages").iterdir() if path.is_dir()}
        assert {name for name in stored if name in NAMES} == set(NAMES[: number - 1])
    last = subprocess.run(command, capture_output=True, text=True)
    assert last.returncode in (0, 1), last.stderr  # two epochs promise no parity
    assert last.stderr.count("kept from an earlier build") == len(NAMES) - 1
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["verdict"] == ("pass" if last.returncode == 0 else "fail")
