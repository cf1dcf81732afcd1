"""`pipeline verify`: exit codes, the table, what is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hand_made import hand_made, metadata, windows
from source_tree import ROOT

FEATURES, LABELS = windows()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """a.tflite, the same as b.tflite, other.tflite with another attention map, and test.npz."""
    for name, beta in (("a", 1.0), ("b", 1.0), ("other", 3.0)):
        (tmp_path / f"{name}.tflite").write_bytes(hand_made(beta=beta, described=metadata()))
    np.savez(tmp_path / "test.npz", x_test=2 * FEATURES + 1, y_test=LABELS)
    np.savez(tmp_path / "golden.npz", raw_features=2 * FEATURES + 1, features=FEATURES, labels=LABELS)
    return tmp_path


@pytest.mark.parametrize("data", ["test.npz", "golden.npz"])
def test_a_pair_that_agrees_exits_0_and_writes_nothing(invoke: Any, folder: Path, data: str) -> None:
    before = sorted(folder.iterdir())
    done = invoke("verify", folder / "a.tflite", folder / "b.tflite", "--data", folder / data)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "The promise: B (b.tflite) against A (a.tflite)"
    assert lines[-1] == "PARITY PASSED"
    rows = {line.split()[0]: line.split() for line in lines if line.startswith("  ")}
    assert rows["decision_agreement"] == ["decision_agreement", "100.0", "%", ">=", "97.5", "%", "pass"]
    assert rows["context_max_error"] == ["context_max_error", "not", "measured", "skipped"]
    assert rows["B"][-3:] == ["40", "of", "40"]
    assert rows["b.tflite"][-4:] == ["100.0", "%", "of", "A"]
    assert "Running the files" in done.err
    assert sorted(folder.iterdir()) == before
    assert all(len(line) <= 80 for line in lines)


def test_a_pair_that_differs_exits_1_with_all_reports(invoke: Any, folder: Path) -> None:
    done = invoke(
        "verify", folder / "a.tflite", folder / "other.tflite",
        "--data", folder / "test.npz", "--out", folder / "new" / "out", "--quiet",
    )  # fmt: skip
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines()[-1] == "PARITY FAILED"
    assert f"Report: {folder / 'new' / 'out' / 'report.html'}" in done.out
    assert "FAILED float_model.attention_max_error" in done.out
    written = sorted(path.name for path in (folder / "new" / "out").iterdir())
    assert written == ["junit.xml", "report.html", "report.json", "report.md"]
    document = json.loads((folder / "new" / "out" / "report.json").read_text())
    assert document["verdict"] == "fail"
    assert (document["built"], document["stock"]) == (False, None)


def test_labels_are_taken_for_what_the_files_answer(invoke: Any, folder: Path) -> None:
    """As in a build with --task: the data do not say what they are for."""
    for name in ("a", "b"):
        (folder / f"{name}.tflite").write_bytes(hand_made(described=metadata(task="multi-label")))
    rows = (FEATURES.sum(axis=1) > 0).astype(int)
    both = {f"{what}_{part}": values for part in ("train", "test")
            for what, values in (("x", 2 * FEATURES + 1), ("y", rows))}  # fmt: skip
    np.savez(folder / "data.npz", **both)
    done = invoke("verify", folder / "a.tflite", folder / "b.tflite", "--data", folder / "data.npz")
    assert done.code == 0, done.err
    assert "label_agreement" in done.out


def test_limits_are_those_of_build(invoke: Any, folder: Path) -> None:
    pair = ("verify", folder / "a.tflite", folder / "other.tflite", "--data", folder / "test.npz")
    loose = ("--limit-attention-max-error", "1", "--limit-attention-total-variation", "1")
    assert invoke(*pair, *loose).code == 0
    assert invoke(*pair, *loose, "--limit-attention-row-sum-error", "0").code == 1
    done = invoke(*pair, "--limit-accuracy-drop", "2")
    assert done.code == 2
    assert "--limit-accuracy-drop: " in done.err


def test_outputs_can_be_named(invoke: Any, folder: Path) -> None:
    for name in ("a", "b"):
        (folder / f"{name}.tflite").write_bytes(hand_made(("output_0", "output_1")))
    pair = ("verify", folder / "a.tflite", folder / "b.tflite", "--data", folder / "golden.npz")
    assert invoke(*pair).code == 2
    done = invoke(*pair, "--logits", "output_0", "--attention", "output_1")
    assert done.code == 0
    assert "skipped" not in next(line for line in done.out.splitlines() if "attention_max_error" in line)


@pytest.mark.parametrize(
    ("files", "data", "told"),
    [
        (("a.tflite", "absent.tflite"), "test.npz", "Cannot read the model"),
        (("a.tflite", "cut.tflite"), "test.npz", "damaged"),
        (("a.tflite", "two.tflite"), "test.npz", "their signatures differ"),
        (("a.tflite", "b.tflite"), "absent.npz", "Cannot read"),
        (("a.tflite", "b.tflite"), "basic-motion", "Did you mean 'basic-motions'?"),
        (("a.tflite", "b.tflite"), "short.npz", "the model takes [5, 3]"),
    ],
)
def test_what_cannot_be_compared_exits_2(
    invoke: Any, folder: Path, files: tuple[str, str], data: str, told: str
) -> None:
    (folder / "cut.tflite").write_bytes(hand_made()[:500])
    (folder / "two.tflite").write_bytes(hand_made(steps=6))
    np.savez(folder / "short.npz", x_test=np.zeros((4, 5, 2)))
    source = folder / data if data.endswith(".npz") else data
    done = invoke("verify", *(folder / name for name in files), "--data", source)
    assert done.code == 2
    assert told in done.err
    assert done.out == ""


def test_a_folder_that_cannot_be_written_exits_2(invoke: Any, folder: Path) -> None:
    done = invoke(
        "verify", folder / "a.tflite", folder / "b.tflite",
        "--data", folder / "test.npz", "--out", folder / "test.npz" / "out",
    )  # fmt: skip
    assert done.code == 2
    assert "Cannot write" in done.err


def test_data_are_needed(invoke: Any, folder: Path) -> None:
    done = invoke("verify", folder / "a.tflite", folder / "b.tflite")
    assert done.code == 2
    assert "--data" in done.err


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """What a build has published, made by hand."""
    folder = tmp_path / "build"
    folder.mkdir()
    for name in ("float32", "int8", "float16"):
        (folder / f"model_{name}.tflite").write_bytes(hand_made(described=metadata()))
    np.savez(folder / "golden.npz", raw_features=2 * FEATURES + 1, features=FEATURES, labels=LABELS)
    return folder


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that adb takes for a phone; returns a Python there that changes one answer of one file."""
    programs, phone = tmp_path / "bin", tmp_path / "phone"
    programs.mkdir()
    phone.mkdir()
    adb, python = programs / "adb", programs / "python"
    adb.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/tests/support/fake_adb.py "$@"\n')
    change = (
        "import sys, numpy as np; path = sys.argv[1] + '/out/B.default.npz'; found = dict(np.load(path)); "
        "found['attention_weights'][0, 0] += 0.1; np.savez(path, **found)"
    )
    python.write_text(
        f'#!/bin/sh\n{sys.executable} "$@" || exit\n'
        f'case "$*" in *runner.py*) {sys.executable} -c "{change}" "$3";; esac\n'
    )
    for program in (adb, python):
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_PHONE", str(phone))
    monkeypatch.setenv("FAKE_ABI", "arm64-v8a")
    return python


