"""What the stock converter makes of models that are not ours."""

import numpy as np
import pytest

from converters import schema
from converters.findings import Measurement, findings
from converters.lstm_op import lstm_nodes

pytestmark = pytest.mark.slow


def test_both_directions_of_a_stock_bidirectional_lstm_are_flagged(foreign: dict[str, bytes]) -> None:
    found = {
        one.layer: one for one in findings(foreign["bidirectional_int8"]) if one.rule == "lstm-state-scales"
    }
    nodes = lstm_nodes(schema.read_model(foreign["bidirectional_int8"]))
    assert len(found) == len(nodes) == 2
    for node in nodes:
        one = found[schema.name(node.output)]
        assert one.severity == "error"
        for role, tensor in (
            ("hidden value (intermediate 4)", node.effective_hidden_scale_intermediate),
            ("state (input 18)", node.hidden_state),
            ("output 0", node.output),
        ):
            assert tensor is not None
            scale, zero_point = schema.scale_and_zero_point(tensor) or (0.0, 0)
            assert f"{role}: scale {np.float32(scale)!s}, zero point {zero_point}" in one.message
        off, tied = (
            float(part.split(" %")[0])
            for part in one.message.replace("scale by", "off by").split("off by ")[1:3]
        )
        assert off > 1.5 * tied
        assert 15 < off < 50  # percent; seen: 17 to 31 for an untrained LSTM(16)
        assert "moves 'hidden' by up to" in one.message
    assert {one.message.split()[1] for one in found.values()} == {"forward", "backward"}


def test_an_lstm_that_dynamic_range_quantization_left_alone(foreign: dict[str, bytes]) -> None:
    found = {one.rule: one for one in findings(foreign["dynamic_dense_only"])}
    assert found["lstm-left-in-float"].severity == "warning"
    assert "its smallest has 4 x 3." in found["lstm-left-in-float"].message


def test_a_dynamic_range_lstm(fusion: dict[str, bytes]) -> None:
    rules = {one.rule for one in findings(fusion["dynamic"], Measurement())}
    assert "lstm-dynamic-range" in rules
    assert "lstm-left-in-float" not in rules


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("unroll", "unroll=True"),
        ("mask", "a mask"),
        ("recurrent_dropout", "recurrent_dropout"),
        ("recurrent_activation", "activation"),
        ("activation", "activation"),
        ("return_state", "return_state=True"),
        ("stateful", "stateful=True"),
        ("gru", "a GRU"),
        ("keras_3", "a Keras 3 layer"),
        ("second_of_two", "use_bias=False"),
    ],
)
def test_each_cause_of_an_lstm_that_is_not_fused(fusion: dict[str, bytes], name: str, cause: str) -> None:
    (one,) = (one for one in findings(fusion[name], Measurement()) if one.rule == "lstm-not-fused")
    assert one.severity == "error"
    assert cause in one.message


@pytest.mark.parametrize("name", ["two", "bidirectional", "dynamic", "flex"])
def test_what_is_fused_is_not_flagged(fusion: dict[str, bytes], name: str) -> None:
    assert "lstm-not-fused" not in {one.rule for one in findings(fusion[name], Measurement())}
