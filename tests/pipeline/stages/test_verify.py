"""The stages `verify` and `report` on real .tflite files, tiny and untrained, made without our converters."""

from __future__ import annotations

import html
import json
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import InputError, VerificationError
from pipeline import scheme_runs
from pipeline.config import BuildConfig
from pipeline.data.prepared import PreparedData
from pipeline.data.preprocessing import Preprocessing
from pipeline.parity.outputs import Outputs
from pipeline.parity.running import run_file
from pipeline.parity.sampling import stratified_sample
from pipeline.progress import Silence
from pipeline.report.data import ReportData
from pipeline.runtime import SequenceClassifier
from pipeline.stages import StageContext, load, verify

TINY = Path(__file__).parents[1] / "tiny_model.py"
METADATA: dict[str, Any] = runpy.run_path(str(TINY))["METADATA"]
WINDOWS, STEPS, FEATURES = 30, 5, 3
# The tiny model is untrained: its two logits are nearly tied everywhere.
EASY = {"decision_agreement": 0.0, "accuracy_drop": 1.0}
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
        self.twins = root / "quantize" / "int8"
        self.twins.mkdir()
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
        self.float_model.save(self.twins / "outputs_forward.npz")
        self.twin.save(self.twins / "outputs_twin.npz")
        history = {"phases": [{"name": "float", "epochs": [{"epoch": 1, "loss": 1.0, "val_accuracy": 0.5}]}]}
        (root / "train" / "history.json").write_text(json.dumps(history))

    def _run(self, name: str, features: Any) -> Outputs:
        path = self.root / "convert" / f"model_{name}.tflite"
        outputs = run_file(SequenceClassifier(path), features, Silence())
        return Outputs(
            outputs.logits, outputs.attention_weights, features.mean(axis=1) + 0.25, outputs.logits_scale
        )

    def run(
        self,
        stage: str = "verify",
        qat: bool = True,
        tolerances: Any = None,
        compare: bool = False,
        schemes: Any = "int8",
        quantize: Any = None,
    ) -> Path:
        """Runs a stage and returns its folder."""
        given = {
            "quantize": {"qat": qat, "scheme": schemes, **(quantize or {})},
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
    monkeypatch.setattr(scheme_runs, "context_of", lambda content, features, lengths: features.mean(axis=1))
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

    monkeypatch.setattr(scheme_runs, "load_model", forgetful)
    checks = stored.checks()
    assert checks["keras", "logits_max_relative_error"]["passed"] is False
    assert checks["training_forward", "logits_max_steps"]["value"] > 0


def test_a_training_forward_that_is_missing_fails(stored: Stored) -> None:
    (stored.twins / "outputs_twin.npz").unlink()
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


def test_a_limit_of_another_task_is_refused(stored: Stored) -> None:
    """Where only limits changed no other stage runs."""
    with pytest.raises(InputError, match=r"r2_drop: got 0\.05; it is not measured of the task classif"):
        stored.run(tolerances={**LENIENT, "r2_drop": 0.05})


def test_with_multi_head_attention_a_note_says_that_contexts_are_not_compared(stored: Stored) -> None:
    given = {"tolerances": LENIENT, "model": {"attention": "multi-head"}}
    config, folder = BuildConfig.model_validate(given), stored.root / "verify"
    replace(stored.float_model, context=None).save(stored.root / "train" / "outputs_float.npz")
    load("verify").run(StageContext(config, folder, stored.root.joinpath, Silence()))
    notes = json.loads((folder / "parity.json").read_text())["notes"]
    told = [note for note in notes if "ontext vector" in note]
    assert len(told) == 1
    assert told[0].startswith("With multi-head attention context vectors are not compared")


def test_the_limits_and_what_is_held_to_them_are_options() -> None:
    config = BuildConfig.model_validate({"tolerances": {"accuracy_drop": 0.02}})
    assert load("verify").options(config)["accuracy_drop"] == 0.02
    assert load("verify").options(config) != load("verify").options(BuildConfig())
    asked = BuildConfig.model_validate({"quantize": {"scheme": ["float32", "int8"]}})
    assert load("verify").options(asked) != load("verify").options(BuildConfig())
    assert load("report").options(config) == load("report").options(BuildConfig())


def test_many_windows_are_sampled(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "stratified_sample", lambda labels: stratified_sample(labels, 12))
    assert stored.checks()["float_model", "decision_agreement"]["n"] == 12
    with np.load(stored.root / "verify" / "golden.npz", allow_pickle=False) as golden:
        assert len(golden["features"]) == len(golden["float_logits"]) == 12
    notes = json.loads((stored.root / "verify" / "parity.json").read_text())["notes"]
    assert any(note.startswith("12 of 30 test windows") for note in notes)


class TestSchemes:
    """Several schemes: each against the same float model, with a verdict of its own."""

    @staticmethod
    def copy(stored: Stored, name: str, source: str) -> None:
        convert = stored.root / "convert"
        (convert / f"model_{name}.tflite").write_bytes((convert / f"model_{source}.tflite").read_bytes())

    def parity(self, stored: Stored, *schemes: str, **options: Any) -> Any:
        return json.loads((stored.run(schemes=list(schemes), **options) / "parity.json").read_text())

    def test_each_has_its_figures_its_checks_and_its_verdict(self, stored: Stored) -> None:
        self.copy(stored, "float16", "float32")
        parity = self.parity(stored, "float16", "int8")
        schemes = {one["name"]: one for one in parity["schemes"]}
        assert list(schemes) == ["float32", "float16", "int8"]
        assert [one["asked"] for one in schemes.values()] == [False, True, True]
        for one in schemes.values():
            assert one["verdict"] == "pass"
            assert one["size_bytes"] == (stored.root / "convert" / one["file"]).stat().st_size
            assert one["latency_ms"] > 0
            assert one["memory_bytes"] > 4 * STEPS * FEATURES
            assert list(one["lstms"].values()) == ["int8 8x8_16" if one["name"] == "int8" else "float32"]
        references = {name: {check["reference"] for check in one["checks"]} for name, one in schemes.items()}
        assert references == {
            "float32": {"float_model", "keras"},
            "float16": {"float_model"},
            "int8": {"float_model", "float_forward", "training_forward"},
        }
        assert schemes["float16"]["attention_total_variation"] < schemes["int8"]["attention_total_variation"]
        # So small a model is not smaller in int8.
        assert schemes["float32"]["size_bytes"] < schemes["int8"]["size_bytes"]
        assert parity["recommendation"]["scheme"] in ("float32", "float16")  # equal files; the faster one
        assert [file["name"] for file in parity["files"]] == [
            "model_float32.tflite", "model_float16.tflite", "model_int8.tflite",
        ]  # fmt: skip

    def test_beside_another_file_int8_keeps_its_own_accuracy(self, stored: Stored) -> None:
        self.copy(stored, "int8_attention16", "int8")
        shutil.copytree(stored.twins, stored.root / "quantize" / "int16")
        quantize = {"attention_precision": ["int16", "int8"]}
        parity = json.loads((stored.run(quantize=quantize, tolerances=EASY) / "parity.json").read_text())
        assert parity["names"]["int8"] == "int8-attention-int16 file"  # of equal files the first
        assert [one["name"] for one in parity["accuracies"]] == [
            "float_model", "float32", "float_forward", "training_forward", "int8", "int8_file",
        ]  # fmt: skip

    @pytest.mark.parametrize("io", ["int8", "float32"])
    def test_int8_outputs_of_a_finer_attention_are_told(self, stored: Stored, io: str) -> None:
        self.copy(stored, "int8_attention16", "int8")
        shutil.copytree(stored.twins, stored.root / "quantize" / "int16")
        quantize = {"attention_precision": "int16"}
        config = BuildConfig.model_validate({"quantize": quantize, "convert": {"io": io}, "tolerances": EASY})
        load("verify").run(StageContext(config, stored.root / "verify", stored.root.joinpath, Silence()))
        notes = json.loads((stored.root / "verify" / "parity.json").read_text())["notes"]
        told = "in steps of 1/256, though they are computed in int16."
        assert any(told in note for note in notes) == (io == "int8")

    def test_the_baseline_is_held_to_no_promise_but_has_to_be_keras(self, stored: Stored) -> None:
        baseline = self.parity(stored, "int8")["schemes"][0]
        limits = {(check["reference"], check["limit"] is None) for check in baseline["checks"]}
        assert ("float_model", True) in limits
        assert ("float_model", False) not in limits
        assert ("keras", False) in limits
        asked = self.parity(stored, "int8", "float32")["schemes"][0]
        assert ("float_model", False) in {(c["reference"], c["limit"] is None) for c in asked["checks"]}

    def test_one_scheme_that_fails_fails_the_build_though_another_is_recommended(
        self, stored: Stored
    ) -> None:
        self.copy(stored, "float16", "int8")  # an impostor: far from an eighth of the int8 limits
        parity = self.parity(stored, "float16", "int8")
        verdicts = {one["name"]: one["verdict"] for one in parity["schemes"]}
        assert verdicts == {"float32": "pass", "float16": "fail", "int8": "pass"}
        assert parity["verdict"] == "fail"
        assert parity["recommendation"]["scheme"] == "float32"
        assert "the smallest" in parity["recommendation"]["reason"]  # float16 is larger

    def test_a_dynamic_file_whose_lstm_stayed_in_float_is_told(self, stored: Stored) -> None:
        self.copy(stored, "dynamic", "float32")
        baseline, dynamic = self.parity(stored, "dynamic")["schemes"]
        assert baseline["lstm_note"] == ""
        assert dynamic["lstm_note"].startswith("1 of 1 LSTMs do not compute in hybrid: ")
        assert dynamic["lstm_note"].endswith(" in float32.")

    @pytest.mark.parametrize("scheme", ["float16", "float32"])
    def test_without_an_int8_scheme_the_report_is_about_the_other(self, stored: Stored, scheme: str) -> None:
        if scheme == "float16":
            self.copy(stored, "float16", "float32")
        shutil.rmtree(stored.root / "quantize" / "int8")
        parity = self.parity(stored, scheme)
        assert parity["verdict"] == "pass"
        assert parity["names"]["int8"] == f"{scheme} file"
        assert {check["reference"] for check in parity["checks"]} == {"float_model", "keras"}
        data = ReportData.load(stored.root / "verify")
        assert list(data.moved) == ["total"]
        assert not data.compares
        page = (stored.run("report") / "report.html").read_text(encoding="utf-8")
        assert f"model_{scheme}.tflite" in page
        assert "model_int8.tflite" not in page


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
