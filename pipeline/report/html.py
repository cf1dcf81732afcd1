"""report.html: one file that works from disk, without a network and without a script."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from models.config import output_name
from pipeline.parity.verdict import Check
from pipeline.report import numbers
from pipeline.report.data import ReportData, short_names
from pipeline.report.page import render_page
from pipeline.report.registry import renderer
from pipeline.report.scheme_cells import scheme_cells, scheme_headings

Json = dict[str, Any]

_USE = {
    task: {"name": name, "variable": variable, "answer": answer, "output": output_name(task)}
    for task, name, variable, answer in (
        ("classification", "SequenceClassifier", "classifier", "answer.label"),
        ("multi-label", "MultiLabelClassifier", "classifier", "answer.labels"),
        ("regression", "SequenceRegressor", "regressor", "answer.values, answer.units"),
        ("per-step", "StepClassifier", "classifier", "answer.labels"),
    )
}
"""The runtime's class for each task, and what the code on the page prints."""


@renderer("report.html")
def render(data: ReportData) -> str:
    """The whole report as one HTML page.

    Every name is escaped by the template engine, and a content security policy in the page forbids scripts
    and every address outside it, so that a name that got through could still do nothing.
    """
    return render_page(
        "report.html.j2",
        {
            "amount": numbers.amount,
            "limit": numbers.limit,
            "percent": numbers.percent,
            "size": numbers.size,
            "outcome": numbers.outcome,
            "step_size": numbers.step_size,
            "usage": usage,
            "breakable": _breakable,
            "pretty": _pretty,
        },
        data=data,
        groups=_groups(data),
        tiles=_tiles(data),
        intervals=_intervals(data),
        short=short_names(data.names),
        use=_USE[data.task],
        score_names=list(data.scores[0]["values"]) if data.scores else [],
        confusions=[(data.names[side], _confusion(data, side)) for side in data.confusions],
        scheme_headings=scheme_headings,
        scheme_cells=scheme_cells,
        shown_file=data.shown_file,
        **_drawings(data),
    )


def usage(check: Check) -> float | None:
    """How much of its limit a check uses, as a share in [0, 1]; None without a limit or a value."""
    if check.limit is None or check.value is None or not math.isfinite(check.value):
        return None
    used, allowed = (
        (1 - check.value, 1 - check.limit) if check.relation == ">=" else (check.value, check.limit)
    )
    if allowed <= 0:
        return 1.0 if used > 0 else 0.0
    return min(max(used / allowed, 0.0), 1.0)


def _groups(data: ReportData) -> list[Json]:
    """The checks by what was compared with, in the order of the references."""
    groups = []
    for reference, meaning in data.references.items():
        checks = [check for check in data.checks if check.reference == reference]
        if checks:
            groups.append({"reference": reference, "meaning": meaning, "checks": checks})
    return groups


def _tiles(data: ReportData) -> list[Json]:
    """The four figures everybody asks for."""
    promise = {check.name: check for check in data.checks if check.reference == "float_model"}
    short, tiles = short_names(data.names), []
    if apart := promise.get("value_rms_error"):
        tiles.append({"label": "values moved by", "value": numbers.amount(apart.value),
                      "more": "standard deviations, RMS"})  # fmt: skip
    before, after = data.accuracy("float_model"), data.accuracy("int8")
    if agreement := promise.get("decision_agreement"):
        steps = f"{after.n if after else 'the'} steps of " if data.task == "per-step" else ""
        tiles.append({"label": "decisions agree", "value": numbers.percent(agreement.value),
                      "more": f"on {steps}{agreement.n} test windows"})  # fmt: skip
    if before and after:
        tiles.append({"label": f"{short[1]} accuracy", "value": numbers.percent(after.value),
                      "more": f"{data.names['float_model']} {numbers.percent(before.value)}"})  # fmt: skip
    score = {one["name"]: next(iter(one["values"].items())) for one in data.scores}
    if not after and {"float_model", "int8"} <= score.keys():
        (name, value), (_, reference) = score["int8"], score["float_model"]
        tiles.append({"label": f"{short[1]} {name}", "value": numbers.amount(value),
                      "more": f"{data.names['float_model']} {numbers.amount(reference)}"})  # fmt: skip
    if (moved := promise.get("attention_total_variation")) and data.attends:
        tiles.append({"label": "attention that moved", "value": numbers.percent(moved.value),
                      "more": "mean total variation"})  # fmt: skip
    if len(data.files) >= 2:
        large, small = (one["size_bytes"] for one in data.files[:2])
        of = "float32" if data.built else short[0]
        tiles.append({"label": f"{short[1]} file", "value": numbers.size(small),
                      "more": f"{100 * small / large:.0f} % of {of}, {numbers.size(large)}"})  # fmt: skip
    return tiles


