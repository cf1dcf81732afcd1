"""The twin of a whole classifier against its file, tensor by tensor: what is trained is what ships."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tiny_classifier import convert_float, range_table, windows

from converters import schema
from converters.convert import quantize_int8
from converters.inner_tensors import all_tensors
from models.classifier import build_model
from models.config import ATTENTION_KINDS, AttentionConfig, ModelConfig, RecurrentConfig, lstm_layer_names
from models.quantization import calibrate, quantize_model
from models.training import set_seed

STEPS, FEATURES, OUTPUTS = 6, 3, 3


def model_of(config: ModelConfig) -> Any:
    """With weights several times the initial ones, so that its attention is not all alike, and no bias at 0."""
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


CASES = [(kind, query) for kind in ATTENTION_KINDS for query in ("last", "all")]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "query"), CASES)
def test_attention_weights_are_the_files(kind: str, query: str) -> None:
    """In int16 to the last bit; in int8 within a step, and nearly all to the last bit.

    int8 kernels round what the twin sums in float32: where a sum lies within float32's rounding of a half, a
    score can come out a step beside, and with it weights.
    """
    config = ModelConfig(
        STEPS, FEATURES, OUTPUTS, recurrent=RecurrentConfig((4,)), attention=AttentionConfig(kind, query, heads=2)
    )
    plain, x = model_of(config), windows(40)
    for precision, step in (("int8", 1 / 256), ("int16", 1 / 32768)):
        twin = quantize_model(plain, precision)
        calibrate(twin, x, "min-max")
        ours, theirs = twin(x), outputs_of(file_of(plain, twin, config), x)
        off = {name: np.abs(np.asarray(ours[name]) - theirs[name]) for name in theirs}
        steps = np.rint(off["attention_weights"] / step)
        print(kind, query, precision, "differ", np.mean(steps > 0), "max", steps.max(), "logits", off["logits"].max())
