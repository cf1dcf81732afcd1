"""A small int8 LSTM with float weights that round to its own, and windows for it."""

import numpy as np
import pytest
from int8_lstm_file import Int8Lstm, build

from converters import schema
from converters.lstm_op import lstm_nodes
from converters.microscope.simulation import FloatWeights, Input, SwitchableLstm

UNITS, FEATURES, STEPS, WINDOWS = 5, 3, 8, 6


@pytest.fixture(scope="session")
def small() -> tuple[SwitchableLstm, Input]:
    """Quiet gates, scales tied, no clip."""
    random = np.random.default_rng(0)
    weights = [random.normal(0, 0.5, shape) for shape in ((4, UNITS, FEATURES), (4, UNITS, UNITS))]
    scales = [tuple(np.abs(one).max(axis=(1, 2)) / 127) for one in weights]
    steps = [
        np.rint(one / np.reshape(scale, (4, 1, 1))).astype(np.int8)
        for one, scale in zip(weights, scales, strict=True)
    ]
    lstm = Int8Lstm(
        *steps, np.zeros((4, UNITS), np.int32), *scales, input=(1 / 32, 3), steps=STEPS, cell_scale=2.0**-13
    )
    model = schema.read_model(build(lstm))
    floats = FloatWeights(*(one.reshape(4 * UNITS, -1) for one in weights), np.zeros(4 * UNITS))
    x = random.normal(size=(WINDOWS, STEPS, FEATURES))
    quantized = np.clip(np.rint(x * 32) + 3, -128, 127).astype(np.int8)
    return SwitchableLstm.from_model(model, lstm_nodes(model)[0], 0, floats), Input(quantized, x)
