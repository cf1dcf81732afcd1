"""Memory at work: from the interpreter's own layout, or from the tensors."""

import numpy as np
import pytest
from int8_lstm_file import Int8Lstm, build

from converters import schema
from converters.findings import memory
from converters.findings.interpreter import Laboratory


def model_of_one_lstm() -> bytes:
    """4 units, 3 features, 5 steps: x 15 bytes, y 20, h 4, c 8."""
    weights = np.zeros((4, 4, 3), np.int8), np.zeros((4, 4, 4), np.int8), np.zeros((4, 4), np.int32)
    return build(Int8Lstm(*weights, (0.01,) * 4, (0.01,) * 4, steps=5))


def test_the_tensors_of_one_operator_add_up() -> None:
    assert memory.from_tensors(schema.read_model(model_of_one_lstm())) == 15 + 20 + 4 + 8


def test_a_tensor_lives_from_its_first_to_its_last_use(tiny: dict[str, bytes]) -> None:
    """Float32. Alive at the LSTM: x 6 x 3, y 6 x 4, h and c 4 each. Later ones are smaller, but x stays.

    At the last product: x 18, y 24, state 8, softmax 6, both outputs (6 and 3 are written later or already:
    weights 6), the context 4, the last step 4 (for the concatenation).
    """
    assert memory.from_tensors(schema.read_model(tiny["float"])) == 4 * (18 + 24 + 8 + 6 + 6 + 4 + 4)


def test_what_the_interpreter_lays_out_holds_the_tensors(tiny: dict[str, bytes]) -> None:
    for content in (model_of_one_lstm(), tiny["float"], tiny["int8"]):
        model = schema.read_model(content)
        laid_out = Laboratory().memory_bytes(content, model)
        assert memory.from_tensors(model) <= laid_out < 16 * 1024
        assert memory.used(model, laid_out) == memory.Memory(laid_out, "interpreter")


def test_without_an_interpreter_or_with_loops_the_tensors_are_counted(tiny: dict[str, bytes]) -> None:
    plain, loop = schema.read_model(tiny["float"]), schema.read_model(tiny["use_bias"])
    assert memory.used(plain, None) == memory.Memory(memory.from_tensors(plain), "tensors")
    assert memory.used(loop, 1).source == "tensors"


@pytest.mark.parametrize(
    ("kind", "shape", "size"),
    [(0, [2, 3], 24), (9, [2, 3], 6), (17, [3], 2), (5, [3], 0), (13, [], 0), (0, [-1, 4], 0), (0, [], 4)],
)  # FLOAT32, INT8, INT4, STRING, RESOURCE
def test_the_size_of_a_tensor(kind: int, shape: list[int], size: int) -> None:
    tensor = schema.TensorT()
    tensor.type, tensor.shape = kind, np.array(shape, np.int32)
    assert memory.tensor_bytes(tensor) == size
