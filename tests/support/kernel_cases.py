"""Int8 LSTMs of every kind, and the interpreter that runs one with the built-in kernel or with ours."""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from int8_lstm_file import Int8Lstm, build

fuselage_kernels = pytest.importorskip(
    "fuselage_kernels", reason="fuselage-kernels is not built here: pip install ./kernels"
)
from fuselage_kernels.loader import open_delegate  # noqa: E402

MULTIPLICATIONS = 6_000_000  # of a case, so that the built-in kernel needs some milliseconds
AROUND_VECTORS = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256)


def random_lstm(
    seed: int, units: int | None = None, features: int | None = None, batch: int | None = None
) -> Int8Lstm:
    """Any size, any gain, any cell scale; zero points, scales that are tied or differ, clip on and off."""
    random = np.random.default_rng(seed)

    def size(most: int) -> int:
        if random.random() < 0.5:
            return int(random.choice((*AROUND_VECTORS, most - 1, most)))
        return int((most + 1) ** random.random())

    units, features = units or size(512), features or size(256)
    batch = batch or int(random.choice([1, 1, 1, 2, 3, 5, 8]))
    most = max(1, MULTIPLICATIONS // (4 * units * (units + features) * batch))
    steps = int(min(most, 400) ** random.random())
    # Weight scales from quiet gates to gates that are always saturated, among them x8, x64 and x1000: factors
    # below, at and above 1, with right shifts, none, and left shifts.
    gain = float(random.choice([0.1, 0.3, 1, 3, 8, 64, 1000]))
    power_of_two = random.random() < 0.3  # where halves are frequent

    def scale(size: float) -> float:
        value = size * random.uniform(0.5, 1.5)
        return float(np.float32(2.0 ** np.round(np.log2(value)) if power_of_two else value))

    def affine(size: float) -> tuple[float, int]:
        return scale(size), int(random.integers(-128, 128))

    state = (1 / 128, 0) if random.random() < 0.3 else affine(1 / 128)
    hidden = state if random.random() < 0.5 else affine(float(random.choice([1 / 128, 1 / 1000, 1 / 30])))
    return Int8Lstm(
        random.integers(-127, 128, (4, units, features)).astype(np.int8),
        random.integers(-127, 128, (4, units, units)).astype(np.int8),
        random.integers(-20000, 20000, (4, units)).astype(np.int32) * int(random.choice([0, 1, 1, 300])),
        tuple(scale(gain * 0.03 / features**0.5) for _ in range(4)),
        tuple(scale(gain * 0.03 / units**0.5) for _ in range(4)),
        input=affine(1 / 40),
        state=state,
        hidden=hidden,
        output=hidden,
        cell_scale=2.0 ** int(random.integers(-15, -8)),
        cell_clip=float(random.choice([0, 0, 0.4, 10])),
        steps=steps,
        batch=batch,
        time_major=bool(random.integers(2)),
    )


def random_input(lstm: Int8Lstm, seed: int) -> np.ndarray:
    """Full-range noise, or a smooth signal; in the file's own layout."""
    random = np.random.default_rng(seed)
    shape = (lstm.batch, lstm.steps, lstm.features)
    if seed % 2:
        x = random.integers(-128, 128, shape).astype(np.int8)
    else:
        steps = np.cumsum(random.normal(size=shape), axis=1) * 10 + lstm.input[1]
        x = np.clip(np.rint(steps), -128, 127).astype(np.int8)
    return np.ascontiguousarray(x.swapaxes(0, 1)) if lstm.time_major else x


class Running:
    """A file in the interpreter, by the built-in kernel (path None) or by ours; its state is kept."""

    def __init__(self, content: bytes, path: str | None = None, delegate: Any = None) -> None:
        self.delegate = delegate or (open_delegate("ai_edge_litert", path) if path else None)
        delegates = [self.delegate] if self.delegate else None
        self.interpreter = Interpreter(model_content=content, num_threads=1, experimental_delegates=delegates)
        self.interpreter.allocate_tensors()
        self.interpreter.reset_all_variables()
        self.places = {one["name"]: one["index"] for one in self.interpreter.get_tensor_details()}

    @classmethod
    def of(cls, lstm: Int8Lstm, path: str | None = None) -> "Running":
        return cls(build(lstm), path)

    def run(self, x: np.ndarray) -> list[np.ndarray]:
        """The output, and of a file of `int8_lstm_file` both states."""
        (taken,) = self.interpreter.get_input_details()
        self.interpreter.set_tensor(taken["index"], x)
        self.interpreter.invoke()
        results = [one["index"] for one in self.interpreter.get_output_details()]
        states = [self.places[name] for name in ("h", "c") if name in self.places]
        return [self.interpreter.get_tensor(place) for place in (*results, *states)]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
