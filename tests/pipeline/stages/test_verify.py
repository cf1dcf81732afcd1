"""The stages `verify` and `report` on real .tflite files, tiny and untrained, made without our converters."""

from __future__ import annotations

import html
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import VerificationError
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.data.preprocessing import Preprocessing
from pipeline.parity.outputs import Outputs
from pipeline.parity.sampling import stratified_sample
from pipeline.progress import Silence
from pipeline.report.data import ReportData
from pipeline.runtime import SequenceClassifier
from pipeline.stages import StageContext, load, verify

TINY = Path(__file__).parents[1] / "tiny_model.py"
METADATA: dict[str, Any] = runpy.run_path(str(TINY))["METADATA"]
WINDOWS, STEPS, FEATURES = 30, 5, 3
# The tiny model is untrained: its two logits are nearly tied everywhere.
LENIENT = {"decision_agreement": 0.5, "accuracy_drop": 0.5}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    subprocess.run([sys.executable, str(TINY), str(folder)], check=True, capture_output=True)
    return folder


class Stored:
    """The folders of the stages before, filled as they would fill them."""

    def __init__(self, root: Path, files: Path) -> None:
        self.root = root
        for name in ("data", "train", "quantize", "convert", "verify", "report"):
            (root / name).mkdir()
        rules = Preprocessing.from_dict(METADATA["preprocessing"])
        normal = np.random.default_rng(3).normal(size=(WINDOWS, STEPS, FEATURES))
        raw = (normal * rules.std + rules.mean).astype(np.float32)  # what the int8 file was calibrated for
        features = rules.apply(raw)
        for name in ("float32", "int8"):
            content = (files / f"{name}.tflite").read_bytes()
            (root / "convert" / f"model_{name}.tflite").write_bytes(content)
        self.float_model = self._run("float32", features)
        self.twin = self._run("int8", features)
        labels = self.float_model.logits.argmax(axis=1)
        labels[0] = 1 - labels[0]  # one wrong decision
        none, no_labels = features[:0], labels[:0]
        PreparedData(
            none, no_labels, none, no_labels, features, labels, raw, rules,
            ("left", "right"), ("x", "y", "z"), ("g", "g", "g"), 10.0, "tiny", "Random numbers.",
        ).save(root / "data")  # fmt: skip
        self.float_model.save(root / "train" / "outputs_float.npz")
        self.float_model.save(root / "quantize" / "outputs_forward.npz")
        self.twin.save(root / "quantize" / "outputs_twin.npz")
        history = {"phases": [{"name": "float", "epochs": [{"epoch": 1, "loss": 1.0, "val_accuracy": 0.5}]}]}
        (root / "train" / "history.json").write_text(json.dumps(history))

    def _run(self, name: str, features: Any) -> Outputs:
        path = self.root / "convert" / f"model_{name}.tflite"
        outputs = verify.run_file(SequenceClassifier(path), features, Silence())
        return Outputs(
            outputs.logits, outputs.attention_weights, features.mean(axis=1) + 0.25, outputs.logits_scale
        )

    def run(
        self, stage: str = "verify", qat: bool = True, tolerances: Any = None, compare: bool = False
    ) -> Path:
        """Runs a stage and returns its folder."""
        given = {
            "quantize": {"qat": qat},
            "convert": {"compare_stock": compare},
            "tolerances": tolerances or LENIENT,
        }
        folder = self.root / stage
        config = BuildConfig.model_validate(given)
        load(stage).run(StageContext(config, folder, self.root.joinpath, Silence()))
        return folder

    def checks(self, **options: Any) -> dict[tuple[str, str], Any]:
        """Runs `verify` and returns its checks by reference and name."""
        parity = json.loads((self.run(**options) / "parity.json").read_text())
        return {(check["reference"], check["name"]): check for check in parity["checks"]}


