"""One function for the self-test and the app; by hand, for short and long windows."""

from __future__ import annotations

import pytest
from hand_made import hand_made, metadata

from pipeline.export.limits import device_limits


@pytest.mark.parametrize(
    ("steps", "step", "limit"),
    [
        (128, 1 / 256, 1.0),
        (510, 1 / 256, 1.0),  # 256 * 511 / 131070 = 0.998
        (511, 1 / 256, 2.0),  # 256 * 512 / 131070 = 1.00001
        (1024, 1 / 256, 3.0),
        (1024, 1 / 32768, 1.0),  # int16
    ],
)
def test_weights_of_a_long_window_may_be_more_steps_away(steps: int, step: float, limit: float) -> None:
    content = hand_made(described=metadata())
    found = device_limits(content, steps, {"logits": 0.25, "attention_weights": step})
    assert found == {"logits": 1.0, "attention_weights": limit}


def test_a_float_output_may_differ_by_what_float32_does() -> None:
    found = device_limits(hand_made(described=metadata()), 64, {"logits": 0.0})
    assert found == {"logits": 64 * 2.0**-18}
