"""The integer reference against the interpreters, to the last bit.

`pytest tests/converters/test_integer_lstm.py -m slow -s` prints how many outputs were compared.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as generated
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from int8_lstm_file import Int8Lstm, build

from converters import schema
from converters.integer_lstm import IntegerLstm, IntegerTrace
from converters.lstm_kernels import KERNELS
from converters.lstm_op import LstmInput, lstm_nodes
from models.errors import InputError
from models.quantization import fixed_point

CORNERS = ((1, 1, 1, 1), (256, 64, 300, 1), (1, 64, 300, 3), (256, 1, 2, 4), (129, 63, 7, 2))
"""Units, features, steps, batch."""


def random_lstm(seed: int, exponents: range) -> Int8Lstm:
    """Any shape, any gain, asymmetric zero points, scales that differ or are tied, cell clip on or off."""
    random = np.random.default_rng(seed)
    if seed < len(CORNERS):
        units, features, steps, batch = CORNERS[seed]
    else:
        units, features, steps = (
            int(random.integers(2, most + 1) ** random.uniform(0, 1)) for most in (256, 64, 300)
        )
        batch = int(random.integers(1, 5))
    gain = float(random.choice([0.3, 1, 3, 10]))  # from quiet gates to gates that are always saturated
    power_of_two = random.random() < 0.25  # where the multiplier's own rounding meets halves

    def scale(size: float) -> float:
        value = size * random.uniform(0.5, 1.5)
        return float(np.float32(2.0 ** np.round(np.log2(value)) if power_of_two else value))

    def affine(size: float) -> tuple[float, int]:
        return scale(size), int(random.integers(-128, 128))

    state = (1 / 128, 0) if random.random() < 0.3 else affine(1 / 128)
    tied = random.random() < 0.3
    return Int8Lstm(
        random.integers(-127, 128, (4, units, features)).astype(np.int8),
        random.integers(-127, 128, (4, units, units)).astype(np.int8),
        random.integers(-20000, 20000, (4, units)).astype(np.int32),
        tuple(scale(gain * 0.03 / features**0.5) for _ in range(4)),
        tuple(scale(gain * 0.03 / units**0.5) for _ in range(4)),
        input=affine(1 / 40),
        state=state,
        hidden=state if tied else affine(1 / 128),
        output=state if tied else affine(1 / 128),
        cell_scale=2.0 ** int(random.choice(exponents)),
        cell_clip=float(random.choice([0, 0, 0.4, 10])),
        steps=steps,
        batch=batch,
        time_major=bool(random.integers(2)),
    )


def random_input(lstm: Int8Lstm, seed: int) -> np.ndarray:
    """Full-range noise, or a smooth signal."""
    random = np.random.default_rng(seed)
    shape = (lstm.batch, lstm.steps, lstm.features)
    if seed % 2:
        return random.integers(-128, 128, shape).astype(np.int8)
    steps = np.cumsum(random.normal(size=shape), axis=1) * 10 + lstm.input[1]
    return np.clip(np.rint(steps), -128, 127).astype(np.int8)


class LiteRT:
    """The LSTM in the interpreter; its state is kept between runs."""

    def __init__(self, lstm: Int8Lstm) -> None:
        self.lstm = lstm
        self.interpreter = Interpreter(model_content=build(lstm), num_threads=1)
        self.interpreter.allocate_tensors()
        self.interpreter.reset_all_variables()
        self.places = {tensor["name"]: tensor["index"] for tensor in self.interpreter.get_tensor_details()}

    def run(self, x: np.ndarray) -> np.ndarray:
        self.interpreter.set_tensor(self.places["x"], x.swapaxes(0, 1) if self.lstm.time_major else x)
        self.interpreter.invoke()
        y = self.interpreter.get_tensor(self.places["y"])
        return y.swapaxes(0, 1) if self.lstm.time_major else y

    def state(self) -> tuple[np.ndarray, np.ndarray]:
        return self.interpreter.get_tensor(self.places["h"]), self.interpreter.get_tensor(self.places["c"])


def micro_output(lstm: Int8Lstm) -> Callable[[np.ndarray], np.ndarray]:
    """The same in TFLite Micro's Python interpreter, which does not show the state."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(build(lstm), arena_size=4_000_000)

    def run(x: np.ndarray) -> np.ndarray:
        interpreter.set_input(x.swapaxes(0, 1) if lstm.time_major else x, 0)
        interpreter.invoke()
        y = interpreter.get_output(0)
        return y.swapaxes(0, 1) if lstm.time_major else y

    return run


