"""A whole run: files first, then their peers; what is missing is told."""

from pathlib import Path

import numpy as np
import pytest
from float_lstm_file import random_lstm
from hand_made import hand_made
from int8_lstm_file import Int8Lstm, build

from models.errors import InputError
from pipeline.benchmark import peers, run
from pipeline.benchmark.environment import Environment
from pipeline.benchmark.peers import Missing, PeerModel
from pipeline.benchmark.result import Instructions
from pipeline.benchmark.run import benchmark
from pipeline.benchmark.subjects import Subject, read_subjects
from pipeline.progress import Progress


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "build"
    made.mkdir()
    ones = (np.ones((4, 8, 3), np.int8), np.ones((4, 8, 8), np.int8), np.ones((4, 8), np.int32))
    (made / "model_int8.tflite").write_bytes(build(Int8Lstm(*ones, (0.01,) * 4, (0.01,) * 4, steps=5)))
    (made / "model_float32.tflite").write_bytes(random_lstm(3, 8, 5))
    return made


class Twin:
    """A peer that runs the float file itself, or says why not."""

    def __init__(self, why_not: str = "") -> None:
        self._why_not = why_not
        self.asked: list[str] = []

    def make(self, subject: Subject, folder: Path, progress: Progress) -> list[PeerModel]:
        self.asked.append(subject.name)
        if self._why_not:
            raise Missing(self._why_not)
        return [PeerModel("twin", subject.path, "tflite", 0.0)]


def test_a_folder_its_peer_and_its_profile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = Twin()
    monkeypatch.setattr(run, "load", lambda name: twin)
    found = benchmark([folder], rounds=12, warm_up=1, peers=["onnxruntime"])
    assert [(one.name, one.peer_of) for one in found.entries] == [
        ("model_float32.tflite", ""), ("model_int8.tflite", ""), ("twin", "model_float32.tflite"),
    ]  # fmt: skip
    assert twin.asked == ["model_float32.tflite"]  # once, although two files have it for their float file
    assert [one.latency.ratio is None for one in found.entries] == [True, False, False]
    assert all(one.latency.p90 and one.latency.p99 is None for one in found.entries)
    assert all(one.memory is not None for one in found.entries)
    assert [one.largest_error for one in found.entries] == [None, None, 0.0]
    assert [one.name for one in found.profiles] == ["model_float32.tflite", "model_int8.tflite"]
    assert [(one.features, one.units, one.instructions) for one in found.paddings] == [(3, 8, None)]
    assert found.missing == ("unfused: not asked for (--peer unfused)",)


def test_the_document_is_json_and_says_what_was_not_measured(folder: Path) -> None:
    found = benchmark([folder / "model_int8.tflite"], rounds=2, warm_up=0, profile=False).to_dict()
    assert found["schema"] == "fuselage-benchmark/1"
    (entry,) = found["entries"]
    assert entry["latency"]["p90"] is None
    assert entry["instructions"] is None
    assert found["profiles"] == ()
    assert found["environment"]["cpu"]


def test_a_peer_that_is_missing_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "load", lambda name: Twin("is out today"))
    found = benchmark([folder], rounds=1, warm_up=0, peers=["onnxruntime", "unfused"], profile=False)
    assert found.missing == ("onnxruntime: is out today", "unfused: is out today")
    (folder / "model_float32.tflite").unlink()
    found = benchmark([folder], rounds=1, warm_up=0, peers=["unfused"], profile=False)
    assert found.missing[0].startswith("unfused: model_int8.tflite is not float, and no model_float32.tflite")


def test_peers_of_two_models_have_names_of_their_own(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other" / "model_float32.tflite"
    other.parent.mkdir()
    other.write_bytes(hand_made())
    monkeypatch.setattr(run, "load", lambda name: Twin())
    found = benchmark([folder, other], rounds=1, warm_up=0, peers=["onnxruntime"], profile=False)
    assert [one.name for one in found.entries[3:]] == [
        "twin of build/model_float32.tflite", "twin of other/model_float32.tflite",
    ]  # fmt: skip


def test_instructions_are_counted_for_what_was_given(folder: Path) -> None:
    def counter(path: Path, windows: np.ndarray) -> Instructions:
        assert windows.shape[:2] == (1, 5)  # of the LSTM alone with more features
        if path.name == "model_float32.tflite":
            raise InputError("the core is out")
        return Instructions("a core", 7, 70, (1, 6), {})

    found = benchmark([folder], rounds=1, warm_up=0, profile=False, counter=counter)
    assert [one.instructions and one.instructions.inference for one in found.entries] == [None, 7]
    assert "instructions of model_float32.tflite: the core is out" in found.missing
    (padding,) = found.paddings
    assert (padding.instructions, padding.variants, padding.best) == (7, ((8, 8, 7),), None)


def test_what_cannot_be_measured(folder: Path) -> None:
    with pytest.raises(InputError, match="Unknown peer 'torch'"):
        benchmark([folder], peers=["torch"])
    with pytest.raises(InputError, match="has no models"):
        benchmark([folder.parent])


@pytest.mark.parametrize(
    ("machine", "load", "threads", "words"),
    [
        ("x86_64", 0.1, 1, ["plain scalar C"]),
        ("aarch64", 0.1, 1, []),
        ("aarch64", 1.5, 1, ["was busy: a load of 1.5 on 2 cores"]),
        ("aarch64", 0.1, 4, ["one thread"]),
    ],
)
def test_warnings(folder: Path, machine: str, load: float, threads: int, words: list[str]) -> None:
    environment = Environment("a processor", machine, 2, load, threads, "", {})
    found = list(run._warnings(environment, read_subjects([folder])))
    assert len(found) == len(words)
    assert all(word in text for word, text in zip(words, found, strict=True))


def test_the_registry_has_the_peers_of_the_command() -> None:
    from pipeline.cli.benchmark import PEERS

    assert tuple(peers.PEERS) == PEERS