def test_a_build_alone_brings_its_files_and_windows(invoke: Any, build: Path) -> None:
    done = invoke("verify", build)
    assert done.code == 0, done.err
    assert done.out.startswith("The promise: B (model_int8.tflite) against A (model_float32.tflite)")


def test_two_arguments_or_a_build_are_needed(invoke: Any, folder: Path) -> None:
    done = invoke("verify", folder / "a.tflite", "--data", folder / "test.npz")
    assert (done.code, "folder of a build" in done.err) == (2, True)
    done = invoke("verify", folder / "a.tflite", folder / "b.tflite")
    assert (done.code, "--data" in done.err) == (2, True)
    done = invoke("verify", folder)
    assert (done.code, "has no model_float32.tflite" in done.err) == (2, True)


def test_a_folder_that_is_not_there_is_said(invoke: Any, tmp_path: Path) -> None:
    done = invoke("verify", tmp_path / "nothere", "--target", "arm64")
    assert done.code == 2
    assert f"There is no folder '{tmp_path / 'nothere'}'" in done.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--python", "p"), "--python does nothing without --target adb[:SERIAL] or --target ssh:"),
        (("--cache", "c"), "--cache does nothing without --target adb[:SERIAL] or --target arm64"),
        (("--cpu", "cortex-a53", "--target", "ssh:pi@pi"), "--cpu does nothing without --target arm64"),
        (("--cpu", "cortex-a76", "--target", "host"), "--cpu does nothing without --target arm64"),
    ],
)
def test_an_option_that_does_nothing_exits_2(
    invoke: Any, build: Path, options: tuple[str, ...], told: str
) -> None:
    done = invoke("verify", build, *options)
    assert done.code == 2
    assert told in done.err