def seen(lstm: Int8Lstm, reference: IntegerLstm, trace: IntegerTrace) -> Iterator[str]:
    """What a case covers."""
    yield f"cell exponent {reference.cell_exponent}"
    for name in ("gate_input_saturated", "cell_saturated", "cell_clipped", "hidden_saturated"):
        if getattr(trace, name).any():
            yield name
    for shift in {*reference.from_input.shift.tolist(), *reference.from_hidden.shift.tolist()}:
        yield "left shift" if shift > 0 else "no shift" if shift == 0 else "right shift"
    if np.log2(lstm.input_weight_scales[0]) % 1 == 0:
        yield "scales that are powers of two"
    if len({lstm.state, lstm.hidden, lstm.output}) == 3:
        yield "three formats of h"
    if len({lstm.state, lstm.hidden, lstm.output}) == 1:
        yield "one format of h"
    if lstm.batch > 1:
        yield "time-major batch" if lstm.time_major else "batch"


EVERYTHING = {
    *("gate_input_saturated", "cell_saturated", "cell_clipped", "hidden_saturated"),
    *("left shift", "no shift", "right shift", "scales that are powers of two"),
    *("three formats of h", "one format of h", "time-major batch", "batch"),
}


def compare_with_litert(seeds: range) -> tuple[int, Counter[str]]:
    """Two windows each, the second from the state that the first left. Returns the number of outputs."""
    outputs, covered = 0, Counter[str]()
    exponents = KERNELS["lite"].cell_exponents
    for seed in seeds:
        lstm = random_lstm(seed, exponents)
        interpreter, reference = LiteRT(lstm), IntegerLstm.from_model(build(lstm))
        hidden = cell = None
        for window in range(2):
            x = random_input(lstm, 2 * seed + window)
            trace = reference.run(x, hidden, cell)
            hidden, cell = trace.hidden[:, -1], trace.cell[:, -1]
            np.testing.assert_array_equal(trace.hidden, interpreter.run(x), err_msg=f"seed {seed}")
            for ours, theirs in zip((hidden, cell), interpreter.state(), strict=True):
                np.testing.assert_array_equal(ours, theirs, err_msg=f"state, seed {seed}")
            outputs += trace.hidden.size
            covered.update(seen(lstm, reference, trace))
    return outputs, covered


def test_equals_litert_to_the_last_bit() -> None:
    outputs, _ = compare_with_litert(range(1000, 1018))
    assert outputs > 50_000


@pytest.mark.slow
def test_equals_litert_to_the_last_bit_over_millions_of_outputs() -> None:
    outputs, covered = compare_with_litert(range(400))
    print(f"\nLiteRT: {outputs:,} of {outputs:,} outputs equal, and every state; cases: {dict(covered)}")
    assert outputs >= 1_000_000
    assert covered.keys() >= EVERYTHING | {f"cell exponent {n}" for n in range(-15, -8)}


@pytest.mark.slow
def test_equals_tflite_micro_to_the_last_bit_over_millions_of_outputs() -> None:
    pytest.importorskip("tflite_micro", reason="pip install tflite-micro: it runs the reference kernels")
    outputs, covered = 0, Counter[str]()
    for seed in range(400):
        lstm = random_lstm(seed, KERNELS["micro"].cell_exponents)
        run, reference = micro_output(lstm), IntegerLstm.from_model(build(lstm), kernel="micro")
        hidden = cell = None
        for window in range(2):
            x = random_input(lstm, 2 * seed + window)
            trace = reference.run(x, hidden, cell)
            hidden, cell = trace.hidden[:, -1], trace.cell[:, -1]
            np.testing.assert_array_equal(trace.hidden, run(x), err_msg=f"seed {seed}")
            outputs += trace.hidden.size
            covered.update(seen(lstm, reference, trace))
    print(f"\nTFLite Micro: {outputs:,} of {outputs:,} outputs equal; cases: {dict(covered)}")
    assert outputs >= 1_000_000
    assert covered.keys() >= EVERYTHING | {f"cell exponent {n}" for n in range(-17, -4)}


