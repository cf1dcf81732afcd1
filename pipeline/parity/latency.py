"""How long one window takes on this machine: a figure for the notes, not a check."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def median_latencies_ms(runs: Mapping[str, Callable[[], object]], repeats: int = 30) -> dict[str, float]:
    """Returns the median time of each run in milliseconds.

    The runs take turns, so that what else the machine does hits all of them; the first round is not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for round_number in range(repeats + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if round_number:
                times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(values) for name, values in times.items()}


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
