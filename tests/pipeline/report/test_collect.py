"""What is picked for the report, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.parity.outputs import Outputs
from pipeline.report import collect


def windows() -> collect.Windows:
    """Four windows of two steps: 0 equal, 1 moved by 0.25, 2 by 0.5, 3 decides differently."""
    logits = np.array([[1.0, 0.0]] * 4)
    other = logits.copy()
    other[3] = [0.0, 1.0]
    weights = np.full((4, 2), 0.5)
    moved = weights + np.array([[0, 0], [0.25, -0.25], [0.5, -0.5], [0, 0]])
    return collect.Windows(
        np.ones((4, 2, 1)),
        np.array([0, 0, 1, 0]),
        Outputs(logits, weights),
        Outputs(other, moved, attention_step=1 / 256),
        ("a", "b"),
    )


def test_changed_decisions_come_first_then_total_variation() -> None:
    assert collect.by_difference(windows()).tolist() == [3, 2, 1, 0]


def test_windows_that_are_not_finite_differ_most() -> None:
    one = windows()
    one.int8.attention_weights[0] = np.nan
    assert collect.by_difference(one).tolist()[:2] == [3, 0]


def test_figures_name_classes() -> None:
    one = collect.figures(windows(), 3)
    assert (one["label"], one["float_class"], one["int8_class"]) == ("a", "a", "b")
    assert one["int8_probability"] == one["float_probability"]
    assert collect.figures(windows(), 2)["total_variation"] == 0.5
    assert collect.figures(windows(), 2)["attention_max_error"] == 0.5


def test_recalls() -> None:
    assert collect.recalls(windows()) == [
        {"name": "a", "n": 3, "float_model": 1.0, "int8": 2 / 3},
        {"name": "b", "n": 1, "float_model": 0.0, "int8": 0.0},
    ]


def test_a_class_without_windows_has_no_recall() -> None:
    one = windows()
    assert collect.recalls(
        collect.Windows(one.features, one.labels * 0, one.float_model, one.int8, ("a", "b"))
    )[1] == {"name": "b", "n": 0, "float_model": None, "int8": None}


def test_histograms_count_everything() -> None:
    attention, probability, per_window = collect.histograms(windows().float_model, windows().int8)
    assert sum(attention["counts"]) == 8
    assert (attention["edges"][0], attention["edges"][-1]) == (-128.0, 128.0)  # 0.5 in steps of 1/256
    assert sum(probability["counts"]) == 8
    assert sum(per_window["counts"]) == 4
    assert (per_window["edges"][0], per_window["edges"][-1]) == (0.0, 0.5)


def test_histograms_of_no_difference() -> None:
    one = windows().float_model
    assert [sum(histogram["counts"]) for histogram in collect.histograms(one, one)] == [8, 8, 4]


def test_examples_are_the_most_different_and_some_by_chance() -> None:
    rng = np.random.default_rng(0)
    count = 40
    labels = np.arange(count) % 4
    logits = np.eye(4)[labels]
    weights = rng.dirichlet(np.ones(5), count)
    moved = weights.copy()
    moved[7] = moved[7][::-1]
    about = collect.Windows(
        rng.normal(size=(count, 5, 2)), labels, Outputs(logits, weights), Outputs(logits, moved), "abcd"
    )
    described, arrays = collect.examples(about)
    assert described[0]["index"] == 7
    assert [one["why"] for one in described] == ["most different"] * 4 + ["drawn by chance"] * 4
    assert sorted(one["label"] for one in described[4:]) == ["a", "b", "c", "d"]
    assert len({one["index"] for one in described}) == 8
    assert (arrays["example_int8"][0] == moved[7]).all()
    assert (np.diff(arrays["map_labels"]) >= 0).all()
    assert len(arrays["map_float"]) == count


def test_without_labels_windows_go_by_the_decision_of_the_reference() -> None:
    one = windows()
    unknown = collect.Windows(one.features, None, one.int8, one.float_model, ("a", "b"))
    assert (collect.recalls(unknown), collect.confusions(unknown)) == ([], {})
    assert unknown.groups.tolist() == [0, 0, 0, 1]
    described, arrays = collect.examples(unknown)
    assert {each["label"] for each in described} == {None}
    assert arrays["map_labels"].tolist() == [0, 0, 0, 1]


def test_without_attention_probabilities_say_what_differs() -> None:
    one = windows()
    logits = one.float_model.logits + np.array([[0, 0], [0.5, 0], [0.1, 0], [-2, 0]])
    before, after = (Outputs(each, np.zeros((4, 0))) for each in (one.float_model.logits, logits))
    about = collect.Windows(one.features, one.labels, before, after, ("a", "b"))
    assert collect.by_difference(about).tolist() == [3, 1, 2, 0]
    assert collect.figures(about, 1)["total_variation"] is None
    (histogram,) = collect.histograms(before, after, ("A", "B"))
    assert histogram["title"] == "Class probabilities, B minus A"


def test_few_windows_are_drawn_once() -> None:
    described, _ = collect.examples(windows())
    assert sorted(one["index"] for one in described) == [0, 1, 2, 3]


def test_padding_is_what_is_exactly_zero_in_front() -> None:
    features = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.1], [0.0, 0.0]])
    assert collect.padded_steps(features) == 2
    assert collect.padded_steps(np.ones((3, 1))) == 0


def of_rank(*shape: int) -> collect.Windows:
    """Six windows of five steps with heads or queries; the first row of the third moved by 0.5 in all."""
    weights = np.full((6, *shape, 5), 0.2)
    moved = weights.copy()
    moved[(2, *(0 for _ in shape))] = [0.7, 0.2, 0.1, 0.0, 0.0]
    return collect.Windows(
        np.ones((6, 5, 1)), np.zeros(6, int), Outputs(np.ones((6, 2)), weights),
        Outputs(np.ones((6, 2)), moved, attention_step=1 / 32768), ("a", "b"),
    )  # fmt: skip


def test_of_several_rows_the_overview_has_the_mean_and_an_example_all() -> None:
    about = of_rank(2, 5)
    assert collect.by_difference(about)[0] == 2
    assert collect.figures(about, 2)["total_variation"] == pytest.approx(0.05)  # 0.5 in one row of ten
    _, arrays = collect.examples(about)
    assert arrays["example_int8"].shape == (6, 2, 5, 5)
    assert arrays["map_int8"].shape == (6, 5)
    assert arrays["map_int8"][2] == pytest.approx([0.25, 0.2, 0.19, 0.18, 0.18])
    histogram = collect.histograms(about.float_model, about.int8)[0]
    assert (histogram["unit"], sum(histogram["counts"])) == ("steps of 1/32768", 300)


def test_float_attention_has_no_steps_to_count() -> None:
    one = of_rank(2).float_model
    assert collect.histograms(one, one)[0]["unit"] == "weight"
