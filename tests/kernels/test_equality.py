"""fuselage-kernels against the built-in kernel and against the integer reference, to the last bit.

`pytest tests/kernels/test_equality.py -m slow -s` prints how many output bytes were compared.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from int8_lstm_file import Int8Lstm, build
from kernel_cases import Running, fuselage_kernels, random_input, random_lstm, same

from converters.integer_lstm import IntegerLstm, IntegerTrace

PATHS = fuselage_kernels.runnable_paths()
LONG_RUN = 10_000_000  # output bytes at least, of each path


def seen(lstm: Int8Lstm, reference: IntegerLstm, trace: IntegerTrace) -> Iterator[str]:
    """What a case covers."""
    yield f"cell exponent {reference.cell_exponent}"
    for name in ("gate_input_saturated", "cell_saturated", "cell_clipped", "hidden_saturated"):
        if getattr(trace, name).any():
            yield name
    for shift in {*reference.from_input.shift.tolist(), *reference.from_hidden.shift.tolist()}:
        yield "left shift" if shift > 0 else "no shift" if shift == 0 else "right shift"
    yield f"batch {lstm.batch}"
    yield "time-major" if lstm.time_major else "batch-major"
    yield "features not a multiple of 4" if lstm.features % 4 else "features a multiple of 4"
    yield "units not a multiple of 32" if lstm.units % 32 else "units a multiple of 32"


EVERYTHING = {
    *(f"cell exponent {exponent}" for exponent in range(-15, -8)),
    *("gate_input_saturated", "cell_saturated", "cell_clipped", "hidden_saturated"),
    *("left shift", "no shift", "right shift", "time-major", "batch-major", "batch 1", "batch 8"),
    *("features not a multiple of 4", "features a multiple of 4"),
    *("units not a multiple of 32", "units a multiple of 32"),
}


def compare(
    seeds: range, paths: tuple[str, ...] = PATHS, reference: bool = False
) -> tuple[int, Counter[str]]:
    """Two windows each, the second from the state that the first left. Returns the bytes of output a path."""
    outputs, covered = 0, Counter[str]()
    for seed in seeds:
        lstm = random_lstm(seed)
        builtin, ours = Running.of(lstm), {path: Running.of(lstm, path) for path in paths}
        state: tuple[np.ndarray, ...] = ()
        for number in range(2):
            x = random_input(lstm, 2 * seed + number)
            expected = builtin.run(x)
            outputs += expected[0].size
            for path, one in ours.items():
                assert same(expected, one.run(x)), f"{path} differs, seed {seed}, window {number}"
            if reference:
                integers = IntegerLstm.from_model(build(lstm))
                trace = integers.run(x.swapaxes(0, 1) if lstm.time_major else x, *state)
                hidden = trace.hidden.swapaxes(0, 1) if lstm.time_major else trace.hidden
                assert np.array_equal(expected[0], hidden)
                covered.update(seen(lstm, integers, trace))
                state = (trace.hidden[:, -1], trace.cell[:, -1])
        for one in ours.values():
            assert fuselage_kernels.describe(one.delegate).taken == 1
    return outputs, covered


@pytest.mark.slow
def test_random_lstms_equal_the_built_in_kernel_and_the_reference() -> None:
    outputs, covered = compare(range(150), reference=True)
    print(f"\n{outputs:,} output bytes of each of {', '.join(PATHS)}, 0 differing")
    assert not EVERYTHING - set(covered), EVERYTHING - set(covered)


def test_a_few_random_lstms_equal_the_built_in_kernel() -> None:
    assert compare(range(150, 180))[0] > 10_000


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_the_long_run(path: str) -> None:
    """Only the fast ones go the whole way; plain C takes as long as the built-in kernel."""
    outputs, seed = 0, 1000
    while outputs < LONG_RUN:
        outputs += compare(range(seed, seed + 20), (path,))[0]
        seed += 20
    print(f"\n{path}: {outputs:,} output bytes of {seed - 1000} LSTMs, 0 differing")


@pytest.mark.parametrize("path", PATHS)
def test_every_size_up_to_where_a_vector_is_full_twice(path: str) -> None:
    for size in range(1, 66):
        lstm = replace(random_lstm(size, units=size, features=66 - size), steps=3)
        x = random_input(lstm, size)
        assert same(Running.of(lstm).run(x), Running.of(lstm, path).run(x)), size


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_the_largest_sizes(path: str) -> None:
    for units, features, batch in ((512, 256, 1), (511, 255, 2), (512, 1, 8), (1, 256, 8), (509, 251, 3)):
        lstm = random_lstm(units + features, units, features, batch)
        x = random_input(lstm, 1)
        assert same(Running.of(lstm).run(x), Running.of(lstm, path).run(x))


@pytest.mark.parametrize("exponent", range(-15, -8))
def test_every_cell_scale(exponent: int) -> None:
    """With gates open (bias), so that the cell walks through its whole range and saturates."""
    lstm = replace(random_lstm(5, 24, 8, 2), cell_scale=2.0**exponent, cell_clip=0.0, steps=200)
    lstm.bias[1] = 20_000  # forget little
    builtin, ours = Running.of(lstm), [Running.of(lstm, path) for path in PATHS]
    for number in range(4):
        x = random_input(lstm, number)
        expected = builtin.run(x)
        assert all(same(expected, one.run(x)) for one in ours)


@pytest.mark.parametrize("path", PATHS)
def test_carried_and_reset_state(path: str) -> None:
    lstm = random_lstm(11, 40, 9, 2)
    pair = Running.of(lstm), Running.of(lstm, path)
    x = random_input(lstm, 1)
    first, carried = ([one.run(x) for one in pair] for _ in range(2))
    assert same(*first)
    assert same(*carried)
    assert not same(first[0], carried[0])
    for one in pair:
        one.interpreter.reset_all_variables()
    assert same(pair[1].run(x), first[0])
    for one in pair:  # a state that somebody sets counts
        one.interpreter.set_tensor(one.places["h"], np.full((2, 40), 77, np.int8))
        one.interpreter.set_tensor(one.places["c"], np.full((2, 40), -12345, np.int16))
    assert same(*(one.run(x) for one in pair))


@pytest.mark.parametrize("path", PATHS)
def test_resized_inputs(path: str) -> None:
    """More steps, fewer, and back; a batch for which the state is too small is an error, as built in."""
    lstm = replace(random_lstm(12, 33, 10, 1), steps=20, time_major=False)
    pair = Running.of(lstm), Running.of(lstm, path)
    for steps in (37, 1, 20, 100):
        for one in pair:
            one.interpreter.resize_tensor_input(one.places["x"], [1, steps, 10])
            one.interpreter.allocate_tensors()
            one.interpreter.reset_all_variables()
        x = np.random.default_rng(steps).integers(-128, 128, (1, steps, 10)).astype(np.int8)
        results = [one.run(x) for one in pair]
        assert results[0][0].shape == (1, steps, 33)
        assert same(*results), steps
    for one in pair:
        one.interpreter.resize_tensor_input(one.places["x"], [2, 20, 10])
        with pytest.raises(RuntimeError):
            one.interpreter.allocate_tensors()


@pytest.mark.parametrize("shared", [True, False], ids=["one delegate", "a delegate each"])
def test_interpreters_in_threads(shared: bool) -> None:
    lstms = [replace(random_lstm(seed, 64, 20, 1), steps=50) for seed in range(6)]
    inputs = [random_input(lstm, seed) for seed, lstm in enumerate(lstms)]
    expected = [[Running.of(lstm).run(x)] * 20 for lstm, x in zip(lstms, inputs, strict=True)]
    first = Running.of(lstms[0], PATHS[0]).delegate
    found: list[list[list[np.ndarray]]] = [[] for _ in lstms]
    start = threading.Barrier(len(lstms))

    def work(number: int) -> None:
        start.wait()
        one = Running(build(lstms[number]), PATHS[0], first if shared else None)
        for _ in range(20):
            one.interpreter.reset_all_variables()
            found[number].append(one.run(inputs[number]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(lstms))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ours, theirs in zip(found, expected, strict=True):
        assert len(ours) == 20
        assert all(map(same, ours, theirs))
    if shared:
        assert fuselage_kernels.describe(first).taken == len(lstms) + 1