@pytest.fixture
def stored(tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> Stored:
    """Context vectors are looked up by the structure of our own models, which the tiny one does not have."""
    monkeypatch.setattr(verify, "_context", lambda path, features, lengths: features.mean(axis=1))
    return Stored(tmp_path, files)


def test_a_faithful_file_passes(stored: Stored) -> None:
    parity = json.loads((stored.run() / "parity.json").read_text())
    assert [check for check in parity["checks"] if check["passed"] is False] == []
    assert parity["verdict"] == "pass"
    assert {check["reference"] for check in parity["checks"]} == {
        "float_model", "float_forward", "training_forward", "keras",
    }  # fmt: skip
    by_name = {(check["reference"], check["name"]): check for check in parity["checks"]}
    assert by_name["float_model", "context_max_error"]["value"] == pytest.approx(0.25, abs=1e-6)
    assert by_name["training_forward", "attention_max_steps"]["value"] == 0
    assert by_name["training_forward", "logits_max_steps"]["value"] == 0
    assert by_name["keras", "attention_max_error"]["value"] == 0
    assert any("ms in int8" in note for note in parity["notes"])


def test_golden_holds_what_was_verified(stored: Stored) -> None:
    with np.load(stored.run() / "golden.npz", allow_pickle=False) as golden:
        assert sorted(golden) == [
            "features",
            "float_attention_weights",
            "float_logits",
            "labels",
            "raw_features",
        ]
        assert golden["raw_features"].shape == golden["features"].shape == (WINDOWS, STEPS, FEATURES)
        rules = Preprocessing.from_dict(METADATA["preprocessing"])
        assert (rules.apply(golden["raw_features"]) == golden["features"]).all()
        assert {golden[name].dtype for name in golden if name != "labels"} == {np.dtype(np.float32)}
        assert (golden["float_logits"] == stored.float_model.logits).all()
        assert (golden["float_attention_weights"] == stored.float_model.attention_weights).all()


def test_the_report_is_rendered_from_what_verify_wrote(stored: Stored) -> None:
    folder = stored.run()
    data = ReportData.load(folder)
    assert data.model["lstms"][0]["parameters"][0]["tensor"] == "input"
    assert {op["name"] for op in data.model["ops"]} >= {"UNIDIRECTIONAL_SEQUENCE_LSTM", "SOFTMAX"}
    assert [phase["name"] for phase in data.training] == ["float"]
    written = sorted(path.name for path in stored.run("report").iterdir())
    assert written == ["junit.xml", "report.html", "report.json", "report.md"]


def test_the_python_code_in_the_report_runs(
    stored: Stored, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored.run()
    page = (stored.run("report") / "report.html").read_text(encoding="utf-8")
    snippets = [
        html.unescape(code) for code in re.findall(r"<pre><code>(from .*?)</code></pre>", page, re.DOTALL)
    ]
    monkeypatch.chdir(stored.root / "convert")
    data = PreparedData.load(stored.root / "data")
    for code in snippets:
        exec(code, {"window": data.raw_test[0], "windows": data.x_test})
    printed = capsys.readouterr().out
    assert len(snippets) == 2
    assert printed.startswith(("left [", "right ["))
    last = re.findall(r"\[\[(.*?)\]\]", printed)[
        -2
    ]  # the logits of the last window, from the bare interpreter
    assert np.array(last.split(), float) == pytest.approx(stored.twin.logits[-1], abs=1e-6)


@pytest.mark.parametrize(
    "spoil", [lambda weights: weights[:, ::-1], np.zeros_like, lambda weights: weights * np.nan]
)
def test_a_wrong_attention_map_fails_the_verdict(stored: Stored, spoil: Callable[[Any], Any]) -> None:
    good = stored.float_model
    Outputs(good.logits, spoil(good.attention_weights), good.context).save(
        stored.root / "train" / "outputs_float.npz"
    )
    checks = stored.checks()
    assert checks["float_model", "attention_total_variation"]["passed"] is False
    assert json.loads((stored.root / "verify" / "parity.json").read_text())["verdict"] == "fail"


def test_a_state_that_is_not_reset_is_caught(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful:
        """An interpreter that keeps its state."""

        def __init__(self, interpreter: Any) -> None:
            self._interpreter = interpreter

        def reset_all_variables(self) -> None:
            pass

        def __getattr__(self, name: str) -> Any:
            return getattr(self._interpreter, name)

    def forgetful(path: Path) -> SequenceClassifier:
        classifier = SequenceClassifier(path)
        monkeypatch.setattr(classifier, "_interpreter", Forgetful(classifier._interpreter))
        return classifier

    monkeypatch.setattr(verify, "_open", forgetful)
    checks = stored.checks()
    assert checks["keras", "logits_max_relative_error"]["passed"] is False
    assert checks["training_forward", "logits_max_steps"]["value"] > 0


def test_a_training_forward_that_is_missing_fails(stored: Stored) -> None:
    (stored.root / "quantize" / "outputs_twin.npz").unlink()
    check = stored.checks()["training_forward", "attention_within_one_step"]
    assert (check["value"], check["passed"]) == (None, False)


def test_a_build_without_quantization_aware_training_says_so(stored: Stored) -> None:
    assert ("training_forward", "attention_within_one_step") in stored.checks(qat=False)
    notes = json.loads((stored.root / "verify" / "parity.json").read_text())["notes"]
    assert any("without quantization-aware training" in note for note in notes)


def test_the_configuration_sets_limits(stored: Stored) -> None:
    check = stored.checks(tolerances={**LENIENT, "max_probability_difference": 0.0})[
        "float_model", "max_probability_difference"
    ]
    assert check["limit"] == 0.0
    assert check["passed"] is False


def test_only_the_tolerances_are_options() -> None:
    config = BuildConfig.model_validate({"tolerances": {"accuracy_drop": 0.02}})
    assert load("verify").options(config)["accuracy_drop"] == 0.02
    assert load("verify").options(config) != load("verify").options(BuildConfig())
    assert load("report").options(config) == load("report").options(BuildConfig())


def test_many_windows_are_sampled(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "stratified_sample", lambda labels: stratified_sample(labels, 12))
    assert stored.checks()["float_model", "decision_agreement"]["n"] == 12
    with np.load(stored.root / "verify" / "golden.npz", allow_pickle=False) as golden:
        assert len(golden["features"]) == len(golden["float_logits"]) == 12
    notes = json.loads((stored.root / "verify" / "parity.json").read_text())["notes"]
    assert any(note.startswith("12 of 30 test windows") for note in notes)


class TestStock:
    """The stock quantizer's file is held against the same float model, and counts for nothing."""

    def parity(self, stored: Stored) -> Any:
        return json.loads((stored.run(compare=True) / "parity.json").read_text())

    def test_it_is_measured_as_ours_is(self, stored: Stored) -> None:
        model = stored.float_model  # its made-up context is not that of the stock file
        Outputs(model.logits, model.attention_weights).save(stored.root / "train" / "outputs_float.npz")
        convert = stored.root / "convert"
        (convert / "model_int8_stock.tflite").write_bytes((convert / "model_int8.tflite").read_bytes())
        parity = self.parity(stored)
        promise = {check["name"]: check for check in parity["checks"] if check["reference"] == "float_model"}
        stock = {check["name"]: check for check in parity["stock"]["checks"]}
        assert stock == promise
        assert parity["files"][-1]["name"] == "model_int8_stock.tflite"
        assert parity["accuracies"][-1]["name"] == "int8_stock"

    def test_whatever_it_does_the_verdict_is_ours(self, stored: Stored) -> None:
        convert = stored.root / "convert"
        (convert / "conversion.json").write_text(json.dumps({"stock": "It was ended by SIGSEGV."}))
        parity = self.parity(stored)
        assert parity["verdict"] == "pass"
        assert parity["stock"] == {
            "file": "model_int8_stock.tflite", "checks": [], "error": "It was ended by SIGSEGV.",
        }  # fmt: skip
        (convert / "model_int8_stock.tflite").write_bytes((convert / "model_int8.tflite").read_bytes()[:900])
        parity = self.parity(stored)
        assert parity["verdict"] == "pass"
        assert "damaged" in parity["stock"]["error"]

    def test_it_is_not_looked_for_unless_asked(self, stored: Stored) -> None:
        assert json.loads((stored.run() / "parity.json").read_text())["stock"] is None


def test_outputs_of_other_windows_are_refused(stored: Stored) -> None:
    stored.float_model.select(np.arange(7)).save(stored.root / "train" / "outputs_float.npz")
    with pytest.raises(VerificationError, match=r"outputs_float\.npz holds \(7, 2, 5\)"):
        stored.run()


def test_a_truncated_model_is_refused(stored: Stored) -> None:
    path = stored.root / "convert" / "model_int8.tflite"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(VerificationError, match=r"model_int8\.tflite cannot be run"):
        stored.run()