def one_op(name: str, kind: str, scale: float) -> bytes:
    """A file that applies one op to all int16 values: scale -> 2^-15."""
    model, graph, operator = generated.ModelT(), generated.SubGraphT(), generated.OperatorT()
    code = generated.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(generated.BuiltinOperator, name)
    code.version = 1
    graph.tensors = []
    for step in (scale, 2.0**-15):
        tensor = generated.TensorT()
        tensor.name, tensor.shape, tensor.buffer, tensor.hasRank = kind, [65536], 0, True
        tensor.type = generated.TensorType.INT16
        tensor.quantization = generated.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [step], [0]
        graph.tensors.append(tensor)
    operator.inputs, operator.outputs = [0], [1]
    graph.inputs, graph.outputs, graph.operators = [0], [1], [operator]
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers = [generated.BufferT()]
    return schema.write_model(model)


@pytest.mark.parametrize(("op", "exponent"), [("LOGISTIC", -12), ("TANH", -12), ("TANH", -11)])
def test_the_tables_of_micro_are_those_of_litert_s_16_bit_ops(op: str, exponent: int) -> None:
    """LiteRT's reference LOGISTIC and TANH are the functions that TFLite Micro's LSTM calls."""
    interpreter = Interpreter(
        model_content=one_op(op, "INT16", 2.0**exponent),
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, np.arange(-32768, 32768, dtype=np.int16))
    interpreter.invoke()
    micro = KERNELS["micro"]
    table = micro.gate_tables()[0] if op == "LOGISTIC" else micro.cell_tanh(exponent)
    np.testing.assert_array_equal(table, interpreter.get_tensor(1))


class TestByHand:
    """One unit, one feature. x = 1 / 4 (q = 64 at 1/256), W = 64/128 for all gates, R = 0, no bias."""

    LSTM = Int8Lstm(
        np.full((4, 1, 1), 64, np.int8),
        np.zeros((4, 1, 1), np.int8),
        np.zeros((4, 1), np.int32),
        (1 / 128,) * 4,
        (1 / 128,) * 4,
        input=(1 / 256, 0),
        cell_scale=2.0**-15,
    )

    def test_one_step(self) -> None:
        trace = IntegerLstm.from_model(build(self.LSTM)).run(np.array([[[64]]], np.int8))
        # 64 * 64 = 4096 of scale 2^-15 is 1/8: 512 in Q3.12.
        np.testing.assert_array_equal(trace.gate_inputs.ravel(), [512] * 4)
        i, f, g, o = trace.gates.ravel().tolist()
        # sigmoid(1/8) = 0.53121, tanh(1/8) = 0.12435; the kernel's functions err by a few 2^-15.
        assert i == f == o
        assert abs(i - 0.53121 * 32768) < 8
        assert abs(g - 0.12435 * 32768) < 16
        # c = 0 * f + i g: two Q0.15 values, so RDP by 30 - 15 to scale 2^-15.
        assert trace.cell.item() == (i * g + 2**14) // 2**15
        # h = o tanh(c) * 128: 2^-30 * 2^7 = 2^-23.
        assert trace.hidden.item() == round(o * trace.tanh_cell.item() / 2**23) == 4

    def test_the_zero_points_are_folded_into_the_biases(self) -> None:
        lstm = replace(self.LSTM, input=(1 / 256, 24), bias=np.full((4, 1), 100, np.int32))
        lstm = replace(lstm, recurrent_weights=np.full((4, 1, 1), 3, np.int8), state=(1 / 128, -5))
        reference = IntegerLstm.from_model(build(lstm))
        assert reference.from_input.bias.tolist() == [100 - 24 * 64] * 4
        assert reference.from_hidden.bias.tolist() == [0 - (-5) * 3] * 4
        # 64 / 128 / 256 * 2^12: 2^-3 = 2^30 / 2^31 * 2^-2
        assert reference.from_input.multiplier.tolist() == [2**30] * 4
        assert reference.from_input.shift.tolist() == [-2] * 4

    def test_the_gate_input_saturates_in_its_parts_and_in_the_sum(self) -> None:
        """32 * 127 * 127 / 2^5 > 8 in Q3.12 from x, and h pulls back from there, not from beyond."""
        lstm = replace(
            self.LSTM,
            input_weights=np.full((4, 1, 1), 127, np.int8),
            recurrent_weights=np.full((4, 1, 1), -128, np.int8),
            input=(1.0, 0),
        )
        reference = IntegerLstm.from_model(build(lstm))
        trace = reference.run(np.array([[[127]]], np.int8), hidden=np.array([[64]], np.int8))
        # From h: -128 * 64 / 2^14 = -1/2, that is -2048.
        assert trace.gate_inputs.ravel().tolist() == [32767 - 2048] * 4
        assert trace.gate_input_saturated.all()

    def test_a_cell_that_overflows_saturates_and_a_clip_holds_it(self) -> None:
        x = np.full((1, 4, 1), 127, np.int8)
        lstm = replace(self.LSTM, input=(1.0, 0), steps=4)
        free = IntegerLstm.from_model(build(lstm)).run(x)
        assert free.cell[0, -1, 0] == 32767
        assert free.cell_saturated[0, -1, 0]
        assert not free.cell_clipped.any()
        held = IntegerLstm.from_model(build(replace(lstm, cell_clip=0.5))).run(x)
        assert held.cell.ravel().tolist() == [16384] * 4
        assert held.cell_clipped.all()

    def test_hidden_saturates_in_int8(self) -> None:
        lstm = replace(self.LSTM, input=(1.0, 0), hidden=(1 / 1024, 0))
        trace = IntegerLstm.from_model(build(lstm)).run(np.array([[[127]]], np.int8))
        assert trace.hidden.item() == 127
        assert trace.hidden_saturated.item()


