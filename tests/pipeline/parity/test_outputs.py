"""Outputs go to a file and back, and refuse what does not belong together."""

from __future__ import annotations

from dataclasses import replace
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
    with pytest.raises(VerificationError, match="expected two dimensions or more"):
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


def test_attention_of_any_rank_is_rows_without_a_copy(tmp_path: Path) -> None:
    weights = np.arange(3 * 2 * 4 * 5.0).reshape(3, 2, 4, 5)
    one = Outputs(LOGITS, weights, np.ones((3, 4, 6)), attention_step=1 / 32768)
    assert (one.steps, one.distributions.shape) == (5, (24, 5))
    assert one.distributions[13].tolist() == weights[1, 1, 1].tolist()
    assert np.shares_memory(one.distributions, weights)
    one.save(tmp_path / "one.npz")
    back = Outputs.load(tmp_path / "one.npz")
    assert (back.attention_weights == weights).all()
    assert (back.attention_step, back.logits_scale) == (1 / 32768, None)
    assert back.select(np.array([1])).attention_weights.shape == (1, 2, 4, 5)


def test_without_attention_there_are_no_steps() -> None:
    none = Outputs(LOGITS, WEIGHTS[:, :0])
    assert (none.attends, none.steps, none.distributions.shape) == (False, 0, (3, 0))


def test_what_keras_answers_goes_by_the_names_of_its_outputs() -> None:
    whole = Outputs.of({"logits": LOGITS, "attention_weights": WEIGHTS, "context": CONTEXT})
    assert (whole.logits == 1).all()
    values = Outputs.of({"values": 2 * LOGITS, "attention_weights": WEIGHTS})
    assert ((values.logits == 2).all(), values.context) == (True, None)


class TestPadding:
    """Two windows of three steps; of the second only the first counts."""

    real = np.array([[True, True, True], [True, False, False]])

    def outputs(self, *shape: int) -> Outputs:
        weights = np.arange(2.0 * np.prod(shape)).reshape(2, *shape)
        return Outputs(np.arange(12.0).reshape(2, 3, 2), weights, real=self.real)

    def test_rows_of_queries_that_are_padding_are_left_out(self) -> None:
        assert self.outputs(3, 3).distributions.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
        assert self.outputs(2, 3, 3).distributions.shape == (8, 3)
        assert self.outputs(2, 3).distributions.shape == (4, 3)  # heads: nothing to leave out
        assert self.outputs(3).distributions.shape == (2, 3)

    def test_weights_on_padding_are_left_out(self) -> None:
        assert self.outputs(3).real_weights.tolist() == [0, 1, 2, 3]
        assert self.outputs(2, 3).real_weights.tolist() == [0, 1, 2, 3, 4, 5, 6, 9]
        assert self.outputs(3, 3).real_weights.tolist() == [*range(10)]

    def test_as_many_heads_as_steps_are_no_queries(self, tmp_path: Path) -> None:
        heads = replace(self.outputs(3, 3), queries=False)
        assert heads.distributions.shape == (6, 3)  # nothing to leave out
        assert heads.real_weights.tolist() == [*range(10), 12, 15]
        heads.save(tmp_path / "one.npz")
        assert Outputs.load(tmp_path / "one.npz").queries is False
        assert replace(heads, queries=True).distributions.shape == (4, 3)

    def test_answers_of_padding_are_left_out(self) -> None:
        assert self.outputs(3).answers.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]

    def test_they_are_kept_and_chosen(self, tmp_path: Path) -> None:
        self.outputs(3).save(tmp_path / "one.npz")
        back = Outputs.load(tmp_path / "one.npz")
        assert back.real is not None
        assert (back.real == self.real).all()
        chosen = back.select(np.array([1])).real
        assert chosen is not None
        assert chosen.tolist() == [[True, False, False]]
