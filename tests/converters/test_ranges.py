from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_classifier import table

from converters.ranges import Quantity, RangeTable, find, match
from models.errors import ConversionError
from models.quantization.number_formats import SOFTMAX_RANGE, Range


def changed(name: str, **values: Any) -> RangeTable:
    """The table with one quantity changed."""
    return replace(
        table(), quantities=tuple(replace(q, **values) if q.name == name else q for q in table().quantities)
    )


def without(name: str) -> RangeTable:
    return replace(table(), quantities=tuple(q for q in table().quantities if q.name != name))


class TestTable:
    def test_it_survives_a_file(self, tmp_path: Path) -> None:
        table().save(tmp_path / "ranges.npz")
        loaded = RangeTable.load(tmp_path / "ranges.npz")
        np.testing.assert_array_equal(loaded.probe_window, table().probe_window)
        for ours, theirs in zip(loaded.quantities, table().quantities, strict=True):
            assert (ours.name, ours.range) == (theirs.name, theirs.range)
            assert (ours.probe is None) == (theirs.probe is None) == (ours.name == "lstm/cell")
            if ours.probe is not None:
                np.testing.assert_array_equal(ours.probe, theirs.probe)

    def test_nothing_is_unpickled(self, tmp_path: Path) -> None:
        bad = np.array([{"a": 1}], dtype=object)
        np.savez(tmp_path / "bad.npz", probe_window=bad, names=bad, ranges=bad)
        with pytest.raises(ValueError, match="allow_pickle=False"):
            RangeTable.load(tmp_path / "bad.npz")

    def test_a_quantity_is_found_by_its_name(self) -> None:
        assert table()["attention/weights"].range == SOFTMAX_RANGE
        with pytest.raises(KeyError, match="attention/values"):
            table()["attention/values"]

    def test_precision_and_probe_length_survive_a_file(self, tmp_path: Path) -> None:
        wide = replace(changed("attention/scores", precision="int16"), probe_length=4)
        wide.save(tmp_path / "ranges.npz")
        loaded = RangeTable.load(tmp_path / "ranges.npz")
        assert [q.precision for q in loaded.quantities].count("int16") == 1
        assert loaded["attention/scores"].precision == "int16"
        assert loaded.probe_length == 4
        assert loaded.probe_inputs["lengths"].tolist() == [4]
        assert table().probe_inputs == {}

    def test_an_unknown_precision_is_refused(self) -> None:
        with pytest.raises(ConversionError, match=r"'a/b' has the unknown precision 'int4'\. Known: int8,"):
            Quantity("a/b", Range(0.0, 1.0), None, "int4")

    def test_a_quantity_is_looked_up(self) -> None:
        assert "lstm/cell" in table()
        assert "lstm/gate" not in table()


def found(name: str, ranges: RangeTable) -> list[str]:
    """The quantities that have the values of one."""
    value = table()[name].probe
    assert value is not None
    return [one.name for one in match("t", value, ranges)]


def test_a_value_matches_its_quantity_in_any_shape() -> None:
    assert found("attention/weights", table()) == ["attention/weights"]
    value = table()["attention/weights"].probe
    assert value is not None
    assert [one.name for one in match("t", value.reshape(-1, 1, 1), table())] == ["attention/weights"]


def test_a_value_that_nothing_matches_is_named() -> None:
    with pytest.raises(ConversionError, match=r"Tensor 't' .* matches no quantity") as error:
        found("attention/scores", without("attention/scores"))
    assert "attention/scores" not in error.value.message
    scores = table()["attention/scores"].probe
    assert scores is not None
    assert find("t", scores, without("attention/scores")) == ()


def test_a_quantity_of_other_weights_matches_nothing() -> None:
    probe = table()["attention/scores"].probe
    assert probe is not None
    found("attention/scores", changed("attention/scores", probe=probe * np.float32(1 + 5e-4)))
    with pytest.raises(ConversionError, match="matches no quantity"):
        found("attention/scores", changed("attention/scores", probe=probe * np.float32(1 + 5e-3)))


def test_two_quantities_of_different_ranges_for_one_tensor_are_refused() -> None:
    twice = Quantity("other/query", Range(-9.0, 9.0), table()["attention/query"].probe)
    with pytest.raises(ConversionError, match=r"matches several .* attention/query .* other/query \[-9, 9\]"):
        found("attention/query", replace(table(), quantities=(*table().quantities, twice)))


def test_two_quantities_that_differ_in_precision_are_both_found() -> None:
    wide = Quantity("other/query", Range(-9.0, 9.0), table()["attention/query"].probe, "int16")
    both = replace(table(), quantities=(*table().quantities, wide))
    assert found("attention/query", both) == ["attention/query", "other/query"]
