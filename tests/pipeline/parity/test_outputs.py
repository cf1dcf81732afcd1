"""Outputs go to a file and back, and refuse what does not belong together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.errors import VerificationError
from pipeline.parity.outputs import Outputs

LOGITS, WEIGHTS, CONTEXT = np.ones((3, 2)), np.ones((3, 5)), np.ones((3, 4))


def test_save_and_load(tmp_path: Path) -> None:
    Outputs(LOGITS, WEIGHTS, CONTEXT, 0.25).save(tmp_path / "one.npz")
    back = Outputs.load(tmp_path / "one.npz")
    assert (back.logits == LOGITS).all()
    assert (back.attention_weights == WEIGHTS).all()
    assert back.context is not None
    assert (back.context == CONTEXT).all()
    assert back.logits_scale == 0.25


def test_what_is_absent_stays_absent(tmp_path: Path) -> None:
    Outputs(LOGITS, WEIGHTS).save(tmp_path / "one.npz")
    back = Outputs.load(tmp_path / "one.npz")
    assert back.context is None
    assert back.logits_scale is None


def test_select_takes_the_windows_in_the_order_given() -> None:
    numbered = Outputs(np.arange(6).reshape(3, 2), WEIGHTS, CONTEXT, 0.5).select(np.array([2, 0]))
    assert numbered.logits.tolist() == [[4, 5], [0, 1]]
    assert len(numbered) == 2
    assert numbered.logits_scale == 0.5


@pytest.mark.parametrize(
    ("logits", "weights", "context"),
    [(LOGITS[0], WEIGHTS, None), (LOGITS, WEIGHTS[:2], None), (LOGITS, WEIGHTS, CONTEXT[:1])],
)
def test_what_does_not_belong_together_is_refused(logits: object, weights: object, context: object) -> None:
    with pytest.raises(VerificationError, match="expected two dimensions"):
        Outputs(logits, weights, context)  # type: ignore[arg-type]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match=r"outputs_float\.npz"):
        Outputs.load(tmp_path / "outputs_float.npz")


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.npz"
    Outputs(LOGITS, WEIGHTS).save(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(VerificationError, match="cannot be read"):
        Outputs.load(path)


def test_a_lacking_array_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", logits=LOGITS)
    with pytest.raises(VerificationError, match="attention_weights"):
        Outputs.load(tmp_path / "one.npz")


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", logits=np.array([{"a": 1}], dtype=object), attention_weights=WEIGHTS)
    with pytest.raises(VerificationError, match="allow_pickle"):
        Outputs.load(tmp_path / "one.npz")