def _intervals(data: ReportData) -> list[Json]:
    """Accuracies with the place of their interval on a common axis, in percent of its width."""
    known = [one for one in data.accuracies if math.isfinite(one.value)]
    low, high = min((one.low for one in known), default=0.0), max((one.high for one in known), default=1.0)
    width = (high - low) or 1.0
    rows = []
    for one in data.accuracies:
        row: Json = {"accuracy": one, "name": data.label(one.name), "bar": None}
        if one in known:
            left, middle, right = (100 * (value - low) / width for value in (one.low, one.value, one.high))
            row["bar"] = {"left": left, "middle": middle, "width": right - left}
        rows.append(row)
    return rows


def _confusion(data: ReportData, side: str) -> list[Json]:
    """Rows of a confusion matrix with the share of its row in every cell."""
    rows = []
    for name, counts in zip(data.dataset["class_names"], data.confusions[side], strict=True):
        total = sum(counts) or 1
        rows.append({"name": name, "cells": [(count, count / total) for count in counts]})
    return rows


def _drawings(data: ReportData) -> Json:
    """Every SVG of the page, already safe: they hold no text from outside but numbers."""
    from markupsafe import Markup

    from pipeline.report import figures

    arrays, rate, short = data.arrays, data.dataset["sample_rate_hz"], short_names(data.names)
    step = data.attention_step or 0
    windows = [
        {
            "about": about,
            "svg": Markup(
                figures.window(signal, float_, int8, about["padded_steps"], rate, short, step,
                               about.get("padded_at_end", 0), data.queries, data.task != "per-step")
            ),
        }
        for about, signal, float_, int8 in zip(
            data.examples,
            arrays["example_signal"],
            arrays["example_float"],
            arrays["example_int8"],
            strict=True,
        )
    ]  # fmt: skip
    colours = [figures.channel_colour(index) for index in range(len(data.dataset["channel_names"]))]
    return {
        "windows": windows,
        "maps": _maps(data) if data.attends else [],
        "channels": list(zip(data.dataset["channel_names"], colours, strict=True)),
        "histograms": [{**one, "svg": Markup(figures.histogram(one))} for one in data.histograms],
        "curves": [
            {"name": phase["name"], "epochs": len(phase["epochs"]),
             "svg": Markup(figures.training_curves(phase["epochs"]))}
            for phase in data.training if phase["epochs"]
        ],
    }  # fmt: skip


def _maps(data: ReportData) -> list[Json]:
    """Attention of both models over the same windows, and the difference, as heat maps."""
    from markupsafe import Markup

    from pipeline.report import figures

    arrays, rate, short = data.arrays, data.dataset["sample_rate_hz"], short_names(data.names)
    difference = arrays["map_int8"].astype(np.float64) - arrays["map_float"]
    top = max(figures.largest(arrays["map_float"]), figures.largest(arrays["map_int8"]))
    end = max(figures.largest(difference), data.attention_step or 0)
    return [
        {
            "title": title,
            "svg": Markup(
                figures.attention_map(values, arrays["map_labels"], scale, diverging, rate, data.by_class)
            ),
        }
        for title, values, scale, diverging in (
            (data.names["float_model"], arrays["map_float"], top, False),
            (data.names["int8"], arrays["map_int8"], top, False),
            (f"{short[1]} minus {short[0]}", difference, end, True),
        )
    ]


def _breakable(name: str) -> Any:
    """The name, escaped, with places to break the line after each underscore."""
    from markupsafe import Markup, escape

    return escape(name).replace("_", Markup("_<wbr>"))


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
