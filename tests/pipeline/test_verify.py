"""Two files held against each other, from Python: verdict, notes, and what cannot be compared."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hand_made import VALUES, hand_made, metadata, padded_at_end, regression_metadata, windows
from source_tree import ROOT

from converters import schema
from models.errors import InputError
from pipeline import verify as core
from pipeline.data.given import GivenWindows, read_given
from pipeline.parity.golden import write_golden
from pipeline.parity.outputs import Outputs
from pipeline.parity.sampling import stratified_sample
from pipeline.parity.tasks import task_named
from pipeline.parity.verdict import Check
from pipeline.report import ReportData, render_all
from pipeline.verify import verify

PROMISE = task_named("classification").promise
FEATURES, LABELS = windows()
RAW = 2 * FEATURES + 1  # what files of ours standardize to FEATURES


class Pair:
    """Writes A and B and compares them."""

    def __init__(self, folder: Path) -> None:
        self.a, self.b = folder / "a.tflite", folder / "b.tflite"

    def write(self, a: dict[str, Any] | None = None, b: dict[str, Any] | None = None) -> Pair:
        for path, options in ((self.a, a), (self.b, b)):
            path.write_bytes(hand_made(**(options or {})))
        return self

    def verify(self, given: Any = FEATURES, labels: Any = LABELS, **options: Any) -> ReportData:
        return verify(self.a, self.b, given, labels, **options)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def by_name(report: ReportData) -> dict[str, Check]:
    return {check.name: check for check in report.checks}


def test_a_file_equals_itself(pair: Pair) -> None:
    result = pair.write().verify()
    assert result.verdict == "pass"
    assert [check.name for check in result.checks] == list(PROMISE)
    assert {check.reference for check in result.checks} == {"float_model"}
    checks = by_name(result)
    assert checks["decision_agreement"].value == 1
    assert checks["attention_max_error"].value == 0
    assert checks["accuracy_drop"].value == 0
    assert checks["attention_total_variation"].limit == 0.01  # both are float
    assert [one.name for one in result.accuracies] == ["float_model", "int8"]


def test_another_attention_map_fails(pair: Pair) -> None:
    result = pair.write(b={"beta": 3.0}).verify()
    assert result.verdict == "fail"
    failed = {check.name for check in result.checks if check.passed is False}
    assert failed == {"attention_max_error", "attention_total_variation"}
    assert pair.write(b={"beta": 1.01}).verify().verdict == "pass"


def test_attention_of_several_rows_is_compared_and_drawn(pair: Pair, tmp_path: Path) -> None:
    rows = {"per_channel": True}
    result = pair.write(rows, rows).verify()
    assert result.verdict == "pass"
    assert by_name(result)["context_max_error"].value == 0
    assert result.arrays["example_float"].shape == (8, 3, 5)
    render_all(result, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "A row is the mean over the window's heads." in page
    assert "Rows of attention that agree on that step only by such a tie." in page
    assert "Windows that agree on that step" not in page
    assert pair.write(rows, {**rows, "beta": 3.0}).verify().verdict == "fail"


@pytest.mark.parametrize(("query", "axis"), [("last", "heads"), ("all", "queries")])
def test_as_many_heads_as_steps_are_what_the_file_says(pair: Pair, query: str, axis: str) -> None:
    rule = {**metadata()["preprocessing"], "steps": 3}
    options = {"per_channel": True, "steps": 3, "described": metadata(query=query, preprocessing=rule)}
    result = pair.write(options, options).verify(RAW[:, :3])
    assert (result.verdict, result.averaged) == ("pass", axis)


SUMS = FEATURES.sum(axis=1)
TASKS: dict[str, tuple[dict[str, Any], Any]] = {
    "multi-label": ({"described": metadata(task="multi-label")}, (SUMS > 1).astype(int)),
    "regression": ({"outputs": VALUES, "described": regression_metadata()}, 10 * SUMS + [0, 1, 2]),
    "per-step": ({"per_step": True, "described": metadata(task="per-step")}, FEATURES.argmax(axis=2)),
}


@pytest.mark.parametrize("task", TASKS)
def test_files_of_every_task_are_compared_and_reported(pair: Pair, tmp_path: Path, task: str) -> None:
    options, labels = TASKS[task]
    result = pair.write(options, options).verify(RAW, labels)
    assert (result.verdict, result.task) == ("pass", task)
    assert tuple(check.name for check in result.checks) == task_named(task).promise
    assert bool(result.accuracies) == (task != "regression")
    render_all(result, tmp_path)
    page, text = ((tmp_path / name).read_text() for name in ("report.html", "report.md"))
    assert ('id="classes"' in page) == (task != "regression")
    assert ("<h3>Scores</h3>" in page) == (task != "per-step")
    assert ("macro F1" in text) == (task == "multi-label")
    assert ("on 200 steps of 40 test windows" in page) == (task == "per-step")
    assert "int8" not in "".join(result.glossary[name] for name in task_named(task).promise)
    if task == "regression":
        values = result.scores[0]["values"]
        assert values["R2"] == pytest.approx(1)
        assert values["RMSE of u [m]"] == pytest.approx(0, abs=1e-5)
        assert result.examples[0]["label"] == result.examples[0]["int8_class"]
    unknown = pair.verify(RAW, None)
    assert unknown.verdict == "pass"
    render_all(unknown, tmp_path)
    moved = pair.write(options, {**options, "beta": 3.0}).verify(RAW, labels)
    assert {check.name for check in moved.checks if check.passed is False} == {
        "attention_max_error", "attention_total_variation",
    }  # fmt: skip


def test_a_sigmoid_at_the_end_gives_probabilities(pair: Pair) -> None:
    """Taken as logits every one of them would be above 0: every label given."""
    data = GivenWindows("data", features=FEATURES, labels=(SUMS > 0).astype(int), task="multi-label")
    sigmoid = {"probabilities": "LOGISTIC"}
    for options in (sigmoid, {}):
        pair.write(options, sigmoid)
        result = core.verify_files(pair.a, pair.b, data, {})
        assert [one.correct for one in result.accuracies] == [40, 40]
        assert by_name(result)["max_probability_difference"].value == pytest.approx(0, abs=1e-6)
        assert "B ends with a sigmoid: its 'logits' were compared as probabilities." in result.notes


def test_a_sigmoid_of_a_regression_gives_values(pair: Pair) -> None:
    data = GivenWindows("data", features=FEATURES, labels=1 / (1 + np.exp(-SUMS)), task="regression")
    pair.write({"probabilities": "LOGISTIC"}, {"probabilities": "LOGISTIC"})
    result = core.verify_files(pair.a, pair.b, data, {})
    assert result.scores[0]["values"]["R2"] == pytest.approx(1)
    assert not any("sigmoid" in note for note in result.notes)


def test_the_tasks_of_files_and_data_have_to_be_the_same(pair: Pair) -> None:
    pair.write(TASKS["multi-label"][0])
    other = GivenWindows("data", tuple(RAW), labels=LABELS, task="classification")
    with pytest.raises(InputError, match="tasks: file A is for multi-label, 'data' is for classif"):
        core.verify_files(pair.a, pair.b, other, {})
    with pytest.raises(InputError, match=r"labels has shape \(40,\); there are 3 labels"):
        pair.verify(RAW, LABELS)


def test_files_of_others_are_compared_by_steps_and_values_too(pair: Pair) -> None:
    steps = pair.write({"per_step": True}, {"per_step": True}).verify(labels=FEATURES.argmax(axis=2))
    assert (steps.task, steps.verdict) == ("per-step", "pass")
    pair.write({"outputs": VALUES}, {"outputs": VALUES})
    given = GivenWindows("data", features=FEATURES, labels=100 * SUMS, task="regression")
    values = core.verify_files(pair.a, pair.b, replace(given, labels=None), {})
    assert (values.task, values.verdict) == ("regression", "pass")
    assert any("deviations are those of the values of A" in note for note in values.notes)
    known = core.verify_files(pair.a, pair.b, given, {})
    assert any("deviations are those of the labels" in note for note in known.notes)
    assert by_name(known)["value_max_error"].value == 0


@pytest.mark.parametrize("per_step", [False, True])
def test_recordings_of_different_length_go_by_their_own(pair: Pair, tmp_path: Path, per_step: bool) -> None:
    task = {"task": "per-step"} if per_step else {}
    options = {"lengths": True, "per_step": per_step, "described": padded_at_end(**task)}
    recordings = [RAW[index][: 2 + index % 4] for index in range(40)]
    result = pair.write(options, options).verify(recordings, labels=None)
    assert result.verdict == "pass"
    described = [one.get("padded_at_end", 0) for one in result.examples]
    assert described == [3 - one["index"] % 4 for one in result.examples]
    render_all(result, tmp_path)
    bare = {"lengths": True, "per_step": per_step}
    foreign = pair.write(bare, bare).verify(recordings, labels=None)
    assert foreign.verdict == "pass"


def test_labels_of_steps_move_with_their_padding(pair: Pair, tmp_path: Path) -> None:
    options = {"lengths": True, "per_step": True, "described": padded_at_end(task="per-step")}
    lengths = 1 + np.arange(40) % 5
    real = np.arange(5) < lengths[:, np.newaxis]
    labels = FEATURES.argmax(axis=2)
    arrays = {"x_train": RAW, "y_train": labels, "x_test": RAW, "y_test": np.where(real, labels, 2 - labels)}
    names = {"class_names": np.array(metadata()["class_names"]), "channel_names": np.array(["x", "y", "z"])}
    np.savez(tmp_path / "d.npz", **arrays, **names, lengths_train=np.full(40, 5), lengths_test=lengths)
    pair.write(options, options)
    result = core.verify_files(pair.a, pair.b, read_given(str(tmp_path / "d.npz")), {})
    accuracy = result.accuracy("int8")
    assert accuracy is not None
    assert (accuracy.correct, accuracy.n) == (real.sum(), real.sum())


def test_a_test_part_alone_goes_by_its_lengths(pair: Pair, tmp_path: Path) -> None:
    options = {"lengths": True, "described": padded_at_end()}
    pair.write(options, options)
    lengths = 2 + np.arange(40) % 4
    padded = np.where(np.arange(5)[:, np.newaxis] < lengths[:, np.newaxis, np.newaxis], RAW, np.nan)
    np.savez(tmp_path / "d.npz", x_test=padded, y_test=LABELS, lengths_test=lengths)
    own = [window[:length] for window, length in zip(RAW, lengths, strict=True)]
    from_file = verify(pair.a, pair.b, tmp_path / "d.npz")
    assert from_file.verdict == "pass"
    for name, values in pair.verify(own, LABELS).arrays.items():
        np.testing.assert_array_equal(from_file.arrays[name], values, err_msg=name)


def test_a_golden_file_keeps_its_lengths(pair: Pair, tmp_path: Path) -> None:
    options = {"lengths": True, "described": padded_at_end()}
    pair.write(options, options)
    real = np.arange(5) < (1 + np.arange(40) % 5)[:, np.newaxis]
    answers = Outputs(SUMS, np.ones((40, 5)) / 5, real=real)
    write_golden(tmp_path / "golden.npz", RAW, FEATURES, LABELS, answers)
    given = read_given(str(tmp_path / "golden.npz"))
    assert [len(one) for one in given.recordings] == real.sum(axis=1).tolist()
    assert (given.real_steps(5) == real).all()
    assert core.verify_files(pair.a, pair.b, given, {}).verdict == "pass"


def test_a_golden_file_says_its_task(pair: Pair, tmp_path: Path) -> None:
    options, labels = TASKS["regression"]
    pair.write(options, options)
    answers = Outputs(SUMS, np.ones((40, 5)) / 5)
    write_golden(tmp_path / "golden.npz", RAW, FEATURES, labels, answers, "regression")
    result = core.verify_files(pair.a, pair.b, read_given(str(tmp_path / "golden.npz")), {})
    assert result.scores[0]["values"]["R2"] == pytest.approx(1)


def test_tolerances_are_those_of_a_configuration(pair: Pair) -> None:
    loose = {"attention_max_error": 1.0, "attention_total_variation": 1.0, "accuracy_drop": None}
    result = pair.write(b={"beta": 3.0}).verify(tolerances=loose)
    assert result.verdict == "pass"
    assert by_name(result)["accuracy_drop"].limit == 1 / 40
    with pytest.raises(InputError, match="Unknown tolerance 'attention'"):
        pair.verify(tolerances={"attention": 0.1})


def test_names_are_called_what_the_task_calls_them(pair: Pair) -> None:
    a, b = regression_metadata(), {**regression_metadata(), "class_names": ["v", "u", "w"]}
    pair.write({"outputs": VALUES, "described": a}, {"outputs": VALUES, "described": b})
    with pytest.raises(InputError, match="same target names in another order"):
        pair.verify(labels=None)


def test_a_limit_of_another_task_is_refused(pair: Pair) -> None:
    with pytest.raises(InputError, match=r"r2_drop: got 0\.05; it is not measured of the task classif"):
        pair.write().verify(tolerances={"r2_drop": 0.05})


def test_without_labels_accuracy_is_skipped_unless_a_limit_asks(pair: Pair) -> None:
    result = pair.write().verify(labels=None)
    assert result.verdict == "pass"
    assert (result.accuracies, result.recalls, result.confusions) == ((), [], {})
    check = by_name(result)["accuracy_drop"]
    assert (check.value, check.limit, check.passed) == (None, None, None)
    assert "There are no labels: accuracy was not measured." in result.notes
    asked = pair.verify(labels=None, tolerances={"accuracy_drop": 0.5})
    assert asked.verdict == "fail"


def test_attention_is_skipped_only_where_neither_has_it(pair: Pair) -> None:
    alone = {"outputs": ("logits",)}
    result = pair.write(alone, alone).verify()
    assert result.verdict == "pass"
    values = {name: check.value for name, check in by_name(result).items() if name.startswith("attention")}
    assert set(values.values()) == {None}
    assert any(note.startswith("Neither file has an output of attention") for note in result.notes)
    assert pair.verify(tolerances={"attention_max_error": 0.5}).verdict == "fail"
    for a, b in ((None, alone), (alone, None)):
        with pytest.raises(InputError, match="signatures differ"):
            pair.write(a, b).verify()


def test_files_of_ours_take_raw_windows_and_others_what_ours_make_of_them(pair: Pair) -> None:
    ours = {"described": metadata()}
    both = pair.write(ours, ours).verify(RAW)
    assert both.verdict == "pass"
    assert both.dataset["class_names"] == ["left", "middle", "right"]
    assert not any("constants" in note for note in both.notes)
    one = pair.write(ours).verify(RAW)
    assert by_name(one)["decision_agreement"].value == 1
    assert by_name(one)["attention_max_error"].value == 0
    assert "B carries no standardization constants: those of A were taken." in one.notes
    other = pair.write(None, ours).verify(RAW)
    assert "A carries no standardization constants: those of B were taken." in other.notes
    none = pair.write().verify()
    assert any("Neither file carries standardization constants" in note for note in none.notes)


def test_a_file_that_is_not_as_it_was_built_is_compared_and_told(pair: Pair) -> None:
    pair.write({"described": metadata()}, {"described": metadata()})
    assert not any("checksum" in note for note in pair.verify(RAW).notes)
    pair.b.write_bytes(pair.b.read_bytes().replace(b"hand made", b"hand mode"))
    told = [note for note in pair.verify(RAW).notes if "checksum" in note]
    assert len(told) == 1
    assert told[0].startswith("B, compared as it is: The model file is damaged, or was changed")


def test_keys_that_were_not_read_are_told(pair: Pair) -> None:
    pair.write()
    given = GivenWindows("mine", tuple(FEATURES), labels=LABELS, unread=("subject", "session"))
    report = core.verify_files(pair.a, pair.b, given, {})
    assert "Not read in 'mine': subject, session." in report.notes


def test_a_source_is_what_the_command_takes(pair: Pair, tmp_path: Path) -> None:
    pair.write({"described": metadata()}, {"described": metadata()})
    path = tmp_path / "recordings.npz"
    np.savez(path, x_test=RAW, y_test=LABELS)
    arrays = pair.verify(RAW, LABELS)
    for source in (path, str(path)):
        result = pair.verify(source, None)
        assert (result.checks, result.accuracies) == (arrays.checks, arrays.accuracies)
        assert result.dataset["name"] == "recordings"
    with pytest.raises(InputError, match="Unknown data set 'basic-motion'") as caught:
        pair.verify("basic-motion", None)
    assert caught.value.tip == "Did you mean 'basic-motions'?"


@pytest.mark.parametrize("described", [{"labels": LABELS}, {"labels": None, "standardized": True}])
def test_a_source_says_itself_what_its_windows_are(
    pair: Pair, tmp_path: Path, described: dict[str, Any]
) -> None:
    np.savez(tmp_path / "recordings.npz", x_test=RAW)
    with pytest.raises(InputError, match=r"describe arrays; .*recordings\.npz' brings its own labels"):
        pair.write().verify(tmp_path / "recordings.npz", **described)


def test_standardized_windows_are_taken_as_they_are(pair: Pair) -> None:
    ours = {"described": metadata()}
    result = pair.write(ours, ours).verify(standardized=True)
    assert (result.arrays["example_signal"] == FEATURES[[one["index"] for one in result.examples]]).all()


def test_the_features_of_a_golden_file_are_for_files_without_constants(pair: Pair) -> None:
    pair.write({"described": metadata()})
    golden = GivenWindows("golden", tuple(RAW), FEATURES, LABELS)
    result = core.verify_files(pair.a, pair.b, golden, {})
    assert by_name(result)["attention_max_error"].value == pytest.approx(0, abs=1e-6)
    note = "B carries no standardization constants: the standardized features of the data were taken."
    assert note in result.notes


def test_files_that_standardize_differently_each_take_raw_windows(pair: Pair) -> None:
    rule = {**metadata()["preprocessing"], "std": [4.0] * 3}
    pair.write({"described": metadata()}, {"described": metadata(preprocessing=rule)})
    result = pair.verify(RAW)
    assert any(note.startswith("The files standardize differently") for note in result.notes)
    assert by_name(result)["attention_max_error"].value != 0


def test_contexts_of_other_sizes_are_not_compared(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_contexts(*given: Any) -> Any:
        ran, latency_ms = run_files(*given)
        contexts = {"A": np.zeros((40, 8)), "B": np.zeros((40, 4))}
        return {name: replace(one, context=contexts[name]) for name, one in ran.items()}, latency_ms

    run_files = core.run_files
    monkeypatch.setattr(core, "run_files", with_contexts)
    result = pair.write().verify()
    assert result.verdict == "pass"
    assert by_name(result)["context_max_error"].value is None
    assert "No context vector that can be compared was found in A and B." in result.notes


def test_a_softmax_at_the_end_changes_nothing(pair: Pair) -> None:
    result = pair.write(b={"probabilities": "SOFTMAX"}).verify()
    assert by_name(result)["max_probability_difference"].value == pytest.approx(0, abs=1e-6)
    assert "B ends with a softmax: its 'logits' were compared as probabilities." in result.notes


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ({"class_names": ["left", "right", "middle"]}, {}, "same class names in another order"),
        ({}, {"channel_names": ["x", "z", "y"]}, "same channel names in another order"),
    ],
)
def test_the_same_names_in_another_order_are_refused(
    pair: Pair, a: dict[str, Any], b: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        pair.write({"described": metadata(**a)}, {"described": metadata(**b)}).verify(RAW)


def test_data_with_another_number_of_classes_are_refused(pair: Pair) -> None:
    pair.write()
    with pytest.raises(InputError, match=r"label 3 at window 0; allowed are whole numbers from 0 to 2"):
        pair.verify(labels=[3] * 40)
    four = GivenWindows("data", tuple(RAW), labels=LABELS, class_names=("a", "b", "c", "d"))
    with pytest.raises(InputError, match="'data' has 4 class names; the files take 3"):
        core.verify_files(pair.a, pair.b, four, {})


def test_labels_may_be_texts(pair: Pair) -> None:
    names = np.array(metadata()["class_names"])
    pair.write({"described": metadata()})
    assert pair.verify(RAW, names[LABELS]).accuracies == pair.verify(RAW, LABELS).accuracies
    with pytest.raises(InputError, match="label 'up'"):
        pair.verify(RAW, np.array(["up"] * 40))


def test_many_windows_are_sampled(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "stratified_sample", lambda labels: stratified_sample(labels, 12))
    for labels in (LABELS, None):
        result = pair.write().verify(labels=labels)
        assert result.dataset["windows"] == by_name(result)["decision_agreement"].n == 12
        assert any(note.startswith("12 of 40 test windows were used") for note in result.notes)


@pytest.mark.parametrize(
    ("outputs", "labels"), [(("logits",), None), (("logits", "attention_weights"), LABELS)]
)
def test_the_report_is_written_whole_for_what_was_measured(
    pair: Pair, tmp_path: Path, outputs: tuple[str, ...], labels: Any
) -> None:
    result = pair.write({"outputs": outputs}, {"outputs": outputs}).verify(labels=labels)
    render_all(result, tmp_path)
    document = json.loads((tmp_path / "report.json").read_text())
    assert document["schema"] == "fuselage-report/1"
    assert [check["name"] for check in document["checks"]] == list(PROMISE)
    assert [one["name"] for one in document["files"]] == ["a.tflite", "b.tflite"]
    page = (tmp_path / "report.html").read_text()
    for section in ("attention", "classes"):
        assert (f'id="{section}"' in page) == (labels is not None)
    assert 'id="training"' not in page
    assert "model_int8.tflite" not in page
    assert page.count("<svg") == (15 - 1 if labels is not None else 8 + 1)
    text = (tmp_path / "report.md").read_text()
    assert "The promise: B (b.tflite) against A (a.tflite)" in text
    assert ("95 % interval" in text) == (labels is not None)
    skipped = (tmp_path / "junit.xml").read_text().count("no limit, and not measured")
    assert skipped == (2 if labels is not None else 9)  # the context; attention and accuracy too


def test_the_example_of_the_documentation_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model_float32.tflite").write_bytes(hand_made(described=metadata()))
    (tmp_path / "model_int8.tflite").write_bytes(hand_made(described=metadata()))
    monkeypatch.chdir(tmp_path)
    document = (ROOT / "docs" / "parity.md").read_text()
    (example,) = re.findall(r"```python\n(from pipeline\.verify.*?)```", document, re.DOTALL)
    np.savez(tmp_path / "recordings.npz", x_test=RAW, y_test=LABELS)
    exec(example, {})
    assert capsys.readouterr().out == "pass All 5 checks passed on 40 test windows.\n"


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A float and an int8 file with a fused LSTM, by the stock converter."""
    folder = tmp_path_factory.mktemp("converted")
    script = Path(__file__).with_name("tiny_model.py")
    subprocess.run([sys.executable, str(script), str(folder)], check=True, capture_output=True)
    return folder


