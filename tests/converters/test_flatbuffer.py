import pytest

from converters.flatbuffer import set_cell_clip
from converters.lint import check_cell_clip_off
from converters.lstm_op import lstm_nodes
from converters.schema import read_model
from models.errors import ConversionError


@pytest.mark.parametrize("name", ["float", "int8"])
def test_the_cell_clip_is_written(tiny: dict[str, bytes], name: str) -> None:
    with pytest.raises(ConversionError, match="clips its cell state at 10"):
        check_cell_clip_off(tiny[name])
    edited = set_cell_clip(tiny[name], 0.0)
    check_cell_clip_off(edited)
    assert [node.cell_clip for node in lstm_nodes(read_model(edited))] == [0.0]
    assert [node.cell_clip for node in lstm_nodes(read_model(set_cell_clip(edited, 2.5)))] == [2.5]


@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_a_clip_that_is_no_bound_is_refused(tiny: dict[str, bytes], value: float) -> None:
    with pytest.raises(ConversionError, match="0 \\(none\\) or positive"):
        set_cell_clip(tiny["float"], value)


def test_a_model_without_a_fused_lstm_is_refused(tiny: dict[str, bytes]) -> None:
    with pytest.raises(ConversionError, match="no fused LSTM"):
        set_cell_clip(tiny["use_bias"], 0.0)
