from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_classifier import float_file, table

from converters import schema
from converters.lstm_op import LstmIntermediate, lstm_nodes
from converters.ranges import AssignedRange, Quantity, RangeTable, write_ranges
from models.errors import ConversionError
from models.quantization.number_formats import HIDDEN_RANGE, SOFTMAX_RANGE, AffineFormat, Range

Ranged = tuple[schema.ModelT, list[AssignedRange]]


def changed(name: str, **values: Any) -> RangeTable:
    """The table with one quantity changed."""
    return replace(
        table(), quantities=tuple(replace(q, **values) if q.name == name else q for q in table().quantities)
    )


def without(name: str) -> RangeTable:
    return replace(table(), quantities=tuple(q for q in table().quantities if q.name != name))


def written(tensor: schema.TensorT) -> tuple[float, float]:
    return float(tensor.quantization.min[0]), float(tensor.quantization.max[0])


def ends(value_range: Range) -> tuple[float, float]:
    return float(np.float32(value_range.minimum)), float(np.float32(value_range.maximum))


@pytest.fixture(scope="module")
def ranged() -> Ranged:
    content, assigned = write_ranges(float_file(), table())
    return schema.read_model(content), assigned


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

    def test_an_assigned_range_knows_its_format(self) -> None:
        assert AssignedRange("t", "q", HIDDEN_RANGE).format == AffineFormat(1 / 128, 0)


def test_every_activation_gets_the_range_of_what_it_holds(ranged: Ranged) -> None:
    _, assigned = ranged
    quantities = [one.quantity for one in assigned]
    assert quantities[:2] == ["lstm/input", "lstm/hidden"]
    assert set(quantities) == {q.name for q in table().quantities} - {"lstm/cell"}
    for one in assigned:
        assert one.range == table()[one.quantity].range
    by_tensor = {one.tensor.rpartition("/")[-1]: one.quantity for one in assigned}
    assert by_tensor["Softmax"] == "attention/weights"
    assert by_tensor["strided_slice"] == "lstm/hidden"  # the last step of it
    assert by_tensor["concat"] in ("attention/context", "lstm/hidden")


def test_hidden_value_state_and_output_are_tied(ranged: Ranged) -> None:
    model, _ = ranged
    (node,) = lstm_nodes(model)
    hidden = node.effective_hidden_scale_intermediate
    assert hidden is not None
    for tensor in (hidden, node.hidden_state, node.output):
        assert written(tensor) == (-1.0, 127 / 128)
    assert written(node.cell_state) == ends(table()["lstm/cell"].range)
    assert len(schema.indices(node.operator.intermediates)) == len(LstmIntermediate)
    for place in LstmIntermediate:
        tensor = node.intermediate(place)
        assert tensor is not None
        assert schema.elements(tensor) == 0


def test_constants_get_no_range(ranged: Ranged) -> None:
    model, assigned = ranged
    names = {one.tensor for one in assigned}
    for tensor in model.subgraphs[0].tensors:
        if schema.has_data(model, tensor):
            assert schema.name(tensor) not in names


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("lstm/input", "serving_default_features:0"),
        ("lstm/hidden", "tfl.unidirectional_sequence_lstm"),
        ("attention/scores", "attention/MatMul_1"),
        ("attention/context", "attention/MatMul_2"),
        ("logits/output", "StatefulPartitionedCall:1"),
    ],
)
def test_a_tensor_that_nothing_matches_is_named(name: str, tensor: str) -> None:
    with pytest.raises(ConversionError, match="matches no quantity that was observed") as error:
        write_ranges(float_file(), without(name))
    assert tensor in error.value.message.split("of the float model")[0]
    assert name not in error.value.message


def test_a_quantity_of_other_weights_matches_nothing() -> None:
    probe = table()["attention/scores"].probe
    assert probe is not None
    write_ranges(float_file(), changed("attention/scores", probe=probe * np.float32(1 + 5e-4)))
    with pytest.raises(ConversionError, match="matches no quantity"):
        write_ranges(float_file(), changed("attention/scores", probe=probe * np.float32(1 + 5e-3)))


def test_the_cell_state_needs_its_range() -> None:
    with pytest.raises(ConversionError, match="LSTM 'lstm' has no observed quantity 'lstm/cell'"):
        write_ranges(float_file(), without("lstm/cell"))


def test_two_quantities_of_different_ranges_for_one_tensor_are_refused() -> None:
    twice = Quantity("other/query", Range(-9.0, 9.0), table()["attention/query"].probe)
    with pytest.raises(ConversionError, match=r"matches several .* attention/query .* other/query \[-9, 9\]"):
        write_ranges(float_file(), replace(table(), quantities=(*table().quantities, twice)))


def test_a_context_of_another_range_would_untie_the_output() -> None:
    with pytest.raises(ConversionError, match=r"CONCATENATION .* untie the LSTM's output") as error:
        write_ranges(float_file(), changed("attention/context", range=Range(-0.5, 0.5)))
    assert "attention/context [-0.5, 0.5]" in error.value.message
