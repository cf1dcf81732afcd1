"""All roundings on: the integer kernel to the last bit. All off: the float LSTM. Between: each by itself."""

from dataclasses import replace

import numpy as np
import pytest
from int8_lstm_file import Int8Lstm, build
from numpy.typing import NDArray

from converters import schema
from converters.lstm_op import lstm_nodes
from converters.microscope.roundings import NONE, WEIGHTS, Rounding, Switch, switches
from converters.microscope.simulation import FloatWeights, Input, Step, SwitchableLstm

Array = NDArray[np.float64]


def random_lstm(seed: int) -> Int8Lstm:
    """Any shape and gain, scales tied or not, cell clip on or off."""
    random = np.random.default_rng(seed)
    units, features, steps = (int(random.integers(1, most + 1)) for most in (40, 12, 25))
    gain = float(random.choice([0.3, 1, 3, 10]))

    def affine(size: float) -> tuple[float, int]:
        return float(np.float32(size * random.uniform(0.5, 1.5))), int(random.integers(-128, 128))

    state = affine(1 / 128)
    tied = seed % 2 == 0
    return Int8Lstm(
        random.integers(-127, 128, (4, units, features)).astype(np.int8),
        random.integers(-127, 128, (4, units, units)).astype(np.int8),
        random.integers(-20000, 20000, (4, units)).astype(np.int32),
        tuple(affine(gain * 0.03 / features**0.5)[0] for _ in range(4)),
        tuple(affine(gain * 0.03 / units**0.5)[0] for _ in range(4)),
        input=affine(1 / 40),
        state=state,
        hidden=state if tied else affine(1 / 128),
        output=state if tied else affine(1 / 128),
        cell_scale=2.0 ** int(random.integers(-15, -8)),
        cell_clip=float(random.choice([0, 0.4, 10])),
        steps=steps,
        batch=3,
    )


def switchable(lstm: Int8Lstm, weights: FloatWeights | None = None) -> SwitchableLstm:
    model = schema.read_model(build(lstm))
    return SwitchableLstm.from_model(model, lstm_nodes(model)[0], 0, weights)


def random_weights(lstm: Int8Lstm, seed: int) -> FloatWeights:
    """Real weights that round to the file's."""
    random = np.random.default_rng(seed)
    parts = [
        (steps + random.uniform(-0.499, 0.499, steps.shape))
        * np.reshape(scales, (4,) + (1,) * (steps.ndim - 1))
        for steps, scales in (
            (lstm.input_weights, lstm.input_weight_scales),
            (lstm.recurrent_weights, lstm.recurrent_weight_scales),
            (lstm.bias, np.array(lstm.input_weight_scales) * lstm.input[0]),
        )
    ]
    return FloatWeights(*(part.reshape(4 * lstm.units, *part.shape[2:]) for part in parts))


def random_input(lstm: Int8Lstm, seed: int) -> Input:
    """Full-range noise, and real numbers that round to it."""
    random = np.random.default_rng(seed)
    q = random.integers(-128, 128, (lstm.batch, lstm.steps, lstm.features)).astype(np.int8)
    scale, zero_point = lstm.input
    return Input(q, (q + random.uniform(-0.499, 0.499, q.shape) - zero_point) * scale)


def float_lstm(weights: FloatWeights, x: Array) -> Array:
    """h of every step, as in a textbook."""
    units = weights.recurrent.shape[1]
    h, c, hidden = np.zeros((len(x), units)), np.zeros((len(x), units)), []
    for t in range(x.shape[1]):
        a = x[:, t] @ weights.input.T + h @ weights.recurrent.T + weights.bias
        i, f, g, o = np.split(a, 4, axis=1)
        with np.errstate(over="ignore"):
            i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        hidden.append(h)
    return np.stack(hidden, axis=1)


def hidden(steps: list[Step]) -> Array:
    return np.stack([step.hidden for step in steps], axis=1)


@pytest.mark.parametrize("seed", range(16))
def test_with_all_roundings_on_it_is_the_integer_kernel_to_the_last_bit(seed: int) -> None:
    lstm = random_lstm(seed)
    one, x = switchable(lstm, random_weights(lstm, seed)), random_input(lstm, seed)
    trace, steps = one.integer.run(x.quantized), list(one.simulate(x, one.switches(x)))
    scale, zero_point = lstm.output
    np.testing.assert_array_equal(hidden(steps), (trace.hidden.astype(float) - zero_point) * scale)
    for t, step in enumerate(steps):
        np.testing.assert_array_equal(step.gate_inputs.swapaxes(0, 1) * 2**12, trace.gate_inputs[:, t])
        np.testing.assert_array_equal(step.gates.swapaxes(0, 1) * 2**15, trace.gates[:, t])
        np.testing.assert_array_equal(step.cell / lstm.cell_scale, trace.cell[:, t])
        np.testing.assert_array_equal(step.tanh_cell * 2**15, trace.tanh_cell[:, t])


@pytest.mark.parametrize("seed", range(8))
def test_with_all_roundings_off_it_is_the_float_lstm(seed: int) -> None:
    lstm = random_lstm(seed)
    weights, x = random_weights(lstm, seed), random_input(lstm, seed)
    assert x.real is not None
    found = hidden(list(switchable(lstm, weights).simulate(x, NONE)))
    np.testing.assert_allclose(found, float_lstm(weights, x.real), atol=1e-9)


