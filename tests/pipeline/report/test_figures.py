"""The drawings: text stays text, colours follow the page, odd numbers are drawn too."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from pipeline.report import figures

SIGNAL, WEIGHTS = np.zeros((5, 2)), np.full(5, 0.2)


def test_largest_is_finite_and_never_nothing() -> None:
    assert figures.largest(np.array([0.5, -2.0, np.nan, np.inf])) == 2.0
    assert figures.largest(np.zeros(3)) > 0
    assert figures.largest(np.full(3, np.nan)) > 0


def test_a_window_takes_its_ink_from_the_page() -> None:
    svg = figures.window(SIGNAL, WEIGHTS, WEIGHTS, padded=2, rate_hz=None)
    assert figures.INK not in svg
    assert "currentColor" in svg
    assert "time step" in svg
    assert ">diff.<" in svg


def test_a_window_without_attention_is_its_signal() -> None:
    svg = figures.window(SIGNAL, WEIGHTS[:0], WEIGHTS[:0], padded=0, rate_hz=None)
    assert ">diff.<" not in svg
    assert "time step" in svg


def test_a_drawing_is_scalable_well_formed_and_silent() -> None:
    svg = figures.window(SIGNAL, WEIGHTS, WEIGHTS, padded=0, rate_hz=10.0)
    root = ElementTree.fromstring(svg.replace("<svg", '<svg xmlns:xlink="http://www.w3.org/1999/xlink"', 1)
                                  if "xmlns:xlink" not in svg else svg)  # fmt: skip
    assert "viewBox" in root.attrib
    assert {"width", "height"}.isdisjoint(root.attrib)
    assert root.get("aria-hidden") == "true"
    assert "seconds" in svg


def test_seconds_are_round_numbers() -> None:
    steps = np.zeros((29, 1))
    svg = figures.window(steps, np.ones(29) / 29, np.ones(29) / 29, padded=0, rate_hz=156.25)
    assert all(f">{time}<" in svg for time in ("0.03", "0.06", "0.15"))


def test_two_drawings_share_no_id() -> None:
    one = figures.window(SIGNAL, WEIGHTS, WEIGHTS, padded=0, rate_hz=None)
    two = figures.window(SIGNAL + 1, WEIGHTS, WEIGHTS, padded=0, rate_hz=None)
    first, second = (set(re.findall(r'\sid="([^"]+)"', svg)) for svg in (one, two))
    assert first
    assert first.isdisjoint(second)
    used = re.findall(r'(?:url\(#|href="#)([^")]+)', one)
    assert used
    assert set(used) <= first


def test_names_are_not_mathematics() -> None:
    svg = figures.histogram({"unit": "$x^2$ <b>", "edges": [0, 1, 2], "counts": [3, 0]})
    assert "$x^2$ &lt;b&gt;" in svg


def test_a_histogram_of_nothing_is_drawn() -> None:
    assert "<svg" in figures.histogram({"unit": "steps", "edges": [0, 1, 2], "counts": [0, 0]})


@pytest.mark.parametrize(
    "epochs",
    [
        [{"epoch": 1, "loss": 1.0, "val_loss": None, "val_accuracy": 0.5}],
        [{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}],
        [{"epoch": 1}],
    ],
)
def test_curves_show_what_there_is(epochs: list[dict[str, float]]) -> None:
    svg = figures.training_curves(epochs)
    assert ("val_accuracy" in svg) == ("val_accuracy" in epochs[0])


def test_a_map_of_one_class_and_one_step_is_drawn() -> None:
    assert "<svg" in figures.attention_map(
        np.ones((2, 1)), np.zeros(2, int), 1.0, diverging=True, rate_hz=None
    )


@pytest.mark.parametrize(
    ("shape", "queries", "images", "words"),
    [
        ((5,), False, 1, ()),
        ((4, 5), False, 1, ()),
        ((5, 5), False, 1, ()),  # as many heads as steps
        ((5, 5), True, 3, ("query",)),
        ((2, 5, 5), True, 6, ("head 1", "head 2")),
    ],
)
def test_attention_of_any_rank_is_drawn(
    shape: tuple[int, ...], queries: bool, images: int, words: tuple[str, ...]
) -> None:
    weights = np.random.default_rng(0).dirichlet(np.ones(5), shape[:-1])
    svg = figures.window(SIGNAL, weights, weights, padded=0, rate_hz=None, step=1 / 256, queries=queries)
    # strips share an axis, and become one image
    assert svg.count("<image") == images
    assert all(f">{word}<" in svg for word in (*words, "float", "int8", "diff."))


@pytest.mark.parametrize(
    ("padding", "grey", "full"),
    [
        ({"padded": 2, "asked_in_front": False}, [(0, 2)], 0.75),
        ({"padded": 2, "asked_in_front": True}, [], 0.99),  # such a model takes padding for steps
        ({"padded": 0, "padded_at_end": 1}, [(4, 1)], 0.99),
    ],
)
def test_queries_that_are_padding_are_grey_and_set_no_scale(
    monkeypatch: pytest.MonkeyPatch, padding: dict[str, Any], grey: list[Any], full: float
) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(figures, "as_svg", lambda figure: drawn.append(figure) or "")
    weights = np.full((5, 5), 0.05)
    weights[0, 0], weights[3, 1] = 0.99, 0.75
    figures.window(SIGNAL, weights, weights, rate_hz=None, queries=True, **padding)
    image = drawn[0].axes[1]
    assert [(patch.get_y() + 0.5, patch.get_height()) for patch in image.patches] == grey
    assert image.images[0].get_clim() == (0, full)


def test_the_curves_of_a_regression_show_its_error() -> None:
    svg = figures.training_curves([{"epoch": 1, "loss": 1.0, "error": 0.5, "val_error": 0.6}])
    assert "val_error" in svg


@pytest.mark.parametrize("top", [0.4, 0.004, 1e-5, 2.7e-8])
def test_each_tick_of_a_map_says_its_whole_number(top: float) -> None:
    """A power of ten that all of them share would stand above the bar, outside of the drawing."""
    svg = figures.attention_map(np.full((2, 3), top), np.zeros(2, int), top, True, None)
    bar = svg[svg.index('id="', svg.index("windows, by class")) :]
    told = [text.replace("\N{MINUS SIGN}", "-") for text in re.findall(r">([^<>\s]+)</text>", bar)]
    ticks = [float(text) for text in told]
    assert ticks[len(ticks) // 2] == 0
    assert top / 2 < max(ticks) <= top
    assert min(ticks) == -max(ticks)
    assert max(map(len, told)) <= 8


def test_a_map_of_windows_without_classes_does_not_speak_of_them() -> None:
    maps = [
        figures.attention_map(np.ones((2, 3)), np.zeros(2, int), 1.0, False, None, by_class=by_class)
        for by_class in (True, False)
    ]
    assert [">windows, by class<" in svg for svg in maps] == [True, False]
