"""A float file said in ONNX: one LSTM against its equations, every architecture of ours against its file."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from float_lstm_file import build, random_lstm
from hand_made import hand_made
from int8_lstm_file import Int8Lstm
from int8_lstm_file import build as build_int8

from converters import schema
from models.config import ATTENTION_KINDS, AttentionConfig, ModelConfig, RecurrentConfig
from models.errors import InputError
from pipeline.benchmark.peers.checking import compare, limit
from pipeline.benchmark.runners import OnnxRunner, TfliteRunner, call

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from pipeline.benchmark.onnx_graph import to_onnx


def both(content: bytes, *inputs: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Outputs of the file, and of its translation."""
    translated = to_onnx(schema.read_model(content)).SerializeToString()
    return call(TfliteRunner(content, inputs, 1)), call(OnnxRunner(translated, inputs, 1))


def sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def test_an_lstm_by_hand() -> None:
    """One unit, one feature, two steps; the gates have weights 1, 2, 3, 4 and all else that differs by gate.

    c' = f c + i g and h' = o tanh(c'), so that gates in a wrong order do not come out right.
    """
    weights = np.array([1.0, 2.0, 3.0, 4.0]).reshape(4, 1, 1)
    recurrent = np.array([0.5, -0.5, 0.25, -1.0]).reshape(4, 1, 1)
    bias = np.array([0.1, -0.2, 0.3, 0.4]).reshape(4, 1)
    content, x = build(weights, recurrent, bias, 2), np.array([[[0.3], [-0.4]]], np.float32)
    h = c = 0.0
    expected = []
    for value in x.reshape(-1):
        i, f, g, o = (weights.reshape(4) * float(value) + recurrent.reshape(4) * h + bias.reshape(4)).tolist()
        c = sigmoid(f) * c + sigmoid(i) * float(np.tanh(g))
        h = sigmoid(o) * float(np.tanh(c))
        expected.append(h)
    for (found,) in both(content, x):
        np.testing.assert_allclose(found.reshape(-1), expected, atol=2 * 2.0**-18)  # T x 2^-18, see `limit`


@pytest.mark.parametrize("time_major", [False, True])
def test_a_larger_lstm_in_either_order_of_axes(time_major: bool) -> None:
    x = np.random.default_rng(1).normal(size=(7, 1, 3) if time_major else (1, 7, 3)).astype(np.float32)
    ours, theirs = both(random_lstm(3, 5, 7, time_major=time_major), x)
    assert compare(ours, theirs) <= limit(7, ours)


def test_sums_and_a_softmax_with_its_factor() -> None:
    x = np.random.default_rng(1).normal(size=(1, 5, 3)).astype(np.float32)
    ours, theirs = both(hand_made(beta=0.5), x)
    assert compare(ours, theirs) <= limit(5, ours)


def int8_file() -> bytes:
    ones = (np.ones((4, 2, 3), np.int8), np.ones((4, 2, 2), np.int8), np.ones((4, 2), np.int32))
    return build_int8(Int8Lstm(*ones, (0.01,) * 4, (0.01,) * 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (build(*map(np.zeros, ((4, 2, 3), (4, 2, 2), (4, 2))), 4, cell_clip=10.0), "cell clip of 10"),
        (build(*map(np.zeros, ((4, 2, 3), (4, 2, 2), (4, 2))), 4, peephole=True), "CELL_TO_INPUT_WEIGHTS"),
        (hand_made(lengths=True), "operator CAST"),
        (int8_file(), "int16, int8; only float"),
    ],
)
def test_what_is_not_translated(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        to_onnx(schema.read_model(content))


CONFIGS = [
    ModelConfig(6, 3, 3, attention=AttentionConfig(kind, query, heads=2), recurrent=RecurrentConfig((8,)))
    for kind, query in itertools.product(ATTENTION_KINDS, ("last", "all"))
] + [
    ModelConfig(6, 3, 3, recurrent=RecurrentConfig((8, 4), bidirectional=True)),
    ModelConfig(6, 3, 3, "per-step", RecurrentConfig((8,)), AttentionConfig("additive", "all")),
    ModelConfig(6, 3, 3, attention=AttentionConfig("cosine"), variable_length=True),
    ModelConfig(6, 3, 3, attention=AttentionConfig("multi-head", heads=2), variable_length=True,
                recurrent=RecurrentConfig((8,))),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS, ids=lambda one: f"{one.attention.kind}-{one.attention.query}")
def test_every_architecture_gives_the_outputs_of_its_file(config: ModelConfig, tmp_path: Path) -> None:
    from converters.convert import convert_float
    from converters.export import export_saved_model
    from converters.findings import samples
    from models.classifier import build_model
    from models.config import lstm_layer_names
    from models.training import set_seed

    set_seed(0)
    made: Any = build_model(config)
    export_saved_model(made, tmp_path / "saved", config.steps, config.features, config.variable_length)
    content = convert_float(tmp_path / "saved", lstm_layer_names(config.recurrent))
    for row in range(4):
        ours, theirs = both(content, *(drawn[row] for drawn in samples.seeded(schema.read_model(content))))
        assert compare(ours, theirs) <= limit(config.steps, ours)
