"""The page of `pipeline benchmark --html`: one file that works from disk, without a network or a script."""

from __future__ import annotations

from typing import Any

from pipeline.benchmark.result import Benchmark, Entry, Profile
from pipeline.report import benchmark_tables as tables
from pipeline.report import numbers
from pipeline.report.page import render_page


def render(found: Benchmark) -> str:
    """A benchmark as one HTML page.

    Every name is escaped by the template engine, and a content security policy in the page forbids scripts
    and every address outside it.
    """
    return render_page(
        "benchmark.html.j2",
        {"size": numbers.size, "ms": tables.milliseconds},
        found=found,
        tables=tables,
        bars=bars(found),
        profiles=[(one, shares(one)) for one in found.profiles if not one.skipped],
        smallest=min(found.entries, key=lambda one: one.size_bytes),
        fastest=min(found.entries, key=lambda one: one.latency.p50),
        quickest=min(found.entries, key=_ready_ms),
    )


def bars(found: Benchmark) -> list[dict[str, Any]]:
    """Of each model how far its median and its tail reach, in per cent of the longest of all."""
    longest = max(one.latency.p99 or one.latency.p90 or one.latency.p50 for one in found.entries)
    return [
        {
            "entry": one,
            "middle": 100 * one.latency.p50 / longest,
            "tail": 100 * (one.latency.p99 or one.latency.p90 or one.latency.p50) / longest,
        }
        for one in found.entries
    ]


def shares(profile: Profile) -> list[float]:
    """Of each operator its part of the whole, in per cent; 0 where it is not told apart from nothing."""
    return [100 * (profile.share(one) or 0.0) for one in profile.operators]


def _ready_ms(one: Entry) -> float:
    return one.startup.load_ms + one.startup.first_ms
