"""Every call of a runner starts from the zero state."""

from pathlib import Path

import numpy as np
import pytest
from float_lstm_file import random_lstm

from models.errors import InputError
from pipeline.benchmark.runners import TfliteRunner, call, load_inputs, save_inputs

X = np.random.default_rng(0).normal(size=(1, 4, 3)).astype(np.float32)


def test_the_state_is_reset_before_each_call() -> None:
    runner = TfliteRunner(random_lstm(3, 2, 4), [X], 1)
    (first,), (second,) = call(runner), call(runner)
    np.testing.assert_array_equal(first, second)
    runner.run()  # without `prepare` the state of the last call goes on
    assert not np.array_equal(first, runner.outputs()[0])


def test_inputs_keep_their_order_and_type(tmp_path: Path) -> None:
    given = [np.full(2, place, kind) for place, kind in enumerate(("float32", "int8", *["int32"] * 10))]
    save_inputs(tmp_path / "inputs.npz", given)
    found = load_inputs(tmp_path / "inputs.npz")
    assert [(one.dtype, one[0]) for one in found] == [(one.dtype, one[0]) for one in given]


def test_a_file_that_the_interpreter_refuses() -> None:
    with pytest.raises(InputError, match="TFL3"):
        TfliteRunner(b"nothing of the kind", [], 1)