def test_a_target_that_is_none_exits_2(invoke: Any, build: Path) -> None:
    done = invoke("verify", build, "--target", "arm")
    assert done.code == 2
    assert "Unknown target 'arm'. Known: adb[:SERIAL], arm64, host, ssh:USER@HOST[:PORT]." in done.err


def test_a_target_that_cannot_be_had_exits_6_before_anything_runs_there(
    invoke: Any, build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    done = invoke("verify", build, "--target", "arm64", "--cache", tmp_path / "cache")
    assert done.code == 6
    assert "'dpkg', which is not installed" in done.err
    assert done.out == ""


def test_a_target_that_answers_alike_passes(invoke: Any, build: Path, phone: Path) -> None:
    done = invoke("verify", build, "--target", "adb", "--python", sys.executable, "--target", "host")
    assert done.code == 0, done.err
    assert "adb (" in done.out
    for name in ("float32", "int8", "float16"):
        assert f"default kernels: model_{name}.tflite" in " ".join(done.out.split())
    assert "Running the files on adb" in done.err
    assert all(len(line) <= 80 for line in done.out.splitlines())


def test_a_target_that_answers_otherwise_exits_1_and_every_report_says_so(
    invoke: Any, build: Path, phone: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = invoke("verify", build, "--target", "adb", "--python", phone, "--out", out)
    assert done.code == 1, done.err
    assert "FAILED adb/model_int8.tflite/default.attention_max_error" in " ".join(done.out.split())
    document = json.loads((out / "report.json").read_text())
    failed = [check for check in document["checks"] if check["passed"] is False]
    assert {check["reference"] for check in failed} == {"adb/model_int8.tflite/default"}
    assert document["provenance"]["targets"]["adb"]["model"] == "Cardboard"
    assert "adb/model_int8.tflite/default" in (out / "junit.xml").read_text()
    assert "On targets" in (out / "report.md").read_text()
    page = (out / "report.html").read_text()
    assert "<h3>On targets</h3>" in page
    assert "default kernels: model_int8.tflite there against the same file here" in page


@pytest.mark.slow
def test_a_build_as_arm64_code(invoke: Any, build: Path) -> None:
    done = invoke("verify", build, "--target", "arm64", "--cpu", "cortex-a53")
    if done.code == 6:
        pytest.skip(f"arm64 cannot be emulated here: {done.err}")
    assert done.code == 0, done.err
    assert "arm64 (aarch64), reference kernels" in done.out
    assert "(cortex-a53, qemu" in done.out


def test_it_needs_no_tensorflow(folder: Path) -> None:
    script = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('tensorflow', 'tf_keras', 'keras', 'aeon')))\n"
        "from pipeline.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", script, "verify", "a.tflite", "b.tflite", "--data", "test.npz"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "PARITY PASSED"