def test_a_left_shift_that_overflows_wraps_as_in_litert() -> None:
    lstm = replace(random_lstm(7, range(-12, -11)), input_weight_scales=(1e6, 1e5, 1e4, 1e3))
    x = random_input(lstm, 1)
    np.testing.assert_array_equal(IntegerLstm.from_model(build(lstm)).run(x).hidden, LiteRT(lstm).run(x))


def test_the_factor_of_the_hidden_value_is_a_float32() -> None:
    """A double differs in some of a million outputs: one unit for each such pair of gate inputs."""
    scale = float(np.float32(0.005484))
    a_g, a_o = np.arange(-32768, 32768, 8), np.arange(-32768, 32768, 256)
    i, g = fixed_point.logistic_table()[-1].astype(np.int64), fixed_point.tanh_tables()[3][a_g + 32768]
    cell = fixed_point.rounding_divide_by_pot(i * g, 15)  # one step from c = 0 at scale 2^-15
    o, t = (
        fixed_point.logistic_table()[a_o + 32768].astype(np.int64),
        fixed_point.tanh_tables()[0][cell + 32768],
    )
    single, double = (
        fixed_point.multiply_by_quantized_multiplier(o[:, None] * t, *fixed_point.quantize_multiplier(factor))
        for factor in (float(np.float32(2.0**-30 / scale)), 2.0**-30 / scale)
    )
    rows, columns = np.nonzero(single != double)
    units = rows.size
    assert units > 5
    always, never = np.full(units, 32767), np.zeros(units)
    lstm = Int8Lstm(
        np.zeros((4, units, 1), np.int8),
        np.zeros((4, units, units), np.int8),
        np.stack([always, never, a_g[columns], a_o[rows]]).astype(np.int32),  # the gate inputs themselves
        (2.0**-12,) * 4,
        (2.0**-12,) * 4,
        input=(1.0, 0),
        hidden=(scale, 0),
        cell_scale=2.0**-15,
    )
    x = np.zeros((1, 1, 1), np.int8)
    np.testing.assert_array_equal(LiteRT(lstm).run(x).ravel(), single[rows, columns])
    np.testing.assert_array_equal(
        IntegerLstm.from_model(build(lstm)).run(x).hidden.ravel(), single[rows, columns]
    )


@pytest.mark.parametrize("exponent", [-16, -8])
def test_without_a_tanh_litert_writes_the_input_gate_instead(exponent: int) -> None:
    """Why such a cell scale is refused: the array of tanh(c) still holds i, so h = o * i."""
    lstm = replace(random_lstm(6, range(-12, -11)), steps=1)
    x = random_input(lstm, 1)
    reference = IntegerLstm.from_model(build(lstm))
    i, _, _, o = reference.run(x).gates[:, 0].astype(np.int64).transpose(1, 0, 2)
    wrong = fixed_point.multiply_by_quantized_multiplier(o * i, *reference.hidden_multiplier)
    wrong = np.clip(wrong + reference.hidden_format.zero_point, -128, 127)
    broken = replace(lstm, cell_scale=2.0**exponent)
    np.testing.assert_array_equal(LiteRT(broken).run(x)[:, 0], wrong)
    with pytest.raises(InputError, match=rf"scale is 2\^{exponent}.*from 2\^-15 to 2\^-9"):
        IntegerLstm.from_model(build(broken))