@pytest.mark.slow
def test_a_stock_pair_and_its_foreign_twins_say_the_same(converted: Path, tmp_path: Path) -> None:
    tiny = runpy.run_path(str(Path(__file__).with_name("tiny_model.py")))
    random = np.random.default_rng(1)
    features = random.normal(size=(30, tiny["STEPS"], tiny["FEATURES"])).astype(np.float32)
    paths = {}
    for name in ("float32", "int8", "int8_io"):
        model = schema.read_model(converted / f"{name}.tflite")
        model.metadata = []
        paths[name] = tmp_path / f"{name}.tflite"
        paths[name].write_bytes(schema.write_model(model))
    foreign = verify(paths["float32"], paths["int8"], features)
    ours = verify(converted / "float32.tflite", converted / "int8.tflite", features, standardized=True)
    assert foreign.checks == ours.checks
    assert 0 < (by_name(foreign)["attention_max_error"].value or 0) < 0.05
    by_type = verify(paths["int8"], paths["int8_io"], features)
    assert by_name(by_type)["attention_max_error"].value == 0


@pytest.mark.slow
def test_a_file_that_crashes_the_interpreter_is_an_error(converted: Path, tmp_path: Path) -> None:
    """The int8 LSTM kernel reads its input gate's bias without looking whether there is one."""
    model = schema.read_model(converted / "int8.tflite")
    (lstm,) = schema.operators(model, model.subgraphs[0], "UNIDIRECTIONAL_SEQUENCE_LSTM")
    lstm.inputs = [-1 if place == 12 else index for place, index in enumerate(lstm.inputs)]
    (tmp_path / "crash.tflite").write_bytes(schema.write_model(model))
    with pytest.raises(InputError, match=r"crashed on '.*crash\.tflite': its process was ended by SIGSEGV"):
        verify(converted / "int8.tflite", tmp_path / "crash.tflite", np.zeros((2, 5, 3), np.float32))
