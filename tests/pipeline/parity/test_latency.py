"""Latency: runs take turns, and the note says what was measured."""

from __future__ import annotations

import pytest

from pipeline.parity import latency
from pipeline.parity.latency import interleaved_times_ms, latency_note, median_latencies_ms, plain_c


def test_the_runs_take_turns_and_each_round_starts_with_another() -> None:
    order: list[str] = []
    runs = {name: lambda name=name: order.append(name) for name in "abc"}  # type: ignore[misc]
    times = interleaved_times_ms(runs, 3, warm_up=1)
    assert "".join(order) == "cab" + "abc" + "bca" + "cab"  # the first round is to warm up
    assert {name: len(values) for name, values in times.items()} == {"a": 3, "b": 3, "c": 3}


def test_what_comes_before_a_run_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that the runs move: 5 s before each run, 1 s in `a`, 2 s in `b`, 7 s after each round."""
    now = [0.0]

    def wait(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(latency.time, "perf_counter", lambda: now[0])
    times = interleaved_times_ms(
        {"a": lambda: wait(1), "b": lambda: wait(2)}, 2, 1, lambda: wait(7),
        {"a": lambda: wait(5), "b": lambda: wait(5)},
    )  # fmt: skip
    assert times == {"a": [1000.0, 1000.0], "b": [2000.0, 2000.0]}


def test_the_median_is_that_of_the_rounds_that_count(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0.0, 50.0, 0.0, 3.0, 0.0, 1.0, 0.0, 2.0])  # the first takes 50 s, and does not count
    monkeypatch.setattr(latency.time, "perf_counter", lambda: next(ticks))
    assert median_latencies_ms({"a": lambda: None}, repeats=3) == {"a": 2000.0}


@pytest.mark.parametrize(
    ("kind", "machine", "plain"),
    [("int8 8x8_16", "x86_64", True), ("int8 8x8_16", "aarch64", False), ("float32", "x86_64", False)],
)
def test_the_int8_kernel_is_plain_c_on_x86_alone(kind: str, machine: str, plain: bool) -> None:
    assert plain_c(kind, machine) is plain


def test_the_note_says_that_int8_is_slower_on_x86() -> None:
    note = latency_note({"float32": 0.25, "int8": 1.5}, "x86_64")
    assert "1.50 ms in int8, 0.25 ms in float32" in note
    assert "6.0 times slower" in note
    assert "x86" in note.split("slower")[1]


def test_the_note_blames_no_other_processor() -> None:
    note = latency_note({"float32": 0.25, "int8": 0.5}, "aarch64")
    assert note.endswith("2.0 times slower here.")


def test_the_note_does_not_call_a_faster_file_slower() -> None:
    assert "slower" not in latency_note({"float32": 0.5, "int8": 0.25}, "x86_64")
