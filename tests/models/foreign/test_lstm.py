"""What is mended on an LSTM, and what is refused."""

from typing import Any

import numpy as np
import pytest

from models.errors import QuantizationError
from models.foreign.lstm import NoCellState, mended, reasons_against, with_bias

FUSES = {
    "units": 2, "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True, "dropout": 0.0,
    "recurrent_dropout": 0.0, "unroll": False, "stateful": False, "go_backwards": False,
    "return_state": False, "time_major": False,
}  # fmt: skip


def test_an_lstm_that_fuses_is_left_alone() -> None:
    assert mended("it", FUSES) == []
    assert reasons_against("it", FUSES) == []


@pytest.mark.parametrize(
    "change",
    [
        {"use_bias": False}, {"dropout": 0.1}, {"recurrent_dropout": 0.1}, {"unroll": True},
        {"stateful": True}, {"go_backwards": True}, {"return_state": True},
    ],
)  # fmt: skip
def test_what_is_mended_is_no_reason_against(change: dict[str, Any]) -> None:
    (one,) = mended("it", FUSES | change)
    assert str(one).startswith("'it': ")
    assert one.what.partition("=")[0] in change
    assert reasons_against("it", FUSES | change) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"activation": "relu"}, "LSTM 'it' (activation='relu'): the fused kernel has tanh only"),
        ({"recurrent_activation": "hard_sigmoid"}, "(recurrent_activation='hard_sigmoid'): its gates are"),
        ({"recurrent_activation": "tanh"}, "sigmoid gates only"),
        ({"time_major": True}, "LSTM 'it' (time_major=True): batch comes first"),
    ],
)
def test_what_cannot_be_mended_is_explained(change: dict[str, Any], told: str) -> None:
    (reason,) = reasons_against("it", FUSES | change)
    assert told in reason
    assert mended("it", FUSES | change) == []


def test_a_missing_bias_is_zeros() -> None:
    kernel, recurrent = np.ones((3, 8), np.float32), np.ones((2, 8), np.float32)
    *kept, bias = with_bias([kernel, recurrent], {"use_bias": False, "units": 2})
    assert kept[0] is kernel
    np.testing.assert_array_equal(bias, np.zeros(8))
    assert len(with_bias([kernel, recurrent, bias], {"use_bias": True, "units": 2})) == 3


def test_another_number_of_weights_is_refused() -> None:
    with pytest.raises(QuantizationError, match="got 2"):
        with_bias([np.ones((3, 8)), np.ones((2, 8))], {"use_bias": True, "units": 2})


def test_a_cell_state_names_who_takes_it() -> None:
    assert "'user' takes the last cell state of LSTM 'it'" in NoCellState("it").refusal("user").message