def test_more_than_1024_inputs_are_exact_too() -> None:
    """Where a sum can pass 2^24, beyond which float32 does not hold every integer."""
    features = 1100
    lstm = Int8Lstm(
        np.full((4, 1, features), 127, np.int8),
        np.zeros((4, 1, 1), np.int8),
        np.zeros((4, 1), np.int32),
        (2.0**-12,) * 4,  # with input scale 1: a multiplier of 1
        (2.0**-12,) * 4,
        input=(1.0, 0),
    )
    x = np.full((1, features), -128, np.int8)
    x[0, 0] = -127
    exact = -127 * (128 * features - 1)
    assert int(np.float32(exact)) != exact
    assert IntegerLstm.from_model(build(lstm)).from_input(x).tolist() == [[exact] * 4]


def test_a_batch_is_its_windows() -> None:
    lstm = replace(random_lstm(8, range(-12, -11)), batch=5)
    reference, x = IntegerLstm.from_model(build(lstm)), random_input(lstm, 3)
    together = reference.run(x)
    alone = [reference.run(window[None]) for window in x]
    for name in vars(together):
        np.testing.assert_array_equal(
            getattr(together, name), np.concatenate([getattr(trace, name) for trace in alone])
        )


@pytest.mark.parametrize("name", ["int8", "int8_io"])
def test_a_file_of_the_stock_converter(tiny: dict[str, bytes], name: str) -> None:
    """Its state and hidden value have two formats. What the op gets and gives is read inside the model."""
    node = lstm_nodes(schema.read_model(tiny[name]))[0]
    interpreter = Interpreter(
        model_content=tiny[name],
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    reference = IntegerLstm.from_model(tiny[name])
    assert reference.state_format != reference.hidden_format
    assert reference.cell_clip > 0
    places = {tensor["name"]: tensor["index"] for tensor in interpreter.get_tensor_details()}
    x = np.random.default_rng(0).normal(size=(1, 6, 3)).astype(np.float32)
    for _ in range(3):
        interpreter.reset_all_variables()
        given = x if name == "int8" else reference.quantize_input(x)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], given)
        interpreter.invoke()
        seen_by_op = interpreter.get_tensor(places[schema.name(node.input)])
        np.testing.assert_array_equal(reference.quantize_input(x), seen_by_op)
        output = interpreter.get_tensor(places[schema.name(node.output)])
        np.testing.assert_array_equal(reference.run(seen_by_op).hidden, output)
        x = x * 2


SMALL = replace(random_lstm(20, range(-12, -11)), steps=2, batch=1)


class TestQuantizeInput:
    REFERENCE = IntegerLstm.from_model(build(replace(SMALL, input=(0.25, 3))))

    def test_ties_to_even_and_clips(self) -> None:
        x = np.array([0.0, 0.125, 0.375, -0.125, -0.375, 100.0, -100.0])
        assert self.REFERENCE.quantize_input(x).tolist() == [3, 3, 5, 3, 1, 127, -128]

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_refuses_what_is_not_finite(self, value: float) -> None:
        with pytest.raises(InputError, match="not finite"):
            self.REFERENCE.quantize_input(np.array([0.0, value]))


