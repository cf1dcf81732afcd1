"""The golden file: everything where it is small, a sample where it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.parity import golden
from pipeline.parity.outputs import Outputs

RAW, LABELS = np.arange(30.0).reshape(10, 3, 1), np.arange(10)
MODEL = Outputs(np.ones((10, 2)) * LABELS[:, None], np.full((10, 3), 1 / 3))


def test_all_windows_are_written_where_they_are_small(tmp_path: Path) -> None:
    assert golden.write_golden(tmp_path / "golden.npz", RAW, RAW + 1, LABELS, MODEL) == []
    with np.load(tmp_path / "golden.npz", allow_pickle=False) as arrays:
        assert (arrays["features"] == RAW + 1).all()
        assert arrays["float_logits"].dtype == arrays["float_attention_weights"].dtype == np.float32


def test_a_sample_is_written_where_they_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A window: 24 + 24 bytes of features, 8 of its label, 8 + 12 of the answers: 76.
    monkeypatch.setattr(golden, "LARGEST", 4 * 76 + 75)
    (note,) = golden.write_golden(tmp_path / "golden.npz", RAW, RAW + 1, LABELS, MODEL)
    assert note.startswith("golden.npz holds 4 of the 10 windows")
    with np.load(tmp_path / "golden.npz", allow_pickle=False) as arrays:
        assert len(arrays["labels"]) == 4
        assert (arrays["raw_features"] == RAW[arrays["labels"]]).all()
        assert (arrays["float_logits"][:, 0] == arrays["labels"]).all()
