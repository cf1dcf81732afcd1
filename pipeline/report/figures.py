"""The drawings, as SVG that takes its text colour from the page: they read on light and on dark ground.

Every figure is about 440 px wide, so that its text stays legible on a telephone; the page puts them side by
side where there is room. Text is never parsed as mathematics, and names of classes are left to the HTML.
"""

from __future__ import annotations

import hashlib
import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = npt.NDArray[Any]
Json = dict[str, Any]

WIDTH, NARROW = 4.6, 3.5  # inches of 96 px, for two and for three side by side
INK = "#010203"  # stands for the page's text colour, and is replaced by `currentColor`
FLOAT_COLOUR, INT8_COLOUR, TRAIN_COLOUR = "#3b82c4", "#e0781f", "#8a8f98"
PADDING_COLOUR = "#8a8f98"
# Channels are told apart by hue at equal lightness, so that none disappears on either ground.
CHANNEL_COLOURS = ("#4e79c4", "#e0781f", "#3fa66b", "#d1495b", "#8d6cc4",
                   "#a57352", "#d264a8", "#7d8590", "#a8a032", "#2fa4b8")  # fmt: skip

_DASHES = ("-", "--", ":", "-.")

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fuselage",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
}


def channel_colour(index: int) -> str:
    """The colour of a channel; they repeat after ten."""
    return CHANNEL_COLOURS[index % len(CHANNEL_COLOURS)]


def window(
    signal: Array,
    float_weights: Array,
    int8_weights: Array,
    padded: int,
    rate_hz: float | None,
    names: tuple[str, str] = ("float", "int8"),
    step: float = 0.0,
    padded_at_end: int = 0,
    queries: bool = False,
    asked_in_front: bool = True,
) -> str:
    """One window: its signal [T, F] above, then attention of both models and their difference.

    Attention [T] is a strip, [heads, T] a strip with a line for each head; [queries, T] is an image, and
    [heads, queries, T] one for each head, in a row. Without attention (both [0]) the signal is alone.

    Args:
        padded, padded_at_end: steps of padding in front, and behind.
        step: the least difference that gets the full colour.
        queries: the axis before the last is one of queries. Those that are padding are grey, and count in
            no scale of colours; of padding in front only where `asked_in_front` is False.
        asked_in_front: the model takes padding in front for steps like others.
    """
    with drawing_style():
        steps = len(signal)
        if queries:
            real = slice(0 if asked_in_front else padded, steps - padded_at_end)
            float_weights, int8_weights = (_rows_only(one, real) for one in (float_weights, int8_weights))
        top = max(largest(float_weights), largest(int8_weights)) if int8_weights.size else 0.0
        difference = int8_weights.astype(np.float64) - float_weights
        end = max(largest(difference), step) if int8_weights.size else 0.0
        strips = ((float_weights, "viridis", 0.0, top), (int8_weights, "viridis", 0.0, top),
                  (difference, "RdBu_r", -end, end))  # fmt: skip
        if queries:
            heads = int(int8_weights.size / steps**2)
            height, boxes = _image_boxes(heads)
        else:
            heads, height, boxes = 0, 2.9, [(0.55, 1.6, 4.5, 2.85), (0.55, 0.42, 4.5, 1.52)]
        figure, (above, *below) = new_figure(WIDTH, height, *boxes)
        for channel in range(signal.shape[1]):
            above.plot(np.arange(steps), signal[:, channel], color=channel_colour(channel), linewidth=0.9)
        if padded:
            above.axvspan(-0.5, padded - 0.5, color=PADDING_COLOUR, alpha=0.18, linewidth=0)
        if padded_at_end:
            behind = steps - padded_at_end - 0.5
            above.axvspan(behind, steps - 0.5, color=PADDING_COLOUR, alpha=0.18, linewidth=0)
        above.set_ylabel("signal")
        above.tick_params(axis="x", length=0, labelbottom=False)
        above.set_xlim(-0.5, steps - 0.5)
        if not int8_weights.size or heads:
            above.tick_params(axis="x", labelbottom=True)
            time_axis(above, steps, rate_hz)
        if not int8_weights.size:
            below[0].remove()
        elif heads:
            _images(below, strips, heads, (*names, "diff."))
        else:
            _strips(below[0], strips, steps, rate_hz, (*names, "diff."))
        return as_svg(figure)


