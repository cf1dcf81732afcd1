"""Named outputs are checked, and the reader is told what was done to the model."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.brought.document import BroughtModel
from pipeline.brought.verify import _float_note, deviations, notes_of


def about(**changes: object) -> BroughtModel:
    values = {
        "file": "m.keras", "written_by": "Keras 3.15.1", "lstms": ["lstm"], "end": None, "attention": None,
        "checked": {}, "mended": [], "largest_difference": 3e-7, "compared": 40,
    }  # fmt: skip
    return BroughtModel(**{**values, **changes})  # type: ignore[arg-type]


def test_the_change_is_in_standard_deviations_by_hand() -> None:
    """Values 0 and 4 have a standard deviation of 2; changes of 0 and 1 an RMS of sqrt(1/2), 0.354 of it."""
    right, got = np.array([[0.0], [4.0]]), np.array([[0.0], [5.0]])
    rms, largest = deviations("context", right, got, 2, asked=True)
    assert (rms.name, largest.name) == ("context: RMS", "context: largest")
    assert rms.value == pytest.approx(np.sqrt(0.5) / 2)
    assert largest.value == pytest.approx(0.5)
    assert rms.passed is False
    assert largest.passed is None


def test_a_value_that_is_not_finite_fails() -> None:
    rms, _ = deviations("context", np.array([[0.0], [4.0]]), np.array([[0.0], [np.nan]]), 2, asked=True)
    assert rms.passed is False


def test_a_constant_value_counts_by_itself() -> None:
    rms, _ = deviations("context", np.ones((2, 1)), np.ones((2, 1)), 2, asked=True)
    assert (rms.value, rms.passed) == (0.0, True)


def test_a_file_that_nobody_asked_for_is_not_held_to_it() -> None:
    rms, _ = deviations("context", np.eye(2), np.zeros((2, 2)), 2, asked=False)
    assert rms.limit is None


def test_the_document_is_read_back(tmp_path: Path) -> None:
    one = about(checked={"a": "b"}, mended=["'x': unroll=True: set to False"])
    one.save(tmp_path)
    assert BroughtModel.load(tmp_path) == one


def test_notes_name_the_model_and_what_was_done() -> None:
    (only,) = notes_of(about())
    assert only == (
        "The model is m.keras, written by Keras 3.15.1. Rebuilt in fusable form, its answers differ by 3e-07 "
        "of the largest one on 40 test windows."
    )
    changed = about(
        end="softmax", attention="att", checked={"a_b": "a/b"}, mended=["'x': unroll=True: no"]
    )
    told = " ".join(notes_of(changed))
    for part in ("'x': unroll=True: no", "The softmax at the end", "is 'att' of", "`a_b` is 'a/b'"):
        assert part in told


def test_ops_that_stayed_in_float_are_named(tmp_path: Path) -> None:
    ranges = [{"left_in_float": "", "tensor": "a"}, {"left_in_float": "RSQRT", "tensor": "norm"}]
    (tmp_path / "conversion.json").write_text(json.dumps({"schemes": {"int8": {"ranges": ranges}}}))
    (note,) = _float_note(tmp_path, "int8")
    assert note == "1 ops stay in float32, between a DEQUANTIZE and a QUANTIZE: RSQRT 'norm'."
    ranges.pop()
    (tmp_path / "conversion.json").write_text(json.dumps({"schemes": {"int8": {"ranges": ranges}}}))
    assert _float_note(tmp_path, "int8") == []
