"""`pipeline inspect`: a summary as text that fits 80 columns, or as JSON."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from converters import summary
from converters.summary import LstmSummary, ModelSummary, OpSummary, SignatureSummary, TensorSummary

SUMMARY = ModelSummary(
    size_bytes=2048,
    weight_bytes=1024,
    description="",
    subgraphs=1,
    inputs=(TensorSummary("features", "float32", (1, 29, 12), (), ()),),
    outputs=(TensorSummary("attention_weights", "int8", (1, 29), (0.00390625,), (-128,)),),
    signatures=(SignatureSummary("serving_default", ("features",), ("attention_weights",)),),
    ops=(OpSummary("UNIDIRECTIONAL_SEQUENCE_LSTM", 1, ("int8",)),),
    lstms=(
        LstmSummary("lstm", "int8 8x8_16", 64, 12, 29, 0.0, (
            ("cell_state", TensorSummary("c", "int16", (1, 64), (2.0**-11,), (0,))),
            ("input_to_output_weights", TensorSummary("w", "int8", (64, 12), (0.5, 0.25), (0, 0))),
        )),
    ),
    fused=True,
    integer_only=False,
    findings=("The scales [are] not tied.",),
    state_rule="Call reset_all_variables() before every window.",
    metadata={"class_names": ["[bold]<script>", "\x1b[2Jb"], "provenance": {"tensorflow": "2.21.0"}},
    other_metadata=(),
)  # fmt: skip


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(summary, "summarize", lambda path: SUMMARY)
    return tmp_path / "m.tflite"


def test_what_matters_is_shown_in_80_columns(invoke: Any, model: Path) -> None:
    done = invoke("inspect", model)
    assert done.code == 0
    for text in (
        "m.tflite: 2.0 KiB, of which weights 1.0 KiB",
        "LSTM fused: yes. Integers only: no.",
        "Signature serving_default: features -> attention_weights",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "LSTM lstm: int8 8x8_16",
        "64 units, 12 features, 29 steps, cell state not clipped",
        "0.0004883",
        "0.25 to 0.5",
        "Look at: The scales [are] not tied.",
        "State: Call reset_all_variables() before every window.",
        "Class names: [bold]<script>, \\x1b[2Jb",
        "Made with: tensorflow 2.21.0",
    ):
        assert text in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_a_clipped_cell_is_said(invoke: Any, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clipped = dataclasses.replace(SUMMARY, lstms=(dataclasses.replace(SUMMARY.lstms[0], cell_clip=10.0),))
    monkeypatch.setattr(summary, "summarize", lambda path: clipped)
    assert "clipped at 10" in invoke("inspect", model).out


def test_json_holds_everything(invoke: Any, model: Path) -> None:
    document = json.loads(invoke("inspect", model, "--json").out)
    assert document == json.loads(json.dumps(SUMMARY.to_dict()))


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x1c\x00\x00\x00TFL3" + bytes(100)])
def test_a_file_that_is_no_model_exits_2(invoke: Any, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.tflite").write_bytes(content)
    done = invoke("inspect", tmp_path / "m.tflite")
    assert done.code == 2
    assert done.err.startswith("Error: ")
    assert "Traceback" not in done.err