def test_without_float_weights_the_float_side_has_the_file_s_own() -> None:
    lstm = random_lstm(3)
    exact = FloatWeights(
        *(
            (steps * np.reshape(scales, (4,) + (1,) * (steps.ndim - 1))).reshape(
                4 * lstm.units, *steps.shape[2:]
            )
            for steps, scales in (
                (lstm.input_weights.astype(float), lstm.input_weight_scales),
                (lstm.recurrent_weights.astype(float), lstm.recurrent_weight_scales),
                (lstm.bias.astype(float), np.array(lstm.input_weight_scales) * lstm.input[0]),
            )
        )
    )
    one, x = switchable(lstm), Input(random_input(lstm, 3).quantized, None)
    scale, zero_point = lstm.input
    expected = float_lstm(exact, (x.quantized.astype(float) - zero_point) * scale)
    np.testing.assert_allclose(hidden(list(one.simulate(x, NONE))), expected, atol=1e-9)
    assert not {switch.rounding for switch in one.switches(x)} & {*WEIGHTS, Rounding.INPUT}


def test_every_switch_changes_something() -> None:
    lstm = replace(
        random_lstm(5),  # with three formats of h
        steps=12,
        input_weight_scales=(1e-3,) * 4,
        recurrent_weight_scales=(1e-3,) * 4,
        cell_clip=0.05,
        cell_scale=2.0**-12,
    )
    one, x = switchable(lstm, random_weights(lstm, 5)), random_input(lstm, 5)
    everything = one.switches(x)
    assert {switch.rounding for switch in everything} == set(Rounding)
    nothing = hidden(list(one.simulate(x, NONE)))
    for switch in everything:
        assert (hidden(list(one.simulate(x, frozenset([switch])))) != nothing).any(), switch


@pytest.mark.parametrize(
    ("change", "absent"),
    [
        ({"cell_clip": 0.0}, Rounding.CELL_CLIP),
        ({"cell_clip": 1e6}, Rounding.CELL_CLIP),  # beyond the int16
        ({"state": (1 / 128, 0), "hidden": (1 / 128, 0), "output": (1 / 128, 0)}, Rounding.STATE_SCALES),
    ],
)
def test_what_the_file_does_not_do_is_no_switch(change: dict[str, object], absent: Rounding) -> None:
    lstm = replace(random_lstm(5), **change)  # type: ignore[arg-type]
    x = random_input(lstm, 5)
    assert absent not in {switch.rounding for switch in switchable(lstm).switches(x)}


def test_a_clip_beyond_the_range_keeps_the_kernel_from_the_lowest_int16() -> None:
    lstm = replace(random_lstm(3), cell_clip=1e6, cell_scale=2.0**-15)
    one, x = switchable(lstm), random_input(lstm, 3)
    trace = one.integer.run(x.quantized)
    assert trace.cell.min() == -32767
    cells = np.stack([step.cell for step in one.simulate(x, one.switches(x))], axis=1)
    np.testing.assert_array_equal(cells / lstm.cell_scale, trace.cell)


class TestByHand:
    """One unit, one feature, one step: x = 100/256 q = 100, W = 64/128 for all gates, R = 0, b = 0."""

    LSTM = Int8Lstm(
        np.full((4, 1, 1), 64, np.int8),
        np.zeros((4, 1, 1), np.int8),
        np.zeros((4, 1), np.int32),
        (1 / 128,) * 4,
        (1 / 128,) * 4,
        input=(1 / 256, 0),
        cell_scale=2.0**-15,
    )
    X = Input(np.array([[[100]]], np.int8), np.array([[[0.39]]]))

    def step(self, *on: Rounding, gates: tuple[str, ...] = ()) -> Step:
        chosen = switches(on) | {Switch(Rounding.GATE_INPUTS, gate) for gate in gates}
        (found,) = switchable(self.LSTM).simulate(self.X, chosen)
        return found

    def test_nothing_is_rounded(self) -> None:
        a = 0.39 / 2
        sigmoid = 1 / (1 + np.exp(-a))
        cell = sigmoid * np.tanh(a)
        found = self.step()
        assert found.gate_inputs.ravel() == pytest.approx([a] * 4, abs=1e-12)
        assert found.cell.item() == pytest.approx(cell, abs=1e-12)
        assert found.hidden.item() == pytest.approx(sigmoid * np.tanh(cell), abs=1e-12)

    def test_only_the_input(self) -> None:
        assert self.step(Rounding.INPUT).gate_inputs.ravel().tolist() == [100 / 256 / 2] * 4

    def test_only_the_gate_input_of_one_gate(self) -> None:
        """0.195 in Q3.12 is 798.72: 799."""
        found = self.step(gates=("forget",)).gate_inputs.ravel()
        assert found == pytest.approx([0.195, 799 / 4096, 0.195, 0.195], abs=1e-12)

    def test_only_the_hidden_state(self) -> None:
        h = self.step().hidden.item() * 128
        assert h % 1 > 0.01
        assert self.step(Rounding.HIDDEN).hidden.item() == round(h) / 128

    def test_only_the_cell(self) -> None:
        cell = self.step().cell.item() * 2**15
        assert self.step(Rounding.CELL).cell.item() == round(cell) / 2**15
