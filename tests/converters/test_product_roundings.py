"""How FULLY_CONNECTED and BATCH_MATMUL bring an int32 sum to int8, in both of LiteRT's sets of kernels.

What docs/quantization-aware-training.md says of these kernels rests on this. Every output is compared, as an
integer; that the roundings are not the same is tested too.
"""

import platform
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from int8_product_file import Int8Product, build

from models.quantization import fixed_point

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="ruy has other kernels elsewhere")

RUNS, DEPTH, UNITS, STEPS = 300, 64, 64, 29
RANDOM = np.random.default_rng(0)
Rounding = Callable[[Any, Any], Any]


def ties_to_even(sums: Any, factor: Any) -> Any:
    """XNNPACK, qs8 with float32 requantization: one float32 product, to the nearest, halves to even."""
    return np.rint(sums.astype(np.float32) * factor.astype(np.float32)).astype(np.int64)


def twice(sums: Any, factor: Any, second: Callable[[Any, Any], Any]) -> Any:
    """A product with a quantized multiplier: rounded at 2^shift (halves up), then to whole numbers."""
    multipliers, shifts = np.transpose([fixed_point.quantize_multiplier(float(one)) for one in factor])
    high = fixed_point.saturating_rounding_doubling_high_mul(sums, multipliers, bits=32)
    return second(high, -shifts)


def twice_then_up(sums: Any, factor: Any) -> Any:
    """ruy's kernels for x86: the second rounding takes halves up."""
    return twice(sums, factor, lambda high, shift: (high + (1 << (shift - 1))) >> shift)


def twice_then_away(sums: Any, factor: Any) -> Any:
    """TFLite's MultiplyByQuantizedMultiplier: the second rounding takes halves away from zero."""
    return twice(sums, factor, fixed_point.rounding_divide_by_pot)


def fully_connected() -> tuple[Int8Product, list[tuple[Any, ...]], Any]:
    """A layer, its inputs, and the sums [runs, units] that it rounds. Scales of no special kind."""
    weights = RANDOM.integers(-127, 128, (UNITS, DEPTH)).astype(np.int8)
    bias = RANDOM.integers(-5000, 5000, UNITS)
    made = Int8Product(
        (1 / 128, 0), (0.0312, -5), RANDOM.uniform(0.001, 0.004, UNITS).astype(np.float32), weights, bias
    )
    x = RANDOM.integers(-128, 128, (RUNS, 1, DEPTH)).astype(np.int8)
    return made, [(one,) for one in x], x[:, 0].astype(np.int64) @ weights.T.astype(np.int64) + bias


def attention_context() -> tuple[Int8Product, list[tuple[Any, ...]], Any]:
    """The context of an attention: weights of 1/256 times hidden states of 1/128, in the format of these.

    The factor is 1/256, so that one sum in 256 lies on a half.
    """
    weights = RANDOM.multinomial(256, np.ones(STEPS) / STEPS, (RUNS, 1)) - 128
    hidden = RANDOM.integers(-128, 128, (RUNS, STEPS, UNITS))
    made = Int8Product(
        (1 / 256, -128), (1 / 128, 0), np.float32([1 / 128]), shapes=((1, 1, STEPS), (1, STEPS, UNITS))
    )
    sums = np.einsum("nt,ntu->nu", weights[:, 0] + 128, hidden)
    given = [(a[None].astype(np.int8), b[None].astype(np.int8)) for a, b in zip(weights, hidden, strict=True)]
    return made, given, sums


def outputs(product: Int8Product, given: list[tuple[Any, ...]], resolver: Any) -> Any:
    """[runs, units] as integers, the zero point taken off."""
    interpreter = Interpreter(model_content=build(product), experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    places = [one["index"] for one in interpreter.get_input_details()]
    output = interpreter.get_output_details()[0]["index"]
    found = []
    for values in given:
        for place, value in zip(places, values, strict=True):
            interpreter.set_tensor(place, value)
        interpreter.invoke()
        found.append(interpreter.get_tensor(output).reshape(-1).astype(np.int64))
    return np.stack(found) - product.y[1]


DEFAULT, BARE = OpResolverType.AUTO, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES


@pytest.mark.parametrize(
    ("case", "resolver", "rounding"),
    [
        (fully_connected, DEFAULT, ties_to_even),
        (attention_context, DEFAULT, ties_to_even),
        (fully_connected, BARE, twice_then_up),
        (attention_context, BARE, twice_then_away),
    ],
)
def test_every_output_is_the_sum_rounded_so(
    case: Callable[[], Any], resolver: Any, rounding: Rounding
) -> None:
    product, given, sums = case()
    got = outputs(product, given, resolver)
    factor = np.broadcast_to(product.factors, sums.shape[1:])
    expected = {
        one: np.clip(one(sums, factor), -128 - product.y[1], 127 - product.y[1])
        for one in (ties_to_even, twice_then_up, twice_then_away)
    }
    np.testing.assert_array_equal(got, expected.pop(rounding))
    differences = np.stack([np.abs(other - got) for other in expected.values()])
    assert differences.max() == 1  # the inputs can tell the roundings apart, and they are one step apart
