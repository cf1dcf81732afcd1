"""The tables and sentences of `pipeline benchmark`, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.benchmark.environment import Environment
from pipeline.benchmark.padding import BLOCK, rest
from pipeline.benchmark.result import Benchmark, Entry, Instructions, Operator, Padding, Profile
from pipeline.report.numbers import size
from pipeline.report.table import Table
from pipeline.targets.counting import OpInstructions

NONE = "-"
"""What was not measured, or does not exist."""


def milliseconds(value: float | None) -> str:
    """Three significant digits, written out."""
    if value is None:
        return NONE
    return f"{value:#.3g}".rstrip(".") if value < 1000 else f"{value:,.0f}"


def environment(found: Benchmark) -> str:
    """What was measured on, in a paragraph."""
    machine = found.environment
    versions = ", ".join(f"{name} {value}" for name, value in machine.versions.items())
    threads = "1 thread" if machine.threads == 1 else f"{machine.threads} threads"
    return (
        f"{machine.cpu} ({machine.machine}), {_cores(machine)}, load {machine.load:g} before the run, "
        f"{machine.system}; {threads} a model. {versions}."
    )


def method(found: Benchmark) -> str:
    """How it was measured, in a paragraph."""
    return (
        f"{found.rounds} rounds after {found.warm_up} to warm up, in which the models take turns. A call is: "
        f"state reset, inputs in, run, outputs out. Inputs: {found.inputs}."
    )


def latency(found: Benchmark) -> Table:
    """Percentiles of a call."""
    rows = (
        (
            one.name,
            milliseconds(one.latency.p50),
            milliseconds(one.latency.p90),
            milliseconds(one.latency.p99),
            milliseconds(one.latency.smallest),
            "1" if one.latency.ratio is None else f"{one.latency.ratio:#.3g}".rstrip("."),
        )
        for one in found.entries
    )
    note = "x first: median, over the rounds, of the time divided by the first model's in the same round."
    if found.rounds < 100:
        note += f" A p99 takes 100 rounds, a p90 10; there were {found.rounds}."
    headings = ("model", "p50", "p90", "p99", "fastest", "x first")
    return Table("Latency of one call, ms", headings, tuple(rows), note)


def cost(found: Benchmark) -> Table:
    """File, memory and start-up; of a peer how far its outputs are from the float file's."""
    rows = (
        (
            one.name,
            size(one.size_bytes),
            _memory(one),
            milliseconds(one.startup.load_ms),
            milliseconds(one.startup.first_ms),
            NONE if one.largest_error is None else f"{one.largest_error:.1e}".replace("e-0", "e-"),
        )
        for one in found.entries
    )
    processes = found.entries[0].startup.processes
    note = (
        "memory: activations, scratch and state, as LiteRT without delegates lays them out; with ≥, the "
        "least that the tensors need. load: from the file to allocated tensors, the library being imported. "
        f"first: the first call after it. Both are the median of {processes} fresh processes, ms. off by: "
        "largest difference of a peer's outputs from the float file's on seeded inputs."
    )
    return Table("What it takes", ("model", "file", "memory", "load", "first", "off by"), tuple(rows), note)


def instructions(found: Benchmark) -> Table | None:
    """Executed instructions, where they were counted."""
    counted = [(one.name, one.instructions) for one in found.entries if one.instructions is not None]
    if not counted:
        return None
    rows = ((name, f"{one.inference:,}", f"{one.startup:,}") for name, one in counted)
    return Table(
        f"Executed instructions on Arm ({counted[0][1].cpu}, emulated)",
        ("model", "one inference", "start-up"),
        tuple(rows),
        "Instructions, not time: a core executes several at once, and waits for memory. One inference takes "
        "the same in every run; start-up, from the file to allocated tensors, to within some hundred.",
    )


