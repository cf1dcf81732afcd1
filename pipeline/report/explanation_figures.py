"""The drawings of `pipeline explain --html`, in the style of the report's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from converters.lstm_op import GATES
from converters.microscope.attribution import Source
from converters.microscope.explanation import LstmExplanation
from pipeline.report.figures import (
    CHANNEL_COLOURS,
    FLOAT_COLOUR,
    INK,
    INT8_COLOUR,
    TRAIN_COLOUR,
    WIDTH,
    as_svg,
    drawing_style,
    largest,
    new_figure,
    time_axis,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

SHOWN_SOURCES = 4  # curves along time beside the total
GATE_COLOURS = dict(zip(GATES, CHANNEL_COLOURS, strict=False))


def attribution(sources: Sequence[Source], total: float) -> str:
    """Two bars a source: what it makes alone, and how much smaller the error is without it."""
    with drawing_style():
        height = 0.62 + 0.3 * len(sources)
        figure, (axis,) = new_figure(WIDTH, height, (1.35, 0.42, 4.5, height - 0.05))
        places = np.arange(len(sources))
        gone = [max(total - source.without, 0.0) for source in sources]
        axis.barh(places - 0.17, [one.alone for one in sources], 0.34, color=INT8_COLOUR, linewidth=0)
        axis.barh(places + 0.17, gone, 0.34, color=FLOAT_COLOUR, linewidth=0)
        axis.axvline(total, color=TRAIN_COLOUR, linewidth=1, linestyle="--")
        axis.set_yticks(places, [source.name for source in sources])
        axis.set_ylim(len(sources) - 0.4, -0.6)
        axis.set_xlim(0, 1.06 * max([total, *(source.alone for source in sources)]) or 1)
        axis.tick_params(axis="y", length=0)
        axis.locator_params(axis="x", nbins=5)
        axis.set_xlabel("error of the hidden state, RMS")
        return as_svg(figure)


def drift(lstm: LstmExplanation) -> str:
    """Error of the hidden state by step: with everything on, and of the largest sources alone."""
    with drawing_style():
        figure, (axis,) = new_figure(WIDTH, 2.6, (0.72, 0.42, 4.5, 2.5))
        steps = np.arange(lstm.steps)
        axis.plot(steps, lstm.hidden.error_rms, color=INK, linewidth=1.8, label="all")
        for source, colour in zip(lstm.attribution.roundings[:SHOWN_SOURCES], CHANNEL_COLOURS, strict=False):
            axis.plot(steps, source.alone_by_step, color=colour, linewidth=1.1, label=f"{source.name} alone")
        axis.set_ylabel("RMS")
        _finish(axis, lstm.steps)
        return as_svg(figure)


def gate_errors(lstm: LstmExplanation) -> str:
    """Error of each gate by step."""
    with drawing_style():
        figure, (axis,) = new_figure(WIDTH, 2.6, (0.72, 0.42, 4.5, 2.5))
        for gate in lstm.gates:
            axis.plot(gate.error_rms, color=GATE_COLOURS[gate.name], linewidth=1.3, label=f"{gate.name} gate")
        axis.set_ylabel("RMS")
        _finish(axis, lstm.steps)
        return as_svg(figure)


def saturation(lstm: LstmExplanation) -> str:
    """Where gates are at their ends and their inputs cut: a row each, lighter where it happens more often.

    "" where it never happens.
    """
    rows = [
        (f"{gate.name}: {what}", values)
        for gate in lstm.gates
        for what, values in (("cut at ±8", gate.input_saturated), ("closed", gate.low), ("open", gate.high))
    ]
    table = 100 * np.stack([values for _, values in rows])  # [rows, time], percent
    if not table.any():
        return ""
    with drawing_style():
        figure, (axis, side) = new_figure(WIDTH, 3.2, (1.35, 0.42, 3.78, 3.12), (3.88, 0.42, 3.95, 3.12))
        image = axis.imshow(
            table, aspect="auto", cmap="viridis", vmin=0, vmax=largest(table), interpolation="nearest"
        )
        axis.set_yticks(range(len(rows)), [name for name, _ in rows])
        axis.tick_params(axis="y", length=0)
        for row in (2.5, 5.5, 8.5):
            axis.axhline(row, color="white", linewidth=1)
        time_axis(axis, lstm.steps, None)
        _colour_bar(figure, image, side, "% of the units")
        return as_svg(figure)


def cell(lstm: LstmExplanation) -> str:
    """Largest |c| by step on both sides, and what bounds it."""
    with drawing_style():
        figure, (axis,) = new_figure(WIDTH, 2.6, (0.72, 0.42, 4.5, 2.5))
        axis.plot(lstm.cell.float_largest, color=FLOAT_COLOUR, linewidth=1.6, label="float")
        axis.plot(lstm.cell.integer_largest, color=INT8_COLOUR, linewidth=1.2, linestyle="--", label="int8")
        axis.axhline(lstm.cell.limit, color=INK, linewidth=1, linestyle=":", label="int16 ends")
        if lstm.cell.clip:
            axis.axhline(lstm.cell.clip, color=TRAIN_COLOUR, linewidth=1, linestyle="-.", label="cell clip")
        axis.set_ylabel("largest |c|")
        _finish(axis, lstm.steps)
        return as_svg(figure)


def units(lstm: LstmExplanation) -> str:
    """Error of each unit by step, the units with the largest error on top."""
    error = lstm.hidden.error_rms_by_unit.T  # [units, time]
    order = np.argsort(-np.mean(error**2, axis=1), kind="stable")
    with drawing_style():
        figure, (axis, side) = new_figure(WIDTH, 2.6, (0.3, 0.42, 3.78, 2.5), (3.88, 0.42, 3.95, 2.5))
        image = axis.imshow(
            error[order], aspect="auto", cmap="viridis", vmin=0, vmax=largest(error), interpolation="nearest"
        )
        axis.set_yticks([])
        axis.set_ylabel("units, the worst on top")
        time_axis(axis, lstm.steps, None)
        _colour_bar(figure, image, side, "RMS")
        return as_svg(figure)


def focus(lstm: LstmExplanation, errors: bool) -> str:
    """One unit of one window by step: its gates, cell and hidden state on both sides, or their errors."""
    at, last = lstm.focus, lstm.steps - 1
    sides = [
        [*(side.gates[:, place] for place in range(4)), side.cell, side.hidden]
        for side in (at.float_side, at.integer_side)
    ]
    rows, pitch = len(sides[0]), 0.86
    height = 0.5 + pitch * rows
    boxes = [
        (0.72, height - pitch * (row + 1) + 0.1, 4.5, height - pitch * row - 0.05) for row in range(rows)
    ]
    with drawing_style():
        figure, axes = new_figure(WIDTH, height, *boxes)
        names = (*(f"{name} g." for name in ("input", "forget", "cell", "output")), "cell", "hidden")
        for axis, name, real, rounded in zip(axes, names, *sides, strict=True):
            if errors:
                axis.axhline(0, color=INK, linewidth=0.5)
                axis.plot(rounded - real, color=INT8_COLOUR, linewidth=1.2)
            else:
                axis.plot(real, color=FLOAT_COLOUR, linewidth=2.2, alpha=0.75)
                axis.plot(rounded, color=INT8_COLOUR, linewidth=1.0)
            axis.axvline(at.step, color=TRAIN_COLOUR, linewidth=0.8, linestyle="--")
            axis.set_ylabel(name, fontsize=8)
            axis.locator_params(axis="y", nbins=3)
            axis.set_xlim(-0.5, last + 0.5)
            axis.tick_params(axis="x", length=0, labelbottom=False)
        axes[-1].tick_params(axis="x", labelbottom=True)
        time_axis(axes[-1], lstm.steps, None)
        return as_svg(figure)


def _finish(axis: Axes, steps: int) -> None:
    axis.grid(axis="y", linewidth=0.4, alpha=0.25, color=INK)
    axis.set_ylim(0, 1.35 * axis.get_ylim()[1])  # room for the legend
    axis.legend(frameon=False, fontsize=7.5, loc="upper center", ncols=2, labelcolor=INK)
    time_axis(axis, steps, None)


def _colour_bar(figure: Figure, image: AxesImage, side: Axes, label: str) -> None:
    from matplotlib.ticker import MaxNLocator

    bar = figure.colorbar(image, cax=side, ticks=MaxNLocator(5))
    bar.outline.set_visible(False)
    bar.set_label(label)
