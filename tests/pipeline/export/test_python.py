"""A folder for Python: what is in it, that its self-test passes alone, and that it can fail."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from built_files import STEPS, build_folder, config, files

from models.errors import InputError
from pipeline import runtime, streaming
from pipeline.export.built import read_built
from pipeline.export.device.selftest import main as selftest
from pipeline.export.python import export_python, golden_vectors

pytestmark = pytest.mark.slow

TASKS = {
    "classification": config(),
    "multi-label": config("multi-label"),
    "regression": config("regression"),
    "per-step": config("per-step", query="all"),
    "lengths": config(variable_length=True),
}
KINDS = {"int8": ("int8", "float32"), "int8 io": ("int8", "int8"), "float32": ("float32", "float32")}
ALONE = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def exported(tmp_path: Path, of: Any, kind: str = "int8", **options: Any) -> Path:
    file, io = KINDS[kind]
    build = build_folder(tmp_path / "build", of, files(of, io)[file])
    export_python(build, tmp_path / "out", **options)
    return tmp_path / "out"


def sealed(out: Path) -> None:
    """Write the checksums of what the folder holds now, so that the self-test goes on to the answers."""
    marker = json.loads((out / "export.json").read_text())
    content = {name: (out / name).read_bytes() for name in marker["files"]}
    marker["sha256"] = {name: hashlib.sha256(one).hexdigest() for name, one in content.items()}
    (out / "export.json").write_text(json.dumps(marker))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("of", TASKS.values(), ids=TASKS)
def test_the_self_test_passes_for_every_task(
    tmp_path: Path, of: Any, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = exported(tmp_path, of, kind, streaming=True)
    assert selftest(out) == 0
    said = capsys.readouterr().out
    assert said.count(": ok\n") == 3
    assert said.endswith("SELF-TEST PASSED\n")


def test_the_files_are_the_builds_and_the_projects(tmp_path: Path) -> None:
    out = exported(tmp_path, config())
    assert {one.name for one in out.iterdir()} == {
        "README.md", "export.json", "golden.npz", "model.tflite", "requirements.txt", "runtime.py",
        "selftest.py",
    }  # fmt: skip
    assert (out / "model.tflite").read_bytes() == (tmp_path / "build" / "model_int8.tflite").read_bytes()
    assert (out / "runtime.py").read_bytes() == Path(runtime.__file__).read_bytes()
    asked = [line for line in (out / "requirements.txt").read_text().splitlines() if line[0] != "#"]
    assert asked == ["numpy>=2.0.2,<2.5", "ai-edge-litert>=2.0.2,<2.4"]
    export_python(tmp_path / "build", out, streaming=True)
    assert (out / "streaming.py").read_bytes() == Path(streaming.__file__).read_bytes()
    assert (out / "streaming.tflite").is_file()


def test_the_readme_holds_names_as_they_are(tmp_path: Path) -> None:
    of = config()
    out = exported(tmp_path, of, streaming=True)
    text = (out / "README.md").read_text()
    assert "0: x  g\n1: y  g\n2: z\n" in text
    assert "0: up\n1: down\n2: still\n" in text
    assert f"Windows of {STEPS} steps, 10 samples a second; shorter ones are padded." in text


def test_golden_vectors_are_what_the_runtime_answers(tmp_path: Path) -> None:
    of = config(variable_length=True)
    build = build_folder(tmp_path, of, files(of)["int8"])
    built = read_built(build, None)
    vectors = golden_vectors(built)
    model = runtime.load_model(built.content)
    assert set(vectors) == {
        "windows", "lengths", "expected_logits", "expected_attention_weights", "limit_logits",
        "limit_attention_weights",
    }  # fmt: skip
    assert set(vectors["lengths"]) > {1, STEPS}
    for index, length in enumerate(vectors["lengths"]):
        found = model.predict(vectors["windows"][index, :length])
        np.testing.assert_array_equal(found.logits, vectors["expected_logits"][index])
        assert not vectors["windows"][index, length:].any()
    assert vectors["limit_attention_weights"] == pytest.approx(1 / 256, rel=0.01)


@pytest.mark.parametrize(
    ("name", "by", "passes"),
    [
        ("logits", 1.0, True),
        ("logits", 2.0, False),
        ("attention_weights", 2.0, False),
        ("logits", np.nan, False),
    ],
)
def test_an_answer_that_is_off_fails(tmp_path: Path, name: str, by: float, passes: bool) -> None:
    """By one step of the output it is what another processor may round; by two it is wrong."""
    out = exported(tmp_path, config())
    step = runtime.load_model(out / "model.tflite").output_scales[name]
    with np.load(out / "golden.npz") as arrays:
        golden = {key: arrays[key] for key in arrays.files}
    golden[f"expected_{name}"][3, 1] += np.float32(by * step)
    np.savez(out / "golden.npz", **golden)
    sealed(out)
    assert selftest(out) == (0 if passes else 1)


def test_a_streaming_file_of_another_model_fails(tmp_path: Path) -> None:
    out = exported(tmp_path, config(), streaming=True)
    other = exported(tmp_path / "other", config(kind="additive"), streaming=True)
    (out / "streaming.tflite").write_bytes((other / "streaming.tflite").read_bytes())
    assert selftest(out) == 2
    sealed(out)
    assert selftest(out) == 1


def test_a_damaged_folder_cannot_be_tested(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = exported(tmp_path, config())
    content = (out / "model.tflite").read_bytes()
    (out / "model.tflite").write_bytes(content.replace(b"up", b"UP"))
    (out / "README.md").write_text("notes")  # texts may be edited
    assert selftest(out) == 2
    assert "the checksum differs: model.tflite. Export again." in capsys.readouterr().out
    sealed(out)
    assert selftest(out) == 2
    assert "Copy it again" in capsys.readouterr().out
    (out / "golden.npz").unlink()
    assert selftest(out) == 2


def test_both_directions_cannot_stream_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'model_int8.tflite' cannot stream: An LSTM of") as caught:
        exported(tmp_path, config(bidirectional=True), streaming=True)
    assert caught.value.tip == "Build without --bidirectional."
    assert not (tmp_path / "out").exists()
    assert selftest(exported(tmp_path, config(bidirectional=True))) == 0


def test_the_script_runs_alone(tmp_path: Path) -> None:
    out = exported(tmp_path, config(), streaming=True)
    script = (
        "import runpy, sys\n"
        "try:\n"
        "    runpy.run_path('selftest.py', run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    ours = {'pipeline', 'models', 'converters', 'tensorflow', 'aeon'}\n"
        "    print(end.code, sorted(ours & {name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=out, env=ALONE, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("SELF-TEST PASSED\n0 []\n")


@pytest.mark.timeout(600)
def test_the_self_test_passes_in_an_environment_of_its_requirements_alone(tmp_path: Path) -> None:
    """As the folder's README says: a new environment, pip, the self-test. No TensorFlow, nothing of ours."""
    out = exported(tmp_path, config("regression"), streaming=True)
    python = tmp_path / "environment" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "environment"], check=True, timeout=300)
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"],
        cwd=out, env=ALONE, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    if installed.returncode:
        pytest.skip(f"pip cannot install the requirements here: {installed.stderr.strip().splitlines()[-1:]}")
    for module in ("tensorflow", "tf_keras", "pipeline", "models", "converters"):
        tried = subprocess.run(
            [python, "-c", f"import {module}"], cwd=out, env=ALONE, capture_output=True, text=True
        )
        assert f"No module named '{module}'" in tried.stderr
    done = subprocess.run(
        [python, "selftest.py"], cwd=out, env=ALONE, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("SELF-TEST PASSED\n")
