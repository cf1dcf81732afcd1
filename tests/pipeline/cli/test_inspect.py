"""`pipeline inspect`: text that fits 80 columns, JSON, a page, and an exit code."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters import inspection
from converters.findings import Finding
from converters.findings.memory import Memory
from converters.inspection import Inspection
from converters.summary import LstmSummary, ModelSummary, OpSummary, SignatureSummary, TensorSummary

SUMMARY = ModelSummary(
    size_bytes=2048,
    weight_bytes=1024,
    description="",
    subgraphs=1,
    inputs=(TensorSummary("features", "float32", (1, 29, 12), (), ()),),
    outputs=(TensorSummary("attention_weights", "int8", (1, 29), (0.00390625,), (-128,)),),
    signatures=(SignatureSummary("serving_default", ("features",), ("attention_weights",)),),
    ops=(OpSummary("UNIDIRECTIONAL_SEQUENCE_LSTM", 1, ("int8",), 3264),),
    lstms=(
        LstmSummary("lstm", "int8 8x8_16", 64, 12, 29, 0.0, (
            ("cell_state", TensorSummary("c", "int16", (1, 64), (2.0**-11,), (0,))),
            ("input_to_output_weights", TensorSummary("w", "int8", (64, 12), (0.5, 0.25), (0, 0))),
        )),
    ),
    fused=True,
    integer_only=False,
    state_rule="Call reset_all_variables() before every window.",
    metadata={"class_names": ["[bold]<script>", "\x1b[2Jb"], "provenance": {"tensorflow": "2.21.0"}},
    other_metadata=(),
)  # fmt: skip


SCALES = Finding("lstm-state-scales", "error", "lstm", "The scales [are] not " + "tied " * 30, "Tie \x1b[2J.")
SOFTMAX = Finding("softmax-steps", "warning", "attention", "Long.", "Shorten.")
STATE = Finding("state-kept", "info", "", "State survives.", "Call reset_all_variables().")


def inspected(*findings: Finding, **more: Any) -> Inspection:
    return Inspection(
        **{"summary": SUMMARY, "memory": Memory(2560, "interpreter"), "measured_on": "16 seeded inputs",
           "findings": findings, **more}
    )  # fmt: skip


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(inspection, "inspect_model", lambda *_: inspected(SCALES, SOFTMAX, STATE))
    return tmp_path / "m.tflite"


def test_what_matters_is_shown_in_80_columns(invoke: Any, model: Path) -> None:
    done = invoke("inspect", model)
    for text in (
        "m.tflite: 2.0 KiB, of which weights 1.0 KiB",
        "Memory at work: 2.5 KiB, as LiteRT without delegates lays it out here",
        "LSTM fused: yes. Integers only: no.",
        "Signature serving_default: features -> attention_weights",
        "UNIDIRECTIONAL_SEQUENCE_LSTM       1   int8                     3264",
        "LSTM lstm: int8 8x8_16",
        "64 units, 12 features, 29 steps, cell state not clipped",
        "0.0004883",
        "0.25 to 0.5",
        "Class names: [bold]<script>, \\x1b[2Jb",
        "Made with: tensorflow 2.21.0",
        "error lstm-state-scales in lstm\n  The scales [are] not tied",
        "  Remedy: Tie \\x1b[2J.",
        "info state-kept\n  State survives.\n  Remedy: Call reset_all_variables().",
    ):
        assert text in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    assert done.out.splitlines()[-1] == "1 error, 1 warning, 1 info"


def test_a_regression_has_targets_with_units(invoke: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = {"task": "regression", "class_names": ["load", "wear"], "target_units": ["N", "mm"]}
    found = inspected(summary=dataclasses.replace(SUMMARY, metadata=metadata))
    monkeypatch.setattr(inspection, "inspect_model", lambda *_: found)
    out = invoke("inspect", "m.tflite").out
    assert "Task: regression\nTarget names: load, wear\nTarget units: N, mm\n" in out


@pytest.mark.parametrize(
    ("findings", "code", "strict"),
    [((), 0, 0), ((STATE,), 0, 0), ((SOFTMAX, STATE), 0, 1), ((SCALES,), 1, 1), ((SCALES, SOFTMAX), 1, 1)],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_the_exit_code_is_that_of_the_worst_finding(
    invoke: Any, model: Path, monkeypatch: pytest.MonkeyPatch,
    findings: tuple[Finding, ...], code: int, strict: int, form: tuple[str, ...],
) -> None:  # fmt: skip
    monkeypatch.setattr(inspection, "inspect_model", lambda *_: inspected(*findings))
    assert invoke("inspect", model, *form).code == code
    assert invoke("inspect", model, "--strict", *form).code == strict


def test_a_long_name_is_folded(invoke: Any, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = dataclasses.replace(SCALES, layer="model/attention;" * 12)
    monkeypatch.setattr(inspection, "inspect_model", lambda *_: inspected(long))
    assert max(map(len, invoke("inspect", model).out.splitlines())) <= 80


def test_nothing_found_is_said(invoke: Any, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "inspect_model", lambda *_: inspected())
    assert invoke("inspect", model).out.splitlines()[-1] == "No findings"


def test_a_clipped_cell_and_counted_memory_are_said(
    invoke: Any, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clipped = dataclasses.replace(SUMMARY, lstms=(dataclasses.replace(SUMMARY.lstms[0], cell_clip=10.0),))
    found = inspected(summary=clipped, memory=Memory(1024, "tensors"))
    monkeypatch.setattr(inspection, "inspect_model", lambda *_: found)
    out = invoke("inspect", model).out
    assert "clipped at 10" in out
    assert "at least 1.0 KiB, computed from the tensors" in out


def test_a_model_without_an_lstm(invoke: Any, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    none = Finding("no-lstm", "info", "", "None.", "")
    monkeypatch.setattr(inspection, "inspect_model", lambda *_: inspected(none))
    assert "LSTM fused: there is none." in invoke("inspect", model).out


def test_json_holds_everything(invoke: Any, model: Path) -> None:
    document = json.loads(invoke("inspect", model, "--json").out)
    assert document["findings"][0] == dataclasses.asdict(SCALES)
    assert list(document["findings"][0]) == ["rule", "severity", "layer", "message", "remedy"]
    assert document["memory"] == {"bytes": 2560, "source": "interpreter"}
    assert document["measured_on"] == "16 seeded inputs"
    summary = json.loads(json.dumps(SUMMARY.to_dict()))
    assert {key: document[key] for key in summary} == summary


def test_a_page_is_written_beside_the_text(invoke: Any, model: Path, tmp_path: Path) -> None:
    done = invoke("inspect", model, "--html", tmp_path / "page.html")
    assert "lstm-state-scales" in (tmp_path / "page.html").read_text()
    assert "error lstm-state-scales" in done.out
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_page_that_cannot_be_written_exits_2(invoke: Any, model: Path, tmp_path: Path) -> None:
    done = invoke("inspect", model, "--html", tmp_path / "no" / "page.html")
    assert done.code == 2
    assert "Cannot write the page" in done.err


def test_data_of_ones_own(invoke: Any, model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = []

    def look(source: Path, windows: np.ndarray | None, name: str, lengths: np.ndarray | None) -> Inspection:
        assert lengths is None
        seen.append((windows, name))
        return inspected()

    monkeypatch.setattr(inspection, "inspect_model", look)
    windows = np.ones((2, 29, 12))
    np.savez(tmp_path / "golden.npz", features=windows, labels=np.zeros(2))
    np.save(tmp_path / "windows.npy", windows)
    assert invoke("inspect", model).code == 0
    for name in ("golden.npz", "windows.npy"):
        assert invoke("inspect", model, "--data", tmp_path / name).code == 0
    assert seen[0] == (None, "")
    assert [name for _, name in seen[1:]] == ["golden.npz", "windows.npy"]
    for read, _ in seen[1:]:
        np.testing.assert_array_equal(read, windows.astype(np.float32))


def test_data_without_features_exit_2(invoke: Any, model: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x_test=np.zeros((2, 29, 12)))
    done = invoke("inspect", model, "--data", tmp_path / "data.npz")
    assert done.code == 2
    assert "has no array 'features'" in done.err
    np.save(tmp_path / "objects.npy", np.array([object()]), allow_pickle=True)
    assert invoke("inspect", model, "--data", tmp_path / "objects.npy").code == 2


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x1c\x00\x00\x00TFL3" + bytes(100)])
def test_a_file_that_is_no_model_exits_2(invoke: Any, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.tflite").write_bytes(content)
    done = invoke("inspect", tmp_path / "m.tflite")
    assert done.code == 2
    assert done.err.startswith("Error: ")
    assert "Traceback" not in done.err


def test_lengths_of_the_data_are_read(
    invoke: Any, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    monkeypatch.setattr(inspection, "inspect_model", lambda *one: given.append(one[1:]) or inspected())
    padded = np.ones((2, 3, 2), np.float32)
    padded[1, 1:] = np.nan
    np.savez(tmp_path / "golden.npz", features=padded, lengths=[3, 1])
    invoke("inspect", model, "--data", tmp_path / "golden.npz")
    ((windows, name, lengths),) = given
    assert (name, lengths.tolist()) == ("golden.npz", [3, 1])
    assert windows[1].tolist() == [[1, 1], [0, 0], [0, 0]]
    np.savez(tmp_path / "golden.npz", features=padded, lengths=[3, 4])
    result = invoke("inspect", model, "--data", tmp_path / "golden.npz")
    assert result.code == 2
    assert "lengths has to hold one whole number from 1 to 3" in " ".join(result.err.split())
