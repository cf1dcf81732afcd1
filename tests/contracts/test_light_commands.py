"""`inspect`, `report`, `run`, `benchmark` and `data list` never load TensorFlow; help is quick."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sounds import write_tones

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
FORBIDDEN = ("tensorflow", "tf_keras", "keras", "tensorflow_model_optimization", "aeon")

# The console script in a Python where importing one of these fails.
WITHOUT = (
    "import sys\n"
    f"sys.modules.update(dict.fromkeys({FORBIDDEN!r}))\n"
    "from pipeline.cli import main\n"
    "sys.argv[0] = 'pipeline'\n"
    "main()\n"
)


def without_tensorflow(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT, *map(str, arguments)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def test_help_answers_within_half_a_second() -> None:
    took_s = []
    for _ in range(3):  # the best of three: a busy machine says nothing about us
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "--help"], env=ENVIRONMENT, capture_output=True, check=True
        )
        took_s.append(time.perf_counter() - start)
    assert min(took_s) < 0.5


def test_the_guard_works() -> None:
    script = WITHOUT.replace("main()\n", "import tensorflow\n")
    done = subprocess.run(
        [sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert "import of tensorflow halted" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"], ["--version"], ["data", "list"], ["data", "--help"], ["data", "describe", "--help"],
        ["build", "--help"], ["verify", "--help"], ["run", "--help"], ["inspect", "--help"],
        ["explain", "--help"], ["report", "--help"], ["benchmark", "--help"], ["quantize", "--help"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_words_need_no_tensorflow(arguments: list[str]) -> None:
    done = without_tensorflow(*arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("command", ["run", "inspect", "report", "benchmark"])
def test_errors_need_no_tensorflow(tmp_path: Path, command: str) -> None:
    garbage = tmp_path / "garbage.tflite"
    garbage.write_bytes(bytes(4) + b"TFL3" + bytes(100))
    done = without_tensorflow(command, garbage, *(["--input", garbage] if command == "run" else []))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(("Error: ", "Tip: "))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_a_build_made_is_used_without_tensorflow(tmp_path: Path) -> None:
    """A build as small as it gets, in a process with TensorFlow; everything after it without."""
    random = np.random.default_rng(0)
    labels = np.arange(60) % 2
    windows = random.normal(size=(60, 6, 3)).astype(np.float32) + labels[:, None, None].astype(np.float32)
    np.savez(
        tmp_path / "tiny.npz",
        x_train=windows[:40], y_train=labels[:40], x_test=windows[40:], y_test=labels[40:],
        class_names=np.array(["<script>", "[bold]two[/bold]"]),
    )  # fmt: skip
    out = tmp_path / "out"
    built = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "build", "--data", tmp_path / "tiny.npz", "--out", out,
         "--units", "8", "--epochs", "2", "--qat-epochs", "1"],
        env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode in (0, 1), built.stderr  # two epochs promise nothing
    verdict = "PARITY PASSED" if built.returncode == 0 else "PARITY FAILED"
    assert built.stdout.splitlines()[-1] == verdict

    (out / "report.html").unlink()
    report = without_tensorflow("report", out)
    assert report.returncode == built.returncode, report.stderr
    assert (out / "report.html").is_file()

    model = out / "model_int8.tflite"
    inspected = without_tensorflow("inspect", model)
    assert inspected.returncode == 0, inspected.stderr
    assert "LSTM fused: yes. Integers only: yes." in inspected.stdout
    assert "[bold]two[/bold]" in inspected.stdout

    explained = without_tensorflow("explain", model, "--data", out / "golden.npz", "--json")
    assert explained.returncode == 0, explained.stderr
    assert json.loads(explained.stdout)["reference"] == "model_float32.tflite"

    measured = without_tensorflow("benchmark", out, "--runs", "10", "--no-profile", "--json")
    assert measured.returncode == 0, measured.stderr
    names = [one["name"] for one in json.loads(measured.stdout)["entries"] if not one["peer_of"]]
    assert names == ["model_float32.tflite", "model_int8.tflite"]

    ran = without_tensorflow("run", model, "--input", out / "golden.npz")
    assert ran.returncode == 0, ran.stderr
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(lines) == 20
    assert set(lines[0]["probabilities"]) == {"<script>", "[bold]two[/bold]"}
    assert len(lines[0]["attention_weights"]) == 6


def test_data_is_described_without_tensorflow(tmp_path: Path) -> None:
    write_tones(tmp_path / "tones")
    options = ("--pattern", "{label}_{who}_{take}.wav", "--test", "take < 5")
    done = without_tensorflow("data", "describe", tmp_path / "tones", *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("tones: classification")