def operator_instructions(found: Benchmark) -> Iterator[Table]:
    """Instructions by operator of files whose operators have no table of their times to stand in."""
    shown = {one.name for one in found.profiles if not one.skipped}
    for entry in found.entries:
        counted = entry.instructions
        if counted is not None and counted.by_operator and entry.name not in shown:
            rows = tuple((one.name, _executed(one)) for one in counted.by_operator)
            headings = ("operator", "Arm instr.")
            yield Table(f"Operators of {entry.name}", headings, rows, _without_delegate(counted))


def operators(profile: Profile, found: Benchmark) -> Table:
    """Where the time of one file goes, and its instructions where they were counted."""
    rows = [
        (
            one.name,
            one.output,
            microseconds(one),
            NONE if (share := profile.share(one)) is None else f"{100 * share:.1f} %",
        )
        for one in profile.operators
    ]
    headings: tuple[str, ...] = ("operator", "output", "us", "of all")
    note = (
        f"Microseconds of `invoke`: median difference of prefixes of the graph, {profile.runs} runs in turn. "
        "<: not told apart from nothing, with its 95 % bound."
    )
    (counted,) = [one.instructions for one in found.entries if one.name == profile.name]
    if counted is not None and len(counted.by_operator) == len(rows) - 1:
        cells = [NONE, *map(_executed, counted.by_operator)]
        return Table(
            f"Operators of {profile.name}",
            (*headings, "Arm instr."),
            tuple((*row, cell) for row, cell in zip(rows, cells, strict=True)),
            f"{note} {_without_delegate(counted)}",
        )
    return Table(f"Operators of {profile.name}", headings, tuple(rows), note)


def microseconds(one: Operator) -> str:
    """What an operator takes; a bound where it is not told apart from nothing."""
    value = 1e3 * (one.ms if one.told_apart else max(one.high, 1e-5))
    shown = f"{value:,.1f}" if value >= 1 else f"{value:.2f}"
    return shown if one.told_apart else f"< {shown}"


def padding(one: Padding) -> str:
    """What a rest costs, and what to do about it: only what was counted."""
    sizes = {"features": one.features, "units": one.units}
    rests = " and ".join(f"{rest(n)} of {n} {what}" for what, n in sizes.items() if rest(n))
    text = (
        f"{one.name}, LSTM {one.lstm}: Arm's int8 kernel works in blocks of {BLOCK} and does {rests} one by "
        "one. "
    )
    if one.instructions is None:
        return f"{text}What zeros up to the next multiple would save was not measured: {one.skipped}."
    tried = "; ".join(
        f"with {features} features and {units} units {count:,} ({_change(count, one.instructions)})"
        for features, units, count in one.variants
    )
    text += f"The LSTM alone executes {one.instructions:,} instructions ({one.cpu}, emulated), {tried}. "
    if one.best is None:
        return text + "Padding does not pay."
    features, units, _ = one.best
    parts = [
        f"{new} {what} instead of {old}"
        for new, old, what in ((features, one.features, "features"), (units, one.units, "units"))
        if new != old
    ]
    return text + f"Recommended: {' and '.join(parts)}. The further ones may be zero."


def notes(found: Benchmark) -> Iterator[str]:
    """Why there is no profile of a file."""
    for one in found.profiles:
        if one.skipped:
            yield f"No profile of {one.name}: {one.skipped}."


def _executed(one: OpInstructions) -> str:
    return f"< {one.below:,}" if one.instructions is None else f"{one.instructions:,}"


def _without_delegate(counted: Instructions) -> str:
    return (
        f"Arm instr.: executed on {counted.cpu}, emulated, without the delegate; no time. The first operator "
        "has what the call itself takes, too."
    )


def _memory(one: Entry) -> str:
    if one.memory is None:
        return NONE
    return f"{'' if one.memory.source == 'interpreter' else '≥ '}{size(one.memory.bytes)}"


def _change(count: int, before: int) -> str:
    return f"{100 * (count - before) / before:+.1f} %"


def _cores(machine: Environment) -> str:
    return "1 core" if machine.cores == 1 else f"{machine.cores} cores"
