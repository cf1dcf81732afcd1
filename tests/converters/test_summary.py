import json
from pathlib import Path

import pytest

from converters import schema
from converters.flatbuffer import set_cell_clip
from converters.metadata import STATE_RULE
from converters.summary import OpSummary, summarize
from models.errors import InputError


def test_the_float_model(tiny: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(tiny["float"])
    summary = summarize(path)
    assert summary == summarize(tiny["float"])
    assert summary.size_bytes == path.stat().st_size
    # LSTM 4 x (12 W + 16 R), biases (zeros shared by three, ones), query 16, head 24, scale 1, and
    # slice bounds: at least the 4-byte values of the weights
    assert 4 * (4 * (12 + 16) + 4 + 4 + 16 + 24 + 1) <= summary.weight_bytes < summary.size_bytes
    assert summary.description == "MLIR Converted."
    assert summary.subgraphs == 1
    assert [(one.name, one.dtype, one.shape) for one in summary.inputs] == [
        ("features", "float32", (1, 6, 3))
    ]
    assert [(one.name, one.shape) for one in summary.outputs] == [
        ("attention_weights", (1, 6)),
        ("logits", (1, 3)),
    ]
    assert summary.signatures[0].key == "serving_default"
    assert OpSummary("BATCH_MATMUL", 2, ("float32",)) in summary.ops
    assert (summary.fused, summary.integer_only, summary.metadata) == (True, False, None)
    assert summary.state_rule == STATE_RULE
    assert summary.lstms[0].cell_clip == 10
    assert summarize(set_cell_clip(tiny["float"], 0)).lstms[0].cell_clip == 0


def test_the_lstm_of_the_int8_model(tiny: dict[str, bytes]) -> None:
    summary = summarize(tiny["int8"])
    (lstm,) = summary.lstms
    assert (lstm.kind, lstm.units, lstm.features, lstm.steps, lstm.cell_clip) == ("int8 8x8_16", 4, 3, 6, 10)
    roles = dict(lstm.parameters)
    assert roles["cell_state"].scales == (2**-15,)
    assert roles["input_to_forget_weights"].zero_points == (0,)
    assert roles["effective_hidden_scale"].shape == (0,)
    assert roles["effective_hidden_scale"].scales != roles["hidden_state"].scales
    assert len(roles) == 1 + 8 + 4 + 2 + 2  # x, W and R, b, states, hidden scale and output
    assert summary.integer_only


def test_an_unfused_model(tiny: dict[str, bytes]) -> None:
    summary = summarize(tiny["use_bias"])
    assert (summary.fused, summary.lstms, summary.subgraphs, summary.state_rule) == (False, (), 3, "")


def test_the_dictionary_is_json(tiny: dict[str, bytes]) -> None:
    document = summarize(tiny["int8"]).to_dict()
    assert json.loads(json.dumps(document, allow_nan=False))["lstms"][0]["parameters"]["input"]["shape"] == [
        1,
        6,
        3,
    ]


def test_an_unpacked_model_is_described_too(tiny: dict[str, bytes]) -> None:
    summary = summarize(schema.read_model(tiny["int8"]))
    assert summary.size_bytes == 0
    assert summary.lstms == summarize(tiny["int8"]).lstms


def test_a_truncated_file_is_refused(tiny: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(tiny["int8"][:3000])
    with pytest.raises(InputError, match=r"cut\.tflite' is damaged or cut short"):
        summarize(path)


def test_the_weights_of_each_operator(tiny: dict[str, bytes]) -> None:
    sizes = {op.name: op.weight_bytes for op in summarize(tiny["float"]).ops}
    # LSTM 4 x (12 W + 16 R) and two biases, zeros and ones; query 4 x 4, head 8 x 3: float32 each
    assert sizes["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 4 * (4 * (12 + 16) + 4 + 4)
    assert sizes["FULLY_CONNECTED"] == 4 * (16 + 24)
    assert sizes["SOFTMAX"] == 0
    assert sum(sizes.values()) == summarize(tiny["float"]).weight_bytes
