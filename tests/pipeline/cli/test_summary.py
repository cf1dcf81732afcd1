"""The end of a build on stdout: 80 columns, names whole, a failure impossible to miss."""

import math
from pathlib import Path
from typing import Any

import pytest
from scheme_results import result

from pipeline.build import BuildResult
from pipeline.cli.summary import print_parity, print_summary
from pipeline.parity.definitions import DEFINITIONS, PROMISE, REFERENCES
from pipeline.parity.verdict import Check, verdict
from pipeline.report.numbers import figures
from pipeline.report.recommendation import recommend
from pipeline.report.schemes import SchemeResult


def check(
    value: float | None,
    limit: float | None,
    name: str = "decision_agreement",
    reference: str = "float_model",
    n: int = 370,
) -> Check:
    one = DEFINITIONS[name]
    return Check(name, reference, one.relation, value, limit, one.unit, n)


def build(tmp_path: Path, *checks: Check, **parity: Any) -> BuildResult:
    files = {"model_float32.tflite": 90_000, "model_int8.tflite": 30_000, "report.html": 1}
    for name, size_bytes in files.items():
        (tmp_path / name).write_bytes(bytes(size_bytes))
    accuracies = [
        {"name": name, "value": 0.9703, "correct": 359, "n": 370, "low": 0.948, "high": 0.983}
        for name in ("float_model", "float32", "int8")
    ]
    return BuildResult(
        Path("out"),
        {
            "verdict": verdict(checks),
            "checks": [one.to_dict() for one in checks],
            "notes": [],
            "accuracies": accuracies,
            **parity,
        },
        {name: tmp_path / name for name in files},
        (),
    )


@pytest.mark.parametrize(
    ("value", "limit", "name", "shown"),
    [
        (0.9973, 0.985, "decision_agreement", ("99.7 %", ">= 98.5 %")),
        (1.0, 0.99, "attention_within_one_step", ("100.0 %", ">= 99.0 %")),
        (0.99999, None, "decision_agreement", ("99.999 %", "")),
        (0.98499, 0.985, "decision_agreement", ("98.499 %", ">= 98.500 %")),
        (0.01324, 0.0241, "attention_total_variation", ("0.0132", "<= 0.0241")),
        (0.05000004, 0.05, "attention_max_error", ("0.05000004", "<= 0.05")),
        (0.05, 0.05, "attention_max_error", ("0.05", "<= 0.05")),
        (1 / 60 + 1e-12, 1 / 60, "accuracy_drop", ("0.0167", "<= 0.0167")),  # one window of 60, on its limit
        (-0.0027027, 0.01, "accuracy_drop", ("-0.0027", "<= 0.01")),
        (4.21e-5, 2.0**-10, "logits_max_relative_error", ("4.21e-5", "<= 0.000977")),
        (1234.0, None, "attention_top1_ties", ("1234", "")),
        (0.0, 0.0, "accuracy_drop", ("0", "<= 0")),
        (None, 0.985, "decision_agreement", ("not measured", ">= 98.5 %")),
        (math.nan, None, "attention_max_error", ("not measured", "")),
    ],
)
def test_figures_have_as_many_digits_as_they_need(
    value: float | None, limit: float | None, name: str, shown: tuple[str, str]
) -> None:
    assert figures(check(value, limit, name)) == shown


def test_every_check_of_every_reference_fits_80_columns_with_its_name_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = [
        check(value, 0.123456, name, reference, n=5000)
        for reference in REFERENCES
        for name in DEFINITIONS
        for value in (0.1234562, 4.2e-5, None)
    ]
    print_summary(build(tmp_path, *checks, notes=["A long note. " * 20]))
    out = capsys.readouterr().out
    for reference, text in REFERENCES.items():
        assert text in out.splitlines(), reference
    rows = [line.split() for line in out.splitlines()]
    for name in DEFINITIONS:
        assert sum(name in row for row in rows) >= 3 * len(REFERENCES)
    assert [line for line in out.splitlines() if len(line) > 80] == [f"Report: {tmp_path / 'report.html'}"]


def test_the_promise_is_shown_whole_and_of_the_explanations_what_is_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_summary(
        build(
            tmp_path,
            *(check(0.5, None, name) for name in PROMISE),
            check(1.0, None, reference="float_forward"),
            check(1.0, 0.99, "attention_within_one_step", "training_forward"),
            check(0.9, None, "attention_equal", "training_forward"),
        )
    )
    out = capsys.readouterr().out
    assert all(out.count(f" {name} ") == 1 for name in PROMISE)
    assert "attention_within_one_step" in out
    assert "attention_equal" not in out
    assert REFERENCES["float_forward"] not in out


def test_accuracies_with_intervals_sizes_and_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_summary(build(tmp_path, check(1.0, 0.985)))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "float model 97.0 % 94.8 % to 98.3 %, 359 of 370" in lines
    assert "int8 file 97.0 % 94.8 % to 98.3 %, 359 of 370" in lines
    assert not any(line.startswith("float32 ") for line in lines)
    assert "model_float32.tflite 90.0 kB" in lines
    assert "model_int8.tflite 30.0 kB 33.3 % of float32" in lines
    assert lines[-2:] == [f"Report: {tmp_path / 'report.html'}", "PARITY PASSED"]


