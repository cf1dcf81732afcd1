"""What answers can move by: computed by hand, and never passed by a file that is run."""

from __future__ import annotations

import numpy as np
import pytest
from target_files import SEED

from converters import schema
from pipeline import runtime
from pipeline.parity.files import ModelFile
from pipeline.targets.sensitivity import Sensitivity, sensitivity


def place(model: schema.ModelT, name: str) -> schema.OperatorT:
    """The last operator of this name; an earlier one makes the scores."""
    return [one for one in model.subgraphs[0].operators if schema.operator_name(model, one) == name][-1]


def test_the_products_of_a_file_by_hand() -> None:
    """Values in steps of 1/4 with the zero point 28 reach from -39 to 24.75; rows of the Dense, in steps
    of 1/8, add up to 1, 2 and 8; context, its slice and concatenation have steps of 1/4, logits of 1/2."""
    model = schema.read_model(SEED)
    tensors = model.subgraphs[0].tensors
    product, dense = place(model, "BATCH_MATMUL"), place(model, "FULLY_CONNECTED")
    formats = {
        product.inputs[1]: (0.25, 28), product.outputs[0]: (0.25, 0), dense.inputs[0]: (0.25, 0),
        dense.inputs[1]: (0.125, 0), dense.outputs[0]: (0.5, 0),
    }  # fmt: skip
    (cut,) = (one for one in model.subgraphs[0].operators if one.inputs[0] == product.outputs[0])
    for tensor, (scale, zero_point) in {**formats, cut.outputs[0]: (0.25, 0)}.items():
        tensors[tensor].quantization.scale, tensors[tensor].quantization.zeroPoint = [scale], [zero_point]
    weights = np.zeros((3, 8), np.int8)
    weights[0, 0], weights[1, :2], weights[2] = -8, (8, -8), 8
    model.buffers[tensors[dense.inputs[1]].buffer].data = weights.view(np.uint8).ravel()
    found = sensitivity(schema.write_model(model), dense.outputs[0])
    # The context: 39 and a step; slice and concatenation: a step each; the Dense: times 8, and a step.
    assert found == Sensitivity(39.0 * 8.0, 3 * 0.25 * 8.0 + 0.5)
    assert found.steps(1 / 256, 0.5) == pytest.approx(15, abs=1e-3)  # 7.72 are 15.4 steps of 1/2
    assert found.steps(0.0, 0.5) == 0


def test_an_operator_that_is_not_bounded_bounds_nothing_behind_it() -> None:
    model = schema.read_model(SEED)
    dense = place(model, "FULLY_CONNECTED")
    dense.inputs = [dense.inputs[0], dense.inputs[0], -1]  # by itself, and not by a constant
    assert sensitivity(schema.write_model(model), dense.outputs[0]) is None


def test_no_change_of_weights_moves_the_answers_further() -> None:
    """The file without its softmax: the same values, and weights that are moved by one step."""
    model = schema.read_model(SEED)
    graph = model.subgraphs[0]
    product, dense = place(model, "BATCH_MATMUL"), place(model, "FULLY_CONNECTED")
    start = graph.operators.index(product)
    file = ModelFile.read(SEED)
    bound = sensitivity(file.content, dense.outputs[0])
    assert bound is not None
    concatenation = place(model, "CONCATENATION")
    graph.operators = [
        one for one in graph.operators[start:] if schema.operator_name(model, one) != "DEQUANTIZE"
    ]
    graph.inputs = [product.inputs[0], product.inputs[1], concatenation.inputs[1]]
    graph.outputs, model.signatureDefs, model.metadata = [dense.outputs[0]], [], []
    interpreter = runtime.open_interpreter(schema.write_model(model), 1)
    random, (output,) = np.random.default_rng(0), interpreter.get_output_details()
    taken = interpreter.get_input_details()

    def answer(weights: np.ndarray, values: np.ndarray, last: np.ndarray) -> np.ndarray:
        for details, given in zip(taken, (weights, values, last), strict=True):
            interpreter.set_tensor(details["index"], given)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(output["index"]), int)

    furthest = 0
    for _ in range(100):
        weights, values, last = (
            random.integers(-128, 127, one["shape"], dtype=np.int8) for one in taken
        )
        other = weights + random.integers(0, 2, weights.shape, dtype=np.int8)
        moved = float((other.astype(int) - weights).sum()) / 256
        steps = np.abs(answer(other, values, last) - answer(weights, values, last)).max()
        assert steps <= bound.steps(moved, output["quantization"][0])
        furthest = max(furthest, int(steps))
    assert furthest > 0


@pytest.mark.parametrize("moved", [0.0, np.nan, np.inf])
def test_what_did_not_move_or_cannot_be_told_allows_nothing(moved: float) -> None:
    assert Sensitivity(1.0, 1.0).steps(moved, 0.5) == 0
