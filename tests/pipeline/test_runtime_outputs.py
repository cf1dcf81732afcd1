"""What the runtime makes of outputs of other shapes and types; files made by hand, in a moment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hand_made import VALUES, hand_made, metadata, padded_at_end, regression_metadata, windows

from models.errors import ConversionError
from pipeline import runtime
from pipeline.predictions import to_json
from pipeline.runtime import (
    ModelFileError,
    MultiLabelClassifier,
    SequenceClassifier,
    SequenceRegressor,
    StepClassifier,
    WindowError,
    load_model,
)

FEATURES, _ = windows(3)


def test_attention_of_several_rows_keeps_its_axes() -> None:
    classifier = SequenceClassifier(hand_made(per_channel=True, described=metadata()))
    prediction = classifier.predict(2 * FEATURES[0] + 1)
    powers = np.exp(FEATURES[0].T)
    assert prediction.attention_weights.shape == (3, 5)
    assert prediction.attention_weights == pytest.approx(powers / powers.sum(axis=1, keepdims=True), abs=1e-6)


@pytest.mark.parametrize("shape", [(1, 5, 3), (3, 5), (1, 1, 3, 1, 5), (1, 0, 5), (5,)])
def test_attention_that_is_no_distribution_over_the_steps_does_not_fit(shape: tuple[int, ...]) -> None:
    assert not runtime._fits(shape, (..., 5))


@pytest.mark.parametrize("shape", [(1, 5), (1, 3, 5), (1, 5, 5), (1, 2, 5, 5)])
def test_attention_of_any_rank_fits(shape: tuple[int, ...]) -> None:
    assert runtime._fits(shape, (..., 5))


@pytest.mark.parametrize(
    ("padding", "task", "query", "rows"),
    [
        ("end", "per-step", "all", slice(2)),
        ("front", "per-step", "all", slice(1, 3)),
        ("end", "classification", "all", slice(2)),
        ("front", "classification", "all", slice(3)),  # the model takes such padding for steps
        ("end", "per-step", "last", slice(3)),  # these rows are heads
        ("end", "per-step", None, slice(3)),
    ],
)
def test_padding_asks_for_nothing(padding: str, task: str, query: str | None, rows: slice) -> None:
    rule = {**metadata()["preprocessing"], "steps": 3, "padding": padding}
    said = {} if query is None else {"query": query}
    model = load_model(
        hand_made(steps=3, per_channel=True, per_step=task == "per-step", lengths=padding == "end",
                  described=metadata(task=task, preprocessing=rule, **said))
    )  # fmt: skip
    window = RAW[:2]
    every = model.run(model.standardize(window), 2 if model.takes_lengths else None)["attention_weights"]
    assert every.shape == (3, 3)
    assert model.predict(window).attention_weights.tolist() == every[rows].tolist()


def test_int16_outputs_are_dequantized() -> None:
    details = {"dtype": np.int16, "quantization": (1 / 32768, 0)}
    values = runtime.dequantize(np.array([0, 8192, 32767], np.int16), details)
    assert values.tolist() == [0, 0.25, 32767 / 32768]


def test_a_type_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interpreter:
        def get_signature_list(self) -> list[str]:
            return ["serving_default"]

        def get_signature_runner(self, _: str) -> Interpreter:
            return self

        def get_input_details(self) -> dict[str, object]:
            return {"features": {"shape": (1, 5, 3), "dtype": np.int16, "quantization": (1.0, 0)}}

        def get_output_details(self) -> dict[str, object]:
            return {}

    monkeypatch.setattr(runtime, "open_interpreter", lambda *_: Interpreter())
    with pytest.raises(ModelFileError, match="'features' is int16; known are float32, int8"):
        SequenceClassifier(hand_made(described=metadata()))


RAW = 2 * FEATURES[0] + 1  # the file standardizes it to FEATURES[0]
SUMS = FEATURES[0].sum(axis=0)


def test_a_file_says_its_task_and_an_old_one_classifies() -> None:
    assert type(load_model(hand_made(described=metadata()))) is SequenceClassifier
    for task, kind in (("classification", SequenceClassifier), ("multi-label", MultiLabelClassifier)):
        assert type(load_model(hand_made(described=metadata(task=task)))) is kind
    with pytest.raises(ModelFileError, match="task is multi-label; SequenceClassifier is for classification"):
        SequenceClassifier(hand_made(described=metadata(task="multi-label")))
    for task in ("ranking", 3, None):
        with pytest.raises(ModelFileError, match="known are classification, multi-label, regr"):
            runtime.checked_metadata({**load_model(hand_made(described=metadata())).metadata, "task": task})


def test_several_labels() -> None:
    model = load_model(hand_made(described=metadata(task="multi-label")))
    assert isinstance(model, MultiLabelClassifier)
    found = model.predict(RAW)
    assert found.logits == pytest.approx(SUMS, abs=1e-5)
    assert found.labels == tuple(np.array(["left", "middle", "right"])[SUMS > 0])
    assert found.probabilities == pytest.approx(1 / (1 + np.exp(-SUMS)), abs=1e-6)
    line = to_json(found, model.metadata["class_names"])
    assert (line["labels"], list(line["probabilities"])) == (list(found.labels), ["left", "middle", "right"])


def test_values_come_in_the_users_units() -> None:
    model = load_model(hand_made(VALUES, described=regression_metadata()))
    assert isinstance(model, SequenceRegressor)
    found = model.predict(RAW)
    assert found.values == pytest.approx(10 * SUMS + [0, 1, 2], abs=1e-4)
    assert (found.names, found.units) == (("u", "v", "w"), ("m", "", "s"))
    line = to_json(found, found.names)
    assert line["units"] == {"u": "m", "v": "", "w": "s"}
    assert line["values"]["w"] == pytest.approx(10 * SUMS[2] + 2, abs=1e-4)


def test_a_class_for_every_step_that_was_measured() -> None:
    model = load_model(hand_made(per_step=True, described=metadata(task="per-step")))
    assert isinstance(model, StepClassifier)
    found = model.predict(RAW[2:])  # padded with two steps in front
    names = np.array(["left", "middle", "right"])
    assert found.labels == tuple(names[FEATURES[0][2:].argmax(axis=1)])
    assert found.class_indices.tolist() == FEATURES[0][2:].argmax(axis=1).tolist()
    assert found.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert (found.logits.shape, found.attention_weights.shape) == ((3, 3), (5,))
    line = to_json(found, list(names))
    assert (len(line["labels"]), len(line["probabilities"]), len(line["attention_weights"])) == (3, 3, 5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target_units": ["m"]}, "target_units needs one text a target"),
        ({"target_units": ...}, "target_units needs one text a target"),
        ({"target_mean": [0.0]}, "preprocessing.target_mean needs one number a target"),
        ({"target_std": [1.0, 0.0, 1.0]}, "preprocessing.target_std has to be positive"),
        ({"target_std": ...}, "preprocessing.target_std has to hold numbers"),
    ],
)
def test_constants_of_targets_are_checked(changes: dict[str, Any], words: str) -> None:
    document = load_model(hand_made(VALUES, described=regression_metadata())).metadata
    ((key, value),) = changes.items()
    place = document if key == "target_units" else document["preprocessing"]
    place[key] = value
    if value is ...:
        del place[key]
    with pytest.raises(ModelFileError, match=words):
        runtime.checked_metadata(document)


def test_an_answer_of_another_shape_is_refused() -> None:
    content = hand_made(per_step=True, described=metadata(task="per-step"))
    with pytest.raises(ModelFileError, match=r"'logits' has shape \[1, 3\]; its metadata says \[1, 5, 3\]"):
        load_model(hand_made(described=metadata(task="per-step")))
    assert load_model(content).metadata["task"] == "per-step"


def test_the_base_class_cannot_predict() -> None:
    with pytest.raises(NotImplementedError, match="load_model"):
        runtime.SequenceModel.predict(load_model(hand_made(described=metadata())), RAW)
    with pytest.raises(TypeError, match="int is no prediction"):
        to_json(3, ())


class TestLengths:
    """The file adds the length that it is told to its logits."""

    def test_a_shorter_window_is_padded_at_the_end_and_its_length_told(self) -> None:
        model = load_model(hand_made(lengths=True, described=padded_at_end()))
        assert model.takes_lengths
        assert model.standardize(RAW[:2])[2:].tolist() == [[0.0] * 3] * 3
        assert model.standardize(RAW[:2])[:2] == pytest.approx(FEATURES[0][:2])
        found = model.predict(RAW[:2])
        assert found.logits == pytest.approx(FEATURES[0][:2].sum(axis=0) + 2, abs=1e-5)
        assert model.predict(RAW).logits == pytest.approx(SUMS + 5, abs=1e-5)
        assert model.run(FEATURES[0])["logits"] == pytest.approx(SUMS + 5, abs=1e-5)
        for length in (0, 6):
            with pytest.raises(WindowError, match=f"length of a window is {length}; allowed is 1 to 5"):
                model.run(FEATURES[0], length)

    def test_steps_behind_the_window_have_no_label(self) -> None:
        model = load_model(hand_made(per_step=True, lengths=True, described=padded_at_end(task="per-step")))
        assert model.predict(RAW[:2]).logits == pytest.approx(FEATURES[0][:2] + 2, abs=1e-5)

    def test_a_model_without_the_input_is_told_nothing(self) -> None:
        model = load_model(hand_made(described=metadata()))
        assert not model.takes_lengths
        assert model.run(FEATURES[0], 5)["logits"] == pytest.approx(SUMS, abs=1e-5)
        with pytest.raises(WindowError, match="takes no lengths"):
            model.run(FEATURES[0], 3)

    @pytest.mark.parametrize(
        ("lengths", "document", "words"),
        [(False, padded_at_end(), "has no input 'lengths', and its padding is 'end'"),
         (True, metadata(), "has an input 'lengths', and its padding is 'front'")],
    )  # fmt: skip
    def test_padding_at_the_end_and_the_input_need_each_other(
        self, lengths: bool, document: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(ConversionError, match=words):
            hand_made(lengths=lengths, described=document)

    @pytest.mark.parametrize(
        ("lengths", "padding", "words"),
        [(False, "end", "pads at the end, but has no input"), (True, "none", "takes lengths, but its pad")],
    )
    def test_the_runtime_sees_to_it_too(
        self, monkeypatch: pytest.MonkeyPatch, lengths: bool, padding: str, words: str
    ) -> None:
        content = hand_made(lengths=lengths, described=padded_at_end() if lengths else metadata())
        document = runtime._read_metadata(content)
        document["preprocessing"]["padding"] = padding
        monkeypatch.setattr(runtime, "_read_metadata", lambda _: document)
        with pytest.raises(ModelFileError, match=words):
            SequenceClassifier(content)
