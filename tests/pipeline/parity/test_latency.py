"""Latency: runs take turns, and the note says what was measured."""

from __future__ import annotations

from pipeline.parity.latency import latency_note, median_latencies_ms


def test_the_runs_take_turns() -> None:
    order: list[str] = []
    runs = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    times = median_latencies_ms(runs, repeats=2)
    assert order == ["a", "b"] * 3  # one round to warm up
    assert set(times) == {"a", "b"}
    assert all(time >= 0 for time in times.values())


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
