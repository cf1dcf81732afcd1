"""The count of benchmarks/twin_equality.py: that it can fail, and a quick build in which nothing differs."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from source_tree import ROOT

SCRIPT = ROOT / "benchmarks" / "twin_equality.py"


def run(*options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def test_differences_are_counted_in_steps(script: dict[str, Any]) -> None:
    found = script["Difference"].between(np.array([1.0, 2.0, 3.0]), np.array([1.0001, 4.0, 2.0]))
    assert (found.differing, found.total, found.largest) == (2, 3, 2)
    assert str(found) == "2 of 3, by 2"


@pytest.mark.parametrize("shape", [(2, 3), (0,)])
def test_what_cannot_be_counted_is_no_success(script: dict[str, Any], shape: tuple[int, ...]) -> None:
    with pytest.raises(SystemExit, match="cannot be compared"):
        script["Difference"].between(np.zeros(0), np.zeros(shape))


@pytest.mark.parametrize(("differing", "code"), [(0, 0), (1, 1)])
def test_an_lstm_output_that_differs_is_exit_code_1(
    script: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    differing: int, code: int,
) -> None:  # fmt: skip
    main = script["main"]
    found = {"lstm": script["Difference"](differing, 10, differing)}
    monkeypatch.setitem(main.__globals__, "build", lambda *_: Path())
    monkeypatch.setitem(main.__globals__, "compare", lambda _: found)
    monkeypatch.setattr(
        sys, "argv", ["twin_equality.py", "--data", "japanese-vowels", "absent.npz", "--json"]
    )
    assert main() == code
    printed = capsys.readouterr()
    assert [row["seed"] for row in json.loads(printed.out)] == [0, 1]
    assert json.loads(printed.out)[0]["lstm"] == {"differing": differing, "total": 10, "largest": differing}
    assert printed.err == "Skipped absent.npz: there is no such file.\n"


def test_nothing_to_compare_is_no_success() -> None:
    done = run("--data", "absent.npz")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Skipped absent.npz: there is no such file.", "Nothing was compared."
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_over_the_whole_test_set_the_file_computes_what_was_trained(tmp_path: Path) -> None:
    """370 windows. After the LSTM the twin's sums and products are float32, as precise as 2^-24 of a value.

    Values of up to 128 steps are off by 2^-16 of a step, twice for a sum and its scale: one rounding in
    30,000 may fall to the other side, and moves the logits and weights of its window by a step.
    """
    done = run("--data", "japanese-vowels", "--seeds", "0", "--quick", "--json", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr[-3000:]
    (found,) = json.loads(done.stdout)
    assert found["lstm"] == {"differing": 0, "total": 370 * 29 * 64, "largest": 0}
    for name, total in (("attention", 370 * 29), ("logits", 370 * 9)):
        assert found[name]["total"] == found[f"{name} without XNNPACK"]["total"] == total
        assert found[name]["largest"] <= 1
        assert found[name]["differing"] <= total / 1000
