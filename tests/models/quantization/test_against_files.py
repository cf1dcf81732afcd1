"""The twin of a whole classifier against its file, tensor by tensor: what is trained is what ships."""

from typing import Any

import numpy as np
import pytest
import tf_keras
from tiny_classifier import convert_float, range_table, windows

from converters import schema
from converters.convert import quantize_int8
from converters.inner_tensors import all_tensors
from converters.lstm_op import lstm_nodes
from models.classifier import build_model
from models.config import ATTENTION_KINDS, AttentionConfig, ModelConfig, RecurrentConfig, lstm_layer_names
from models.quantization import calibrate, quantize_model
from models.training import set_seed

STEPS, FEATURES, OUTPUTS = 6, 3, 3


def model_of(config: ModelConfig) -> Any:
    """With weights twice the initial ones, so that its attention is not all alike, and no bias at 0."""
    set_seed(0)
    made, random = build_model(config), np.random.default_rng(0)
    made.set_weights([2.0 * one + 0.1 * random.normal(size=one.shape) for one in made.get_weights()])
    return made


def file_of(plain: Any, twin: Any, config: ModelConfig) -> bytes:
    float_file = convert_float(plain, lstm_layer_names(config.recurrent))
    content, _ = quantize_int8(float_file, range_table(twin, windows(1)[0]))
    return content


def outputs_of(content: bytes, x: Any) -> dict[str, Any]:
    """The outputs of a file on windows, [n, ...]."""
    (signature,) = schema.read_model(content).signatureDefs
    places = {schema.name(one): one.tensorIndex for one in signature.outputs}
    runs = [all_tensors(content, window) for window in x]
    return {name: np.concatenate([run[place][1] for run in runs]) for name, place in places.items()}


def calibrated(plain: Any, x: Any, precision: str) -> Any:
    twin = quantize_model(plain, precision)
    calibrate(twin, x, "min-max")
    return twin


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "query"), [(kind, query) for kind in ATTENTION_KINDS for query in ("last", "all")]
)
def test_attention_weights_are_the_files(kind: str, query: str) -> None:
    """Within a step or two, and hardly ever not to the last bit.

    int8: where a sum lies within float32's rounding of a half, the twin rounds a score the other way, and the
    weights that it moves; L2_NORMALIZATION (cosine) takes an inverse root in integers, half a step beside,
    which the sharpness makes 4 of a score. int16: sums are exact; what the scales are made of is not, in the
    last bit of a multiplier.
    """
    attention = AttentionConfig(kind, query, heads=2)
    config = ModelConfig(STEPS, FEATURES, OUTPUTS, recurrent=RecurrentConfig((4,)), attention=attention)
    plain, x = model_of(config), windows(40)
    for precision, step in (("int8", 1 / 256), ("int16", 1 / 32768)):
        twin = calibrated(plain, x, precision)
        theirs = outputs_of(file_of(plain, twin, config), x)["attention_weights"]
        steps = np.rint(np.abs(np.asarray(twin(x)["attention_weights"]) - theirs) / step)
        assert steps.max() <= (4 if (kind, precision) == ("cosine", "int8") else 2)
        assert np.mean(steps > 0) <= (0.04 if precision == "int8" else 0.002)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["int8", "int16"])
def test_stacked_layers_in_both_directions_are_the_files_to_the_last_bit(precision: str) -> None:
    config = ModelConfig(STEPS, FEATURES, OUTPUTS, recurrent=RecurrentConfig((5, 4), bidirectional=True))
    plain, x = model_of(config), windows(12)
    twin = calibrated(plain, x, precision)
    content = file_of(plain, twin, config)
    names = lstm_layer_names(config.recurrent)
    hidden = tf_keras.Model(twin.input, [twin.get_layer(name).output for name in names])(x)
    nodes = lstm_nodes(schema.read_model(content))
    assert len(nodes) == len(names) == 4
    runs = [all_tensors(content, window) for window in x]
    theirs = [np.concatenate([run[int(node.operator.outputs[0])][1] for run in runs]) for node in nodes]
    for name, ours in zip(names, hidden, strict=True):
        assert sum(np.array_equal(ours, one) for one in theirs) == 1, name
