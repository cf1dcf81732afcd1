"""What TensorFlow Lite Micro is told: the ops by hand; memory and answers by its own interpreter."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from built_files import STEPS, config, files, raw_windows
from hand_made import hand_made

from converters import schema
from converters.integer_io import with_integer_io
from converters.quantizer.operators import REGISTRY
from models.errors import InputError
from pipeline.export.c_model import borders
from pipeline.export.micro import RESOLVER, arena_bytes, resolver_ops
from pipeline.runtime import load_model

MODELS = {
    "scaled-dot": config(),
    "all": config(query="all"),
    "cosine": config(kind="cosine"),
    "additive": config(kind="additive"),
    "multi-head": config(kind="multi-head"),
    "two layers": config(units=(5, 4)),
    "both directions": config(bidirectional=True),
    "lengths": config(variable_length=True),
    "per-step": config("per-step", query="all"),
}


def test_ops_once_each_in_alphabetical_order() -> None:
    assert resolver_ops(schema.read_model(hand_made(per_channel=True, per_step=True))) == [
        "BatchMatMul", "Softmax", "Transpose",
    ]  # fmt: skip


def test_an_op_that_is_not_known_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(RESOLVER, "SUM")
    with pytest.raises(InputError, match="is not known to have SUM") as caught:
        resolver_ops(schema.read_model(hand_made()))
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in caught.value.tip


def test_every_op_of_the_quantizer_is_known() -> None:
    assert set(REGISTRY) - set(RESOLVER) == {"TILE"}  # which TensorFlow Lite Micro does not have


# In the environment of tflite-micro: each N.tflite on N.npz, what it allocates and answers as JSON.
_MICRO = """
import json, sys
import numpy as np
from tflite_micro import runtime
for name in sys.argv[1:]:
    arrays = np.load(f"{name}.npz")
    interpreter = runtime.Interpreter.from_file(
        f"{name}.tflite", arena_size=100_000,
        intrepreter_config=runtime.InterpreterConfig.kAllocationRecording,
    )
    interpreter.print_allocations()
    found = [[], []]
    for window in arrays["windows"]:
        interpreter.reset()
        interpreter.set_input(window[None], int(arrays["place"]))
        if "length" in arrays:
            interpreter.set_input(arrays["length"], 1 - int(arrays["place"]))
        interpreter.invoke()
        for place in (0, 1):
            found[place].append(interpreter.get_output(place).tolist())
    print("RESULT", json.dumps(found), flush=True)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_its_own_interpreter_fits_the_arena_and_gives_the_answers(tmp_path: Path) -> None:
    """Answers within 4 steps of LiteRT's, whose gates do not come from tables."""
    python = tmp_path / "environment" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "environment"], check=True, timeout=300)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    quiet = ("--quiet", "--disable-pip-version-check")
    installed = subprocess.run(
        [python, "-m", "pip", "install", *quiet, "--only-binary=:all:", "--pre", "tflite-micro"],
        env=environment, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    if installed.returncode:
        pytest.skip(f"pip cannot install tflite-micro here: {installed.stderr.strip().splitlines()[-1:]}")
    wanted: dict[str, Any] = {}
    for name, of in MODELS.items():
        content = with_integer_io(files(of)["int8"])
        (tmp_path / f"{name}.tflite").write_bytes(content)
        model = load_model(content)
        inputs, outputs = borders(content)
        runs = [model.integers(model.standardize(window)) for window in raw_windows(20, seed=3)]
        wanted[name] = [np.stack([run[one.name] for run in runs]) for one in outputs]
        (place,) = [one.place for one in inputs if one.name == "features"]
        told = {"length": np.array([STEPS], np.int32)} if of.variable_length else {}
        np.savez(tmp_path / f"{name}.npz", windows=[run["features"] for run in runs], place=place, **told)
    done = subprocess.run(
        [python, "-c", _MICRO, *MODELS],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stdout.splitlines() if "RESULT" in line]
    answers = [json.loads(line.removeprefix("RESULT ")) for line in said]
    used = [int(one) for one in re.findall(r"Arena allocation total (\d+) bytes", done.stdout + done.stderr)]
    assert len(answers) == len(used) == len(MODELS)
    for (name, expected), found, took in zip(wanted.items(), answers, used, strict=True):
        estimate = arena_bytes(schema.read_model((tmp_path / f"{name}.tflite").read_bytes()))
        assert 0.5 * estimate <= took <= estimate, name
        for values, got in zip(expected, found, strict=True):
            steps = np.abs(np.array(got)[:, 0].astype(int) - values.astype(int))
            assert steps.max() <= 4, name
