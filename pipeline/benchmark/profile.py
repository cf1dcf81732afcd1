"""Where the time of a file goes, operator by operator.

The Python interpreter of LiteRT 2.3 (and TensorFlow 2.21) has no profiler: `Interpreter` takes none, its
`experimental_force_delegate_node_profiling` only serves one that C++ code has set, and the profiler that
`libLiteRt.so` exports has no Python binding. So the graph is cut (`converters.excerpt.prefix`): the first k
operators run as a model of their own, for every k, all of them in turn, and operator k takes what prefix k
takes longer than prefix k - 1.

What this cannot see: a delegate that fuses operators across a cut does so no longer, and an operator that
costs less than the times scatter is not told apart from nothing. Then that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from converters import schema
from converters.excerpt import prefix
from pipeline.benchmark.percentiles import median_interval, percentile
from pipeline.benchmark.result import Operator, Profile
from pipeline.benchmark.runners import Array, TfliteRunner, settle
from pipeline.parity.latency import interleaved_times_ms

RUNS, WARM_UP = 50, 3
MOST_OPERATORS = 100
MOST_BYTES = 256 << 20
"""Of all prefixes together: each holds the whole file."""
TOO_BUSY = "the machine was too busy: its operators took longer than all of it"
METHOD = "difference of prefixes of the graph, run in turn"


def not_profiled(model: schema.ModelT, size_bytes: int) -> str:
    """Why a file is not profiled; "" where it is."""
    count = len(model.subgraphs[0].operators or [])
    if count == 0:
        return "its main graph has no operators"
    if count > MOST_OPERATORS:
        return f"its main graph has {count} operators; at most {MOST_OPERATORS} are timed one by one"
    if (count + 1) * size_bytes > MOST_BYTES:
        return f"{count} prefixes of {size_bytes:,} bytes each are too many to be loaded at once"
    return ""


def profile_ms(model: schema.ModelT, inputs: Sequence[Array], threads: int) -> list[list[float]]:
    """Times of every prefix, from none of the operators to all: [operators + 1][RUNS], milliseconds.

    Only `invoke` is timed; the state is reset before each.
    """
    count = len(model.subgraphs[0].operators)
    runners = {
        str(k): TfliteRunner(schema.write_model(prefix(model, k)), inputs, threads) for k in range(count + 1)
    }
    times = interleaved_times_ms(
        {name: runner.run for name, runner in runners.items()},
        RUNS,
        WARM_UP,
        before={name: _ready(runner) for name, runner in runners.items()},
    )
    return [times[str(k)] for k in range(count + 1)]


def _ready(runner: TfliteRunner) -> Callable[[], None]:
    def ready() -> None:
        runner.prepare()
        settle()

    return ready


def to_profile(name: str, model: schema.ModelT, times_ms: Sequence[Sequence[float]]) -> Profile:
    """The profile of a file from the times of its prefixes, [operators + 1][runs].

    None is made of times that contradict each other: where even the least that the operators take together,
    by their intervals, is more than the most that the whole file takes. No bound is longer than the whole.
    """
    whole = _operator(None, "", "", times_ms[-1])
    graph = model.subgraphs[0]
    found = [_operator(None, "(the call itself)", "", times_ms[0])]
    for place, operator in enumerate(graph.operators):
        outputs = schema.indices(operator.outputs)
        shown = ""
        if outputs:
            tensor = graph.tensors[outputs[0]]
            shape = "x".join(map(str, schema.shape(tensor))) or "scalar"
            shown = f"{schema.tensor_type_name(tensor)} {shape}"
        added = [after - before for before, after in zip(*times_ms[place : place + 2], strict=True)]
        found.append(_operator(place, schema.operator_name(model, operator), shown, added))
    if sum(max(one.low, 0.0) for one in found) > whole.high:
        return Profile(name, 0, (), TOO_BUSY)
    bounded = (replace(one, high=min(one.high, whole.high)) for one in found)
    return Profile(name, len(times_ms[0]), tuple(bounded), whole_ms=whole.ms)


def _operator(place: int | None, name: str, output: str, values: Sequence[float]) -> Operator:
    middle, interval = percentile(values, 50), median_interval(values)
    assert middle is not None
    assert interval is not None, "a profile has RUNS runs, more than 6"
    return Operator(place, name, output, middle, *interval)
