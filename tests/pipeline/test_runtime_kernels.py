"""What runs the LSTMs of a model: as it was asked for, and always said."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hand_made import hand_made, metadata, windows

from pipeline import runtime
from pipeline.runtime import KernelsError, SequenceClassifier
from pipeline.verify import verify

TINY = Path(__file__).with_name("tiny_model.py")


@pytest.fixture
def no_lstm() -> bytes:
    return hand_made(described=metadata())


def package(taken: int, reasons: tuple[str, ...], unavailable: str = "") -> ModuleType:
    """A stand-in for fuselage_kernels, whose delegate is none."""
    module = ModuleType("fuselage_kernels")

    class Unavailable(RuntimeError):
        pass

    def load(interpreter: str) -> None:
        assert interpreter == "ai_edge_litert"
        if unavailable:
            raise Unavailable(unavailable)

    told = SimpleNamespace(path="avx9", taken=taken, refused=len(reasons), reasons=reasons)
    vars(module).update(Unavailable=Unavailable, load=load, describe=lambda delegate: told)
    return module


@pytest.fixture
def plain_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the delegate, which here is none."""
    real = runtime.open_interpreter

    def without(content: bytes, threads: int, kernels: str = "builtin", delegates: Any = ()) -> Any:
        return real(content, threads, kernels)

    monkeypatch.setattr(runtime, "open_interpreter", without)


def test_the_default_is_built_in_and_imports_nothing(no_lstm: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fuselage_kernels", None)  # an import would fail
    for name in ("builtin", "default"):
        model = SequenceClassifier(no_lstm, kernels=name)
        assert (model.kernels, model.kernels_note) == ("builtin", "The interpreter's own kernels.")
    assert SequenceClassifier(no_lstm).kernels == "builtin"
    assert SequenceClassifier(no_lstm, kernels="reference").kernels == "reference"


def test_an_unknown_name_is_an_error(no_lstm: bytes) -> None:
    with pytest.raises(ValueError, match=r"Unknown kernels 'fast'\. Known: builtin, .*auto, fuselage"):
        SequenceClassifier(no_lstm, kernels="fast")


CASES: dict[str, tuple[Any, str]] = {
    "not installed": (None, "fuselage-kernels is not installed"),
    "not here": (package(0, (), "The self-test failed: crash."), "self-test failed: crash"),
    "no LSTM": (package(0, ()), "run 0 of 0 fused LSTMs"),
    "no LSTM for it": (package(0, ("float32", "float32")), "run 0 of 2 .* the rest: float32"),
}


@pytest.mark.usefixtures("plain_interpreter")
@pytest.mark.parametrize("case", CASES)
def test_where_ours_cannot_run_auto_says_why_and_fuselage_fails(
    case: str, no_lstm: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fuselage_kernels", CASES[case][0])
    model = SequenceClassifier(no_lstm, kernels="auto")
    assert model.kernels == "builtin"
    with pytest.raises(KernelsError, match=CASES[case][1]) as error:
        SequenceClassifier(no_lstm, kernels="fuselage")
    assert str(error.value) == model.kernels_note


@pytest.mark.usefixtures("plain_interpreter")
def test_where_some_lstms_are_left_auto_says_so_and_fuselage_fails(
    no_lstm: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fuselage_kernels", package(1, ("a weight of -128",)))
    model = SequenceClassifier(no_lstm, kernels="auto")
    assert model.kernels == "fuselage"
    assert model.kernels_note == (
        "fuselage-kernels (avx9) run 1 of 2 fused LSTMs. The built-in kernel runs the rest: a weight of -128."
    )
    with pytest.raises(KernelsError, match="1 of 2"):
        SequenceClassifier(no_lstm, kernels="fuselage")


def test_verification_runs_b_as_told_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the child that runs the files there is no package, or one that finds no LSTM: auto says which."""
    path = tmp_path / "a.tflite"
    path.write_bytes(hand_made())
    features, labels = windows()
    plain = verify(path, path, features, labels)
    told = verify(path, path, features, labels, kernels="auto")
    assert told.verdict == plain.verdict == "pass"
    assert not [note for note in plain.notes if "kernels" in note]
    (note,) = [note for note in told.notes if note.startswith("LSTM kernels of B: ")]
    assert "not installed" in note or "0 of 0" in note


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    pytest.importorskip(
        "fuselage_kernels", reason="fuselage-kernels is not built here: pip install ./kernels"
    )
    folder = tmp_path_factory.mktemp("tiny")
    subprocess.run([sys.executable, str(TINY), str(folder)], check=True, capture_output=True)
    return {kind: (folder / f"{kind}.tflite").read_bytes() for kind in ("float32", "int8", "int8_io")}


@pytest.mark.slow
class TestWithThePackage:
    @pytest.mark.parametrize("kind", ["int8", "int8_io"])
    def test_an_int8_model_answers_the_same(self, kind: str, models: dict[str, bytes]) -> None:
        builtin, ours = (SequenceClassifier(models[kind], kernels=one) for one in ("builtin", "fuselage"))
        assert (builtin.kernels, ours.kernels) == ("builtin", "fuselage")
        assert "run 1 of 1 fused LSTMs" in ours.kernels_note
        random = np.random.default_rng(0)
        for _ in range(20):
            window = random.normal(size=(5, 3))
            one, other = builtin.predict(window), ours.predict(window)
            assert np.array_equal(one.logits, other.logits)
            assert np.array_equal(one.attention_weights, other.attention_weights)

    def test_a_float_model_has_nothing_for_it(self, models: dict[str, bytes]) -> None:
        model = SequenceClassifier(models["float32"], kernels="auto")
        assert model.kernels == "builtin"
        assert "float32" in model.kernels_note
        with pytest.raises(KernelsError, match="float32"):
            SequenceClassifier(models["float32"], kernels="fuselage")
