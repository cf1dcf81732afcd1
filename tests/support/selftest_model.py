"""The model of the kernels' self-test. `python tests/support/selftest_model.py` writes it again."""

import sys
from pathlib import Path

import numpy as np
from int8_lstm_file import Int8Lstm, build

FILE = Path(__file__).parents[2] / "kernels" / "python" / "fuselage_kernels" / "selftest.tflite"


def selftest_model() -> bytes:
    """Sizes that fill no vector, gates that are neither quiet nor always saturated, asymmetric formats."""
    random = np.random.default_rng(1)
    units, features = 37, 5
    return build(
        Int8Lstm(
            random.integers(-127, 128, (4, units, features)).astype(np.int8),
            random.integers(-127, 128, (4, units, units)).astype(np.int8),
            random.integers(-9000, 9000, (4, units)).astype(np.int32),
            (0.011, 0.013, 0.017, 0.012),
            (0.004, 0.005, 0.003, 0.0045),
            input=(0.024, -11),
            state=(0.0078, 3),
            hidden=(0.0078, 3),
            output=(0.0078, 3),
            cell_scale=2.0**-12,
            cell_clip=7.5,
            steps=7,
            batch=2,
        )
    )


if __name__ == "__main__":
    FILE.write_bytes(selftest_model())
    print(f"{FILE.name}: {FILE.stat().st_size} bytes", file=sys.stderr)