def _rows_only(weights: Array, real: slice) -> Array:
    """Weights [..., queries, T] with NaN, which is not drawn, for all but the real queries."""
    kept = np.full(weights.shape, np.nan)
    kept[..., real, :] = weights[..., real, :]
    return kept


def _strips(axis: Axes, strips: Any, steps: int, rate_hz: float | None, names: tuple[str, ...]) -> None:
    """Three strips below each other: weights [T] or [heads, T], colours and their limits."""
    for row, (weights, colours, low, high) in enumerate(strips):
        place = (-0.5, steps - 0.5, row + 0.94, row + 0.06)  # left, right, bottom, top; rows go down
        axis.imshow(np.atleast_2d(weights), aspect="auto", cmap=colours, vmin=low, vmax=high,
                    interpolation="nearest", extent=place)  # fmt: skip
    axis.set_ylim(3, 0)
    axis.set_yticks([0.5, 1.5, 2.5], names)
    axis.tick_params(axis="y", length=0)
    axis.spines[:].set_visible(False)
    time_axis(axis, steps, rate_hz)


def _image_boxes(heads: int) -> tuple[float, list[tuple[float, float, float, float]]]:
    """Height of the figure, and the places of the signal and of the images, all in inches.

    One head: float, int8 and difference side by side. Several: a column for each, the three below each other.
    """
    rows, columns = (1, 3) if heads == 1 else (3, heads)
    side = min(3.95 / columns, 1.25)
    images = 0.4 + rows * side
    boxes = [
        (0.55 + column * side + 0.03, bottom, 0.55 + (column + 1) * side - 0.03, bottom + side - 0.06)
        for bottom in (0.4 + (rows - 1 - row) * side for row in range(rows))
        for column in range(columns)
    ]
    height = images + 1.75
    return height, [(0.55, images + 0.45, 4.5, height - 0.05), *boxes]


def _images(axes: list[Axes], strips: Any, heads: int, names: tuple[str, ...]) -> None:
    """Weights [..., queries, T] as images: a line is a query, from the first at the top."""
    drawn = [
        (weights.reshape(heads, *weights.shape[-2:])[head], *colours)
        for weights, *colours in strips
        for head in range(heads)
    ]
    for axis, (weights, colours, low, high) in zip(axes, drawn, strict=True):
        axis.imshow(weights, aspect="auto", cmap=colours, vmin=low, vmax=high, interpolation="nearest")
        padding = np.flatnonzero(np.isnan(weights).all(axis=1))
        if len(padding):  # side by side: at the one end or the other
            axis.axhspan(padding[0] - 0.5, padding[-1] + 0.5, color=PADDING_COLOUR, alpha=0.18, linewidth=0)
        axis.set_xticks([])
        axis.set_yticks([])
    for index, name in enumerate(names):  # beside the rows of several heads, below the images of one
        if heads == 1:
            axes[index].set_xlabel(name)
        else:
            axes[index * heads].set_ylabel(name)
    axes[0].set_ylabel("query" if heads == 1 else names[0])
    for head in range(heads if heads > 1 else 0):
        axes[2 * heads + head].set_xlabel(f"head {head + 1}", fontsize=7.5)


def attention_map(
    weights: Array, labels: Array, top: float, diverging: bool, rate_hz: float | None, by_class: bool = True
) -> str:
    """Attention of many windows [k, T], a row each, sorted by class; a line where the class changes."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    with drawing_style():
        figure, (axis, side) = new_figure(NARROW, 2.6, (0.25, 0.42, 2.72, 2.55), (2.79, 0.42, 2.86, 2.55))
        low, colours = (-top, "RdBu_r") if diverging else (0.0, "viridis")
        image = axis.imshow(weights, aspect="auto", cmap=colours, vmin=low, vmax=top, interpolation="nearest")
        for row in np.flatnonzero(np.diff(labels)):
            axis.axhline(row + 0.5, color="#8a8f98" if diverging else "white", linewidth=0.5, alpha=0.7)
        axis.set_yticks([])
        axis.set_ylabel("windows, by class" if by_class else "windows")
        time_axis(axis, weights.shape[1], rate_hz)
        bar = figure.colorbar(image, cax=side, ticks=MaxNLocator(5), format=FuncFormatter(_tick))
        bar.outline.set_visible(False)
        return as_svg(figure)


def _tick(value: float, _: int) -> str:
    """A number that carries its own power of ten: matplotlib writes a common one outside of the drawing."""
    text = f"{0.0 if abs(value) < 1e-12 else value:.3g}".replace("e-0", "e-")
    return text.replace("-", "\N{MINUS SIGN}")


def histogram(values: Json) -> str:
    """Counts on a logarithmic axis: the rare large errors are what one looks for."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    with drawing_style():
        figure, (axis,) = new_figure(NARROW, 1.9, (0.66, 0.42, 3.4, 1.85))
        edges, counts = np.array(values["edges"]), np.array(values["counts"])
        axis.bar(edges[:-1], counts, np.diff(edges), align="edge", color=INT8_COLOUR, linewidth=0)
        if counts.any():
            axis.set_yscale("log")
            axis.set_ylim(0.7, max(10, 1.5 * counts.max()))
            axis.yaxis.set_major_locator(LogLocator(numticks=6))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
        axis.yaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_major_locator(MaxNLocator(6))
        axis.set_xlabel(values["unit"])
        axis.set_ylabel("count")
        return as_svg(figure)


