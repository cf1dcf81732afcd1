import pytest

from converters.fusion import find_unfused, layers_named
from converters.lint import check_fused, fusion_problems
from converters.lstm_op import lstm_nodes
from converters.schema import read_model
from models.errors import ConversionError


def test_a_fused_lstm_passes(tiny: dict[str, bytes]) -> None:
    check_fused(tiny["float"], ["encoder"])
    assert find_unfused(tiny["float"]) == []


def test_an_unfused_lstm_is_caught_with_its_name_and_reason(tiny: dict[str, bytes]) -> None:
    with pytest.raises(ConversionError) as caught:
        check_fused(tiny["use_bias"], ["encoder"])
    assert caught.value.message == (
        "Layer 'encoder' was not fused into UNIDIRECTIONAL_SEQUENCE_LSTM: it is a WHILE loop. "
        "Likely: use_bias=False."
    )
    assert caught.value.tip == "Set use_bias=True; a bias of zeros computes the same."


@pytest.mark.parametrize("layers", [[], ["encoder", "decoder"]])
def test_another_number_of_lstms_than_expected_is_caught(tiny: dict[str, bytes], layers: list[str]) -> None:
    with pytest.raises(ConversionError, match=f"1 UNIDIRECTIONAL_SEQUENCE_LSTM, expected {len(layers)}"):
        check_fused(tiny["float"], layers)


def test_a_layer_the_file_does_not_name_is_listed_with_the_others(tiny: dict[str, bytes]) -> None:
    (problem,) = fusion_problems(tiny["use_bias"], ["left", "right"])[:1]
    assert problem.message.startswith("One of the layers 'left', 'right' was not fused")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "form", "reason"),
    [
        ("mask", "a WHILE loop", "gets a mask"),
        ("recurrent_dropout", "a WHILE loop", "recurrent_dropout is not 0"),
        ("recurrent_activation", "a WHILE loop", "recurrent_activation is not sigmoid"),
        ("activation", "a WHILE loop", "activation is not tanh"),
        ("return_state", "a WHILE loop", "return_state=True"),
        ("stateful", "a WHILE loop", "stateful=True"),
        ("gru", "a WHILE loop", "it is a GRU"),
        ("keras_3", "a WHILE loop", "it is a Keras 3 layer"),
        ("unroll", "unrolled", "unroll=True"),
    ],
)
def test_each_reason_is_recognized(fusion: dict[str, bytes], name: str, form: str, reason: str) -> None:
    (one,) = find_unfused(fusion[name])
    assert one.form == form
    assert reason in one.reason
    with pytest.raises(ConversionError, match=r"Layer 'encoder' was not fused .* Likely: ") as caught:
        check_fused(fusion[name], ["encoder"])
    assert caught.value.tip == one.remedy


@pytest.mark.slow
def test_of_two_layers_the_unfused_one_is_named(fusion: dict[str, bytes]) -> None:
    check_fused(fusion["two"], ["lower", "encoder"])
    (problem,) = fusion_problems(fusion["second_of_two"], ["lower", "encoder"])
    assert problem.message.startswith("Layer 'encoder' was not fused")
    assert layers_named(fusion["second_of_two"], ["lower", "encoder"]) == ["encoder"]


@pytest.mark.slow
def test_a_bidirectional_layer_is_two_lstms(fusion: dict[str, bytes]) -> None:
    check_fused(fusion["bidirectional"], ["forward_encoder", "backward_encoder"])


@pytest.mark.slow
def test_a_flex_op_is_caught_beside_a_fused_lstm(fusion: dict[str, bytes]) -> None:
    with pytest.raises(ConversionError, match="TFLite alone cannot run: FlexMatrixInverse"):
        check_fused(fusion["flex"], ["encoder"])


@pytest.mark.slow
def test_dynamic_range_keeps_the_op_and_is_called_hybrid(fusion: dict[str, bytes]) -> None:
    check_fused(fusion["dynamic"], ["encoder"])
    assert [node.kind for node in lstm_nodes(read_model(fusion["dynamic"]))] == ["hybrid"]
