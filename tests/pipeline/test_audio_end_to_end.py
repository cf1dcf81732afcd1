"""A folder of WAV files to a model that starts from samples: small, few epochs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sounds import write_tones
from source_tree import ROOT

from pipeline.data.wav import read_wav
from pipeline.runtime import load_model

pytestmark = pytest.mark.slow

OPTIONS = (
    "--pattern", "{label}_{who}_{take}.wav", "--test", "take < 3", "--longest", 10, "--keep", "end",
    "--audio-mels", 6, "--audio-features", "mfcc", "--audio-coefficients", 4, "--variable-length",
    "--augment-time-shift", 2, "--augment-time-masks", 1, "--augment-channel-masks", 1,
    "--units", 4, "--epochs", 3, "--qat-epochs", 1, "--refit", "always",
)  # fmt: skip


@pytest.mark.timeout(600)
def test_samples_are_answered_as_the_windows_of_the_build(tmp_path: Path) -> None:
    folder, out = write_tones(tmp_path / "tones", 8), tmp_path / "out"
    command = [sys.executable, "-m", "pipeline.cli", "build", "--data", folder, "--out", out, *OPTIONS]
    built = subprocess.run(
        [str(word) for word in command], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert built.returncode in (0, 1), built.stderr  # three epochs promise nothing
    assert "The test part is chosen by the rule 'take < 3'." in built.stderr
    assert "are longer than 10 steps" in built.stderr

    model = load_model(out / "model_int8.tflite")
    assert model.metadata["front_end"]["kind"] == "mfcc"
    tests = sorted(path for path in folder.iterdir() if int(path.stem[-1]) < 3)
    with np.load(out / "golden.npz") as golden:
        assert len(golden["features"]) == len(tests) == 12
        for path, features, length in zip(tests, golden["features"], golden["lengths"], strict=True):
            samples, rate = read_wav(path)
            window = model.features_of(samples, rate)
            assert len(window) == length
            np.testing.assert_array_equal(model.standardize(window), features)
            wanted = model.run(features, int(length))["logits"]
            np.testing.assert_array_equal(model.predict_samples(samples, rate).logits, wanted)

    ran = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "run", out / "model_int8.tflite", "--input", tests[0]],
        env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(ran.stdout)["label"] in ("high", "low")