class TestErrors:
    """Each guard, made to fail."""

    def test_unknown_kernel(self) -> None:
        with pytest.raises(InputError, match=r"Unknown kernel 'cmsis'\. Known: lite, micro"):
            IntegerLstm.from_model(build(SMALL), kernel="cmsis")

    @pytest.mark.parametrize("index", [1, -1])
    def test_no_such_lstm(self, index: int) -> None:
        with pytest.raises(InputError, match=rf"1 fused LSTM\(s\), there is no index {index}"):
            IntegerLstm.from_model(build(SMALL), index)

    def test_a_float_lstm(self) -> None:
        model = schema.read_model(build(SMALL))
        for tensor in model.subgraphs[0].tensors:
            tensor.type = generated.TensorType.FLOAT32
        with pytest.raises(InputError, match="runs as float32"):
            IntegerLstm.from_model(model)

    @pytest.mark.parametrize("place", [LstmInput.CELL_TO_FORGET_WEIGHTS, LstmInput.INPUT_LAYER_NORM])
    def test_what_keras_does_not_have(self, place: LstmInput) -> None:
        lstm = replace(SMALL, extra={place: np.ones(SMALL.units, np.int16)})
        with pytest.raises(InputError, match=f"has {place.name}"):
            IntegerLstm.from_model(build(lstm))

    @pytest.mark.parametrize(
        ("place", "what"),
        [
            (LstmInput.INPUT_TO_INPUT_WEIGHTS, "input weights"),
            (LstmInput.RECURRENT_TO_INPUT_WEIGHTS, "recurrent weights"),
            (LstmInput.INPUT_GATE_BIAS, "bias"),
        ],
    )
    def test_a_gate_left_out(self, place: LstmInput, what: str) -> None:
        model = schema.read_model(build(SMALL))
        operator = lstm_nodes(model)[0].operator
        operator.inputs = [-1 if n == place else tensor for n, tensor in enumerate(operator.inputs)]
        with pytest.raises(InputError, match=rf"no {what} for the gate\(s\) input"):
            IntegerLstm.from_model(model)

    @pytest.mark.parametrize("scale", [3 * 2.0**-12, 1.001 * 2.0**-12])
    def test_a_cell_scale_that_is_no_power_of_two(self, scale: float) -> None:
        with pytest.raises(InputError, match="no power of two"):
            IntegerLstm.from_model(build(replace(SMALL, cell_scale=scale)))

    def test_with_such_a_scale_litert_writes_zeros(self) -> None:
        """Its Prepare stops before the multipliers are set, and nobody looks at its status."""
        assert not LiteRT(replace(SMALL, cell_scale=1.3 * 2.0**-12)).run(random_input(SMALL, 1)).any()

    @pytest.mark.parametrize("damage", [(0.0, 0), (float("nan"), 0), (float("inf"), 0), (0.1, 200)])
    def test_a_scale_or_zero_point_that_cannot_be(self, damage: tuple[float, int]) -> None:
        with pytest.raises(InputError, match=r"the hidden value .+ no positive scale"):
            IntegerLstm.from_model(build(replace(SMALL, hidden=damage)))

    @pytest.mark.parametrize(
        ("change", "what"),
        [
            ({"input_weight_scales": (1.0, 1.0, 1e30, 1.0)}, "gate 'cell'"),
            ({"hidden": (1e-30, 0)}, "the hidden value"),
        ],
    )
    def test_a_factor_beyond_the_kernel_s_shift(self, change: dict[str, Any], what: str) -> None:
        with pytest.raises(InputError, match=f"the scales of {what} ask for a factor of"):
            IntegerLstm.from_model(build(replace(SMALL, **change)))

    def test_weights_with_a_scale_per_channel(self) -> None:
        model = schema.read_model(build(SMALL))
        record = lstm_nodes(model)[0].input_weights["cell"].quantization
        record.scale, record.zeroPoint = [0.1] * SMALL.units, [0] * SMALL.units
        with pytest.raises(InputError, match="weights of gate 'cell'"):
            IntegerLstm.from_model(model)

    @pytest.mark.parametrize("shape", [[3], [2, 7], [1, 2, 3]])
    def test_weights_of_a_wrong_shape(self, shape: list[int]) -> None:
        model = schema.read_model(build(SMALL))
        for weights in lstm_nodes(model)[0].input_weights.values():
            weights.shape = shape
        with pytest.raises(InputError, match=r"damaged: .* expected"):
            IntegerLstm.from_model(model)

    def test_a_constant_cut_short(self) -> None:
        model = schema.read_model(build(SMALL))
        bias = lstm_nodes(model)[0].biases["output"]
        model.buffers[bias.buffer].data = model.buffers[bias.buffer].data[:-1]
        with pytest.raises(InputError, match="bytes of data"):
            IntegerLstm.from_model(model)

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("x", {"x": np.zeros((1, 2, SMALL.features), np.float32)}),
            ("x", {"x": np.zeros((2, SMALL.features), np.int8)}),
            ("x", {"x": np.zeros((1, 2, SMALL.features + 1), np.int8)}),
            ("hidden", {"hidden": np.zeros((2, SMALL.units), np.int8)}),
            ("cell", {"cell": np.zeros((1, SMALL.units), np.int8)}),
        ],
    )
    def test_an_array_of_a_wrong_type_or_shape(self, name: str, arguments: dict[str, Any]) -> None:
        x = np.zeros((1, 2, SMALL.features), np.int8)
        with pytest.raises(InputError, match=f"'{name}' is .*, expected"):
            IntegerLstm.from_model(build(SMALL)).run(**{"x": x, **arguments})
