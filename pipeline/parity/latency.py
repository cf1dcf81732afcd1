"""How long one window takes on this machine: a figure for people, not a check."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def interleaved_times_ms(
    runs: Mapping[str, Callable[[], object]],
    rounds: int,
    warm_up: int = 1,
    told: Callable[[], object] = lambda: None,
    before: Mapping[str, Callable[[], object]] | None = None,
) -> dict[str, list[float]]:
    """Returns the time of each run in each round in milliseconds.

    The runs take turns, so that what else the machine does hits all of them, and each round starts with
    another one, so that none always follows the same.

    Args:
        warm_up: rounds before those that count.
        told: called after each round that counts.
        before: what each run needs before it, by the same names; it is not timed.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for number in range(-warm_up, rounds):
        first = number % max(len(names), 1)
        for name in names[first:] + names[:first]:
            if before is not None:
                before[name]()
            start = time.perf_counter()
            runs[name]()
            took = time.perf_counter() - start
            if number >= 0:
                times[name].append(took * 1e3)
        if number >= 0:
            told()
    return times


def median_latencies_ms(runs: Mapping[str, Callable[[], object]], repeats: int = 30) -> dict[str, float]:
    """Returns the median time of each run in milliseconds; the runs take turns."""
    times = interleaved_times_ms(runs, repeats)
    return {name: statistics.median(values) for name, values in times.items()}


def plain_c(kind: str, machine: str) -> bool:
    """Whether an LSTM of this kind runs in a kernel without vector instructions here.

    TFLite has its int8 LSTM kernel (8x8_16) in Arm's vector instructions only; elsewhere its portable C runs.

    Args:
        kind: as `converters.lstm_op.LstmNode.kind`.
        machine: the processor's architecture, as `platform.machine()` names it.
    """
    return kind == "int8 8x8_16" and machine in _X86


def latency_note(latency_ms: Mapping[str, float], machine: str, name: str = "int8") -> str:
    """One sentence that says which file is faster here, and by how much.

    Args:
        latency_ms: of `float32` and of `name`, whose LSTM is in int8.
        machine: the processor's architecture, as `platform.machine()` names it.
    """
    float32, int8 = latency_ms["float32"], latency_ms[name]
    where = f"On this machine ({machine})"
    figures = f"{where} a window takes {int8:.2f} ms in {name}, {float32:.2f} ms in float32"
    if int8 <= float32:
        return f"{figures}."
    reason = ": TFLite's int8 LSTM kernel is plain C on x86, an Arm device differs" if machine in _X86 else ""
    return f"{figures}; {name} is {int8 / float32:.1f} times slower here{reason}."


_X86 = {"x86_64", "AMD64", "i386", "i686"}
