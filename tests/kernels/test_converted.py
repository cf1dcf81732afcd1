"""Files of the stock converter, as they are and with patched scales: stacked, bidirectional, in batches.

Patching matters: a kernel can be right on millions of outputs of converter-made files and wrong where a shift
is 0, or where a gate input saturates between its two parts.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kernel_cases import Running, fuselage_kernels, same

from converters import schema
from converters.lstm_op import LstmNode, lstm_nodes

pytestmark = pytest.mark.slow  # converted once, in a process with TensorFlow

PATHS = fuselage_kernels.runnable_paths()
SCRIPT = Path(__file__).with_name("keras_lstms.py")
LSTMS = {"stacked": 3, "bidirectional": 2, "batch": 1, "bidirectional_stack": 4}
Patch = Callable[[LstmNode], None]


def weights_times(factor: float) -> Patch:
    def patch(node: LstmNode) -> None:
        for tensor in (*node.input_weights.values(), *node.recurrent_weights.values()):
            tensor.quantization.scale = [float(tensor.quantization.scale[0]) * factor]

    return patch


def cell_scale(exponent: int) -> Patch:
    def patch(node: LstmNode) -> None:
        node.cell_state.quantization.scale = [2.0**exponent]

    return patch


def cell_clip(clip: float) -> Patch:
    def patch(node: LstmNode) -> None:
        node.operator.builtinOptions.cellClip = clip

    return patch


def zero_points(node: LstmNode) -> None:
    """State and hidden value apart from each other and from where the converter put them."""
    node.hidden_state.quantization.zeroPoint = [-128]
    node.effective_hidden_scale_intermediate.quantization.zeroPoint = [93]


PATCHES: dict[str, Patch] = {
    "as converted": lambda node: None,
    **{f"weights x{factor}": weights_times(factor) for factor in (8, 64, 1000)},
    **{f"cell 2^{exponent}": cell_scale(exponent) for exponent in range(-15, -8)},
    "clip 0.25": cell_clip(0.25),
    "no clip": cell_clip(0.0),
    "zero points": zero_points,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keras")
    subprocess.run([sys.executable, str(SCRIPT), str(folder)], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("patch", PATCHES)
@pytest.mark.parametrize("name", LSTMS)
def test_a_converted_file_gives_the_same_bytes(name: str, patch: str, folder: Path) -> None:
    model = schema.read_model((folder / f"{name}.tflite").read_bytes())
    nodes = lstm_nodes(model)
    assert len(nodes) == LSTMS[name]
    for node in nodes:
        PATCHES[patch](node)
    content = bytes(schema.write_model(model))
    builtin, ours = Running(content), [Running(content, path) for path in PATHS]
    (taken,) = builtin.interpreter.get_input_details()
    random = np.random.default_rng(1)
    for number in range(8):  # the state is carried, but for one reset
        if number == 4:
            for one in (builtin, *ours):
                one.interpreter.reset_all_variables()
        x = random.integers(-128, 128, taken["shape"]).astype(np.int8)
        expected = builtin.run(x)
        assert all(same(expected, one.run(x)) for one in ours)
    for one in ours:
        assert fuselage_kernels.describe(one.delegate).taken == len(nodes)
