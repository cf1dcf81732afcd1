"""A model up to each of its operators."""

from __future__ import annotations

import numpy as np
from hand_made import hand_made

from pipeline import runtime
from pipeline.targets.prefixes import prefixes


def test_each_ends_with_one_operator_more() -> None:
    parts = prefixes(hand_made())
    assert [name for name, _ in parts] == ["SUM", "SUM", "SOFTMAX"]
    window = np.arange(15, dtype=np.float32).reshape(1, 5, 3)
    found = []
    for _, content in parts:
        interpreter = runtime.open_interpreter(content, 1)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window)
        interpreter.invoke()
        (output,) = interpreter.get_output_details()
        found.append(interpreter.get_tensor(output["index"])[0])
    np.testing.assert_array_equal(found[0], window[0].sum(axis=0))
    np.testing.assert_array_equal(found[1], window[0].sum(axis=1))
    assert found[2].sum() == 1