def training_curves(epochs: list[Json]) -> str:
    """Loss above, accuracy (of values their error) below, by epoch; whatever of the two the history has."""
    from matplotlib.ticker import MaxNLocator

    with drawing_style():
        figure, axes = new_figure(WIDTH, 3.2, (0.55, 1.85, 4.5, 3.15), (0.55, 0.42, 4.5, 1.72))
        names = sorted({name for epoch in epochs for name in epoch})
        figure_of_merit = "error" if any(name.endswith("error") for name in names) else "accuracy"
        for axis, kind in zip(axes, ("loss", figure_of_merit), strict=True):
            dashes = {True: iter(_DASHES), False: iter(_DASHES)}
            for name in (name for name in names if name.endswith(kind)):
                validation = name.startswith("val_")
                values = [float("nan") if epoch.get(name) is None else epoch[name] for epoch in epochs]
                axis.plot(range(1, len(values) + 1), values, next(dashes[validation], "-"), linewidth=1.3,
                          color=FLOAT_COLOUR if validation else TRAIN_COLOUR, label=name)  # fmt: skip
            if axis.lines:
                axis.legend(frameon=False, fontsize=7.5, loc="best", labelcolor=INK)
            axis.set_xlim(0.5, len(epochs) + 0.5)
            axis.xaxis.set_major_locator(MaxNLocator(8, integer=True))
            axis.grid(axis="y", linewidth=0.4, alpha=0.25, color=INK)
        axes[0].tick_params(axis="x", labelbottom=False)
        axes[1].set_xlabel("epoch")
        return as_svg(figure)


def new_figure(
    width: float, height: float, *boxes: tuple[float, float, float, float]
) -> tuple[Figure, list[Axes]]:
    """A figure with axes at (left, bottom, right, top), all in inches, so that all drawings line up."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasSVG(figure)
    return figure, [
        figure.add_axes((left / width, bottom / height, (right - left) / width, (top - bottom) / height))
        for left, bottom, right, top in boxes
    ]


def time_axis(axis: Axes, steps: int, rate_hz: float | None) -> None:
    """Round numbers of seconds where the sample rate is known, else of steps."""
    from matplotlib.ticker import MaxNLocator

    rate = rate_hz or 1.0
    last = (steps - 1) / rate
    times = [time for time in MaxNLocator(6, integer=not rate_hz).tick_values(0, last) if 0 <= time <= last]
    axis.tick_params(axis="x", length=2)
    axis.set_xticks([time * rate for time in times], [f"{time:.3g}" for time in times])
    axis.set_xlabel("seconds" if rate_hz else "time step")
    axis.set_xlim(-0.5, steps - 0.5)


def largest(values: Array) -> float:
    """The largest finite magnitude; a little more than nothing where there is none, to be a colour scale."""
    size = float(np.abs(np.nan_to_num(values, posinf=0, neginf=0)).max())
    return size or 1e-9


def drawing_style() -> Any:
    import matplotlib

    return matplotlib.rc_context(_STYLE)


def as_svg(figure: Figure) -> str:
    """The figure as an SVG element without a background: scalable, decorative (its text is beside it)."""
    target = io.StringIO()
    figure.savefig(target, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = target.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    head, rest = svg.replace(INK, "currentColor").split(">", 1)
    head = re.sub(r'\s(?:width|height)="[^"]*"', "", head) + ' aria-hidden="true">'
    own = hashlib.sha256(svg.encode()).hexdigest()[:8]  # ids are shared by all drawings of a page
    return head + re.sub(r'(\sid="|url\(#|href="#)', rf"\g<1>{own}-", rest)