def test_a_failed_check_is_marked_in_its_row_and_said_again_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = (check(0.0612, 0.05, "attention_max_error"), check(None, 0.0, "accuracy_drop"))
    print_summary(build(tmp_path, check(1.0, 0.985), *failed))
    lines = capsys.readouterr().out.splitlines()
    marked = [line for line in lines if line.startswith("! ")]
    assert [line.split()[1] for line in marked] == ["attention_max_error", "accuracy_drop"]
    assert all(line.endswith("FAIL") for line in marked)
    assert lines[-3:] == [
        "FAILED float_model.attention_max_error: 0.0612, limit <= 0.05",
        "FAILED float_model.accuracy_drop: not measured, limit <= 0",
        "PARITY FAILED",
    ]


def stock(*checks: Check, error: str | None = None) -> dict[str, Any]:
    return {"file": "model_int8_stock.tflite", "checks": [one.to_dict() for one in checks], "error": error}


def test_the_stock_quantizer_is_shown_beside_and_counts_for_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = check(0.991, 0.985), check(0.97, 0.985)
    print_summary(build(tmp_path, ours, stock=stock(theirs)))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "decision_agreement 99.1 % 97.0 % >= 98.5 % missed" in lines
    assert lines[-1] == "PARITY PASSED"
    assert not any(line.startswith("FAILED") for line in lines)


def test_a_stock_quantizer_that_crashed_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(build(tmp_path, check(1.0, 0.985), stock=stock(error="It was ended by SIGSEGV.")))
    out = capsys.readouterr().out
    assert "  It was ended by SIGSEGV." in out.splitlines()
    assert out.endswith("PARITY PASSED\n")


def several(*results: SchemeResult) -> dict[str, Any]:
    return {
        "schemes": [one.to_dict() for one in results],
        "recommendation": {"reason": recommend(results).reason},
    }


def test_several_schemes_are_a_table_of_80_columns_with_a_recommendation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = check(0.0312345678, 0.024, "attention_total_variation")
    results = (
        result("float32", 107.4),
        result("dynamic", 1092.6, lstm_note="1 of 1 LSTMs stayed in float32, because " + "it is small " * 9),
        result("int8", 36.8, moved, agreement=0.9973, latency_ms=123.4, lstms={"a": "int8 8x8_16"}),
        result(
            "int8-attention-float32", 999.96, agreement=0.9999, accuracy=0.99999,
            lstms={"a": "int8 8x8_16", "b": "hybrid"},
        ),
    )  # fmt: skip
    print_summary(build(tmp_path, check(1.0, 0.985), **several(*results)))
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines if not line.startswith("Report: ")) == 80
    start = next(index for index, line in enumerate(lines) if line.startswith("All schemes"))
    assert " ".join(lines[start + 1].split()) == "kB acc % same % worst moved sums ms RAM LSTM"
    rows = [line.split() for line in lines[start + 2 : start + 6]]
    assert rows[0] == ["float32", "107.4", "97.0", "100.0", "-", "-", "-", "1.00", "5.0", "f32"]
    assert rows[1][:2] == ["dynamic", "1093"]
    assert rows[2] == ["!int8", "36.8", "97.0", "99.7", "-", "0.0312", "-", "123", "5.0", "int8"]
    assert rows[3] == [
        "int8-attention-float32", "1000", ">99.9", ">99.9", "-", "-", "-", "1.00", "5.0", "mix",
    ]  # fmt: skip
    assert lines[start + 6].startswith("dynamic: 1 of 1 LSTMs stayed in float32, because it is small")
    assert "Recommended: float32: no smaller scheme holds every limit; int8 is 36.8 kB but" in lines
    assert "FAILED int8: float_model.attention_total_variation: 0.0312, limit <= 0.024" in lines
    assert not any(line.startswith("  model_int8.tflite") for line in lines)


def test_one_scheme_needs_no_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(build(tmp_path, check(1.0, 0.985)))
    without = capsys.readouterr().out
    print_summary(
        build(tmp_path, check(1.0, 0.985), **several(result("float32", 107.4), result("int8", 36.8)))
    )
    assert capsys.readouterr().out == without


def test_two_given_files_go_by_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    skipped = check(None, None, "accuracy_drop")
    parity = {
        "verdict": "pass",
        "checks": [check(1.0, 0.985).to_dict(), skipped.to_dict()],
        "notes": [],
        "accuracies": [{"name": "int8", "value": 1.0, "correct": 9, "n": 9, "low": 0.7, "high": 1.0}],
        "files": [{"name": "a.tflite", "size_bytes": 4000}, {"name": "b\x1b.tflite", "size_bytes": 1000}],
        "names": {"float_model": "A", "int8": "B"},
        "references": {"float_model": "B against A"},
        "built": False,
        "stock": None,
    }
    print_parity(parity, None)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "B against A"
    assert "accuracy_drop not measured skipped" in lines
    assert "B 100.0 % 70.0 % to 100.0 %, 9 of 9" in lines
    assert "b\\x1b.tflite 1.0 kB 25.0 % of A" in lines
    assert not any(line.startswith(("Report", "Files")) for line in lines)


def test_scores_of_a_regression_fit_80_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = {"R2": 0.97, "RMSE of load [N]": 12.3, "RMSE of wear [mm]": 0.00123, "RMSE of heat [K]": 1.5}
    scores = [{"name": name, "values": values} for name in ("float_model", "int8")]
    print_summary(build(tmp_path, check(1.0, 0.985), scores=scores))
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines() if not line.startswith("Report: ")) <= 80
    assert " ".join(out.split()).count("R2 0.97, RMSE of load [N] 12.3, RMSE of wear [mm] 0.00123") == 2


def test_colour_is_for_terminals_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = build(tmp_path, check(0.9, 0.985))
    print_summary(result)
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    print_summary(result)
    assert "\x1b[1;31m! decision_agreement" in capsys.readouterr().out
