"""The table of all schemes in 80 columns."""

import math
from collections.abc import Iterable, Iterator, Sequence

from pipeline.report.schemes import FIGURES, SchemeResult

_WIDTHS = (5, 5, 6, 6, 6, 6, 5, 5, 4)  # and 23 for the longest name and its mark: 80 columns
_KINDS = {"float32": "f32", "hybrid": "hyb", "int8 8x8_16": "int8"}
_SHORT = {"accuracy": "acc %", "same decision": "same %", "RMS error": "rms", "macro F1": "F1"}


def scheme_table(results: Sequence[SchemeResult]) -> Iterator[str]:
    """A line of headings, then one a scheme; "!" before the name where it misses a limit.

    Size, how well it answers, how close that is, worst attention error, attention that moved (mean total
    variation), error of the attention's sums, median latency, memory in kB, and what the LSTMs compute in.
    """
    name_width = max(len(one.name) for one in results)
    words = [_SHORT.get(name, name[:5]) for name in (results[0].merit[0], results[0].closeness[0])]
    yield _line(" " * (name_width + 1), ("kB", *words, "worst", "moved", "sums", "ms", "RAM", "LSTM"))
    for one in results:
        (merit, quality), (closeness, near) = one.merit, one.closeness
        cells = (
            _kilo(one.size_bytes),
            _share(quality) if merit == "accuracy" else _error(quality, _WIDTHS[1]),
            _share(near) if closeness == "same decision" else _error(near),
            *(_error(one.figure(name)) for name in FIGURES[2:]),
            f"{one.latency_ms:.2f}" if one.latency_ms < 100 else f"{one.latency_ms:.0f}",
            _kilo(one.memory_bytes),
            _kind(one),
        )
        yield _line(f"{'!' if one.failed else ' '}{one.name:<{name_width}}", cells)


def _kind(one: SchemeResult) -> str:
    kinds = set(one.lstms.values())
    return "mix" if len(kinds) > 1 else "".join(_KINDS.get(kind, kind) for kind in kinds)


def _line(name: str, cells: Iterable[str]) -> str:
    return f"{name} " + " ".join(f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))


def _kilo(size_bytes: int) -> str:
    return f"{size_bytes / 1000:.1f}" if size_bytes < 999_950 else f"{size_bytes / 1000:.0f}"


def _share(value: float | None) -> str:
    """In percent; nothing short of everything is called 100."""
    if value is None or not math.isfinite(value):
        return "-"
    text = f"{100 * value:.1f}"
    return ">99.9" if value < 1 and text == "100.0" else text


def _error(value: float | None, width: int = 6) -> str:
    """Rounded to four digits behind the point, or to as many as the column has room for."""
    if value is None or not math.isfinite(value):
        return "-"
    fixed = [] if 0 < abs(value) < 1e-3 else [f"{value:.{digits}f}" for digits in (4, 3, 2, 1, 0)]
    power = f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return next((text for text in fixed if len(text) <= width), power)
