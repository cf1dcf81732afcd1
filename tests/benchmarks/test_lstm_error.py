"""How far the hidden states of int8 LSTMs are from the float ones, of both directions."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from scripts import load_script
from tiny_classifier import convert_float, range_table, windows

ROOT = Path(__file__).parents[2]
LIMIT = 0.03  # of the signal's standard deviation; here it is 0.018, TensorFlow's own quantizer gives 0.71


lstm_error = load_script(ROOT / "benchmarks" / "lstm_error.py")


def test_by_hand() -> None:
    # differences 0, 2, 0, 0: RMS 1; the standard deviation of -1, -1, 1, 1 is 1
    reference = np.array([-1.0, -1.0, 1.0, 1.0])
    assert lstm_error.relative_rms_error(np.array([-1.0, 1.0, 1.0, 1.0]), reference) == pytest.approx(1.0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated:UserWarning")  # stock's
def test_both_directions_stay_close_where_the_stock_quantizer_does_not() -> None:
    from converters.convert import quantize_int8
    from converters.export import export_saved_model
    from converters.stock import convert_stock
    from models.classifier import build_model
    from models.config import ModelConfig, RecurrentConfig, lstm_layer_names
    from models.quantization import calibrate, quantize_model
    from models.training import set_seed

    set_seed(0)
    config = ModelConfig(32, 8, 4, recurrent=RecurrentConfig((16,), bidirectional=True))
    plain, x = build_model(config), windows(100, steps=32, features=8)
    twin = quantize_model(plain)
    calibrate(twin, x)
    float_file = convert_float(plain, lstm_layer_names(config.recurrent))
    ours, _ = quantize_int8(float_file, range_table(twin, x[0]))
    with tempfile.TemporaryDirectory() as folder:
        export_saved_model(plain, Path(folder), 32, 8)
        stock = convert_stock(Path(folder), x)
    errors = {name: lstm_error.lstm_errors(float_file, file, x) for name, file in
              (("ours", ours), ("stock", stock))}  # fmt: skip
    assert len(errors["ours"]) == 2
    assert max(errors["ours"]) <= LIMIT < max(errors["stock"]), errors
