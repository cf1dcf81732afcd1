"""Files run in a child process; what happens to the child becomes an error or a result here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hand_made import hand_made, metadata, windows

from converters import schema
from models.errors import InputError, VerificationError
from pipeline.parity import running
from pipeline.parity.files import ModelFile
from pipeline.progress import Silence

JOBS = """
import ctypes, os
from converters.child import say

def crash(folder, files):
    say("second 3")
    ctypes.string_at(0)

def bug(folder, files):
    raise KeyError("a bug")
"""


def file(tmp_path: Path, content: bytes, name: str = "model.tflite") -> ModelFile:
    (tmp_path / name).write_bytes(content)
    return ModelFile.read(tmp_path / name)


class Counter(Silence):
    def __init__(self) -> None:
        self.total, self.done, self.finished = 0, 0, False

    def start(self, label: str, total: int | None) -> None:
        self.total = total or 0

    def advance(self, n: int = 1, note: str = "") -> None:
        self.done += n

    def finish(self) -> None:
        self.finished = True


def test_outputs_are_those_of_the_formula(tmp_path: Path) -> None:
    features, _ = windows(40)
    foreign = file(tmp_path, hand_made(beta=2.0))
    ours = file(tmp_path, hand_made(beta=2.0, described=metadata()), "ours.tflite")
    progress = Counter()
    ran, latency_ms = running.run_files({"a": (foreign, features), "b": (ours, features)}, progress)
    powers = np.exp(2.0 * features.sum(axis=2))
    for one in ran.values():
        assert one.logits == pytest.approx(features.sum(axis=1), abs=1e-6)
        assert one.attention_weights == pytest.approx(powers / powers.sum(axis=1, keepdims=True), abs=1e-6)
        assert one.context is None  # it has no product of weights and hidden states
    assert set(latency_ms) == {"a", "b"}
    assert min(latency_ms.values()) > 0
    assert (progress.total, progress.done, progress.finished) == (80, 64, True)  # told every 16 windows


def test_probabilities_become_logits_of_the_same_softmax(tmp_path: Path) -> None:
    features, _ = windows(4)
    given = file(tmp_path, hand_made(("logits",), probabilities="SOFTMAX"))
    ran, _ = running.run_files({"a": (given, features)}, Silence())
    sums = features.sum(axis=1)
    expected = np.exp(sums) / np.exp(sums).sum(axis=1, keepdims=True)
    assert np.exp(ran["a"].logits) == pytest.approx(expected, abs=1e-6)
    assert ran["a"].attention_weights.shape == (4, 0)
    assert not ran["a"].attends


def test_what_the_interpreter_refuses_is_an_error_with_the_name_of_the_file(tmp_path: Path) -> None:
    model = schema.read_model(hand_made())
    model.subgraphs[0].operators[0].outputs = []
    refused = file(tmp_path, schema.write_model(model), "refused.tflite")
    with pytest.raises(InputError, match=r"refused\.tflite' cannot be run: The interpreter refuses"):
        running.run_files({"a": (refused, windows(2)[0])}, Silence())


def test_a_crash_names_the_file_that_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "crashing_jobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(running, "JOB", "crashing_jobs:crash")
    names, features = ("first", "second"), windows(2)[0]
    given = {name: (file(tmp_path, hand_made(), f"{name}.tflite"), features) for name in names}
    with pytest.raises(InputError, match=r"crashed on '.*second\.tflite': its process was ended by SIGSEGV"):
        running.run_files(given, Silence())
    monkeypatch.setattr(running, "JOB", "crashing_jobs:bug")
    with pytest.raises(VerificationError, match=r"(?s)could not be run.*KeyError: 'a bug'"):
        running.run_files(given, Silence())


def test_attention_of_several_rows_and_its_context(tmp_path: Path) -> None:
    features, _ = windows(4)
    ran, _ = running.run_files({"a": (file(tmp_path, hand_made(per_channel=True)), features)}, Silence())
    powers = np.exp(features.transpose(0, 2, 1))  # [n, channels, time]
    weights = powers / powers.sum(axis=-1, keepdims=True)
    assert ran["a"].attention_weights == pytest.approx(weights, abs=1e-6)
    assert ran["a"].context == pytest.approx(weights @ features, abs=1e-6)
    assert ran["a"].attention_step is None


def test_a_sigmoid_becomes_logits_of_which_the_sign_decides(tmp_path: Path) -> None:
    given = file(tmp_path, hand_made(("logits",), probabilities="LOGISTIC"))
    features = np.zeros((4, 5, 3), np.float32)
    features[:, 0] = np.array([-1.0, 0.0, 2.0, 200.0])[:, np.newaxis]  # sums over time; the last saturates
    outputs, _ = running.run_files({"A": (given, features)}, Silence())
    expected = [-1, 0, 2, np.log(2.0**24 - 1)]
    np.testing.assert_allclose(outputs["A"].logits[:, 0], expected, rtol=1e-6, atol=1e-6)
    kept, _ = running.run_files({"A": (given, features)}, Silence(), task="regression")
    np.testing.assert_allclose(kept["A"].logits[:, 0], [0.2689414, 0.5, 0.8807971, 1], rtol=1e-6)
