from functools import cache
from typing import Any

import numpy as np
import pytest
from tiny_classifier import copy_of, model, twin, windows

from models.errors import QuantizationError
from models.quantization import calibrate
from models.quantization.number_formats import Range
from models.quantization.twin import twins


@cache
def _copy() -> Any:
    return copy_of(twin())


def fresh() -> Any:
    """The twin with ranges as at the beginning; the same one every time."""
    for layer in twins(_copy()):
        for name in layer._ranges:
            initial = 1.0 if name == "cell" else 0.0
            layer.set_range(name, Range(-initial, initial))
    return _copy()


def ranges(made: Any) -> dict[str, tuple[float, float]]:
    return {
        f"{layer.name}/{name}": (one.minimum, one.maximum)
        for layer in twins(made)
        for name, one in layer.ranges().items()
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rule", ["min-max", "percentile", "mse"])
def test_neither_order_nor_batch_size_matters(rule: str, seed: int) -> None:
    """Sums may be formed in another order: float32's rounding, and for a rule on bins the next bin."""
    x = windows(24)
    calibrate(fresh(), x, rule)
    at_once = ranges(_copy())
    shuffled = x[np.random.default_rng(seed).permutation(len(x))]
    assert not np.array_equal(shuffled, x)
    calibrate(fresh(), shuffled, rule, batch_size=8)
    for name, found in ranges(_copy()).items():
        np.testing.assert_allclose(found, at_once[name], rtol=1e-5 if rule == "min-max" else 1e-3)


def test_every_time_step_counts() -> None:
    """A peak in the middle of one window is in the range of the input; the state starts at zero in each."""
    x = np.zeros_like(windows(24))
    x[1, 2, 0], x[1, 3, 0] = 50.0, -20.0
    made = fresh()
    calibrate(made, x, "min-max")
    assert ranges(made)["lstm/input"] == (-20.0, 50.0)


def test_a_second_calibration_widens_the_first() -> None:
    made, x = fresh(), windows(24)
    calibrate(made, x, "mse")
    calibrate(made, 2 * x, "min-max")
    assert ranges(made)["lstm/input"] == (2 * float(x.min()), 2 * float(x.max()))


def test_it_is_the_float_forward_that_is_observed() -> None:
    made, x = fresh(), windows(24)
    calibrate(made, x, "min-max")
    logits = model()(x)["logits"]
    np.testing.assert_allclose(
        ranges(made)["logits/output"], (min(np.min(logits), 0), max(np.max(logits), 0)), rtol=1e-5
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(bad: float) -> None:
    x = windows(3)
    x[1, 2, 0] = bad
    made = fresh()
    with pytest.raises(QuantizationError, match="finite values"):
        calibrate(made, x)
    assert ranges(made) == ranges(fresh())


def test_no_windows_are_refused() -> None:
    with pytest.raises(QuantizationError, match="0 windows"):
        calibrate(twin(), windows(3)[:0])


def test_a_model_without_twins_is_refused() -> None:
    with pytest.raises(QuantizationError, match="no fake-quantized layer"):
        calibrate(model(), windows(3))


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(QuantizationError, match=r"Unknown calibration rule 'entropy'\. Known: min-max"):
        calibrate(twin(), windows(3), "entropy")
