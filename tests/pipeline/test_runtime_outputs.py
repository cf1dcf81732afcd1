"""What the runtime makes of outputs of other shapes and types; files made by hand, in a moment."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import hand_made, metadata, windows

from converters import schema
from pipeline import runtime
from pipeline.runtime import ModelFileError, SequenceClassifier

FEATURES, _ = windows(3)


def test_attention_of_several_rows_keeps_its_axes() -> None:
    classifier = SequenceClassifier(hand_made(per_channel=True, described=metadata()))
    prediction = classifier.predict(2 * FEATURES[0] + 1)
    powers = np.exp(FEATURES[0].T)
    assert prediction.attention_weights.shape == (3, 5)
    assert prediction.attention_weights == pytest.approx(powers / powers.sum(axis=1, keepdims=True), abs=1e-6)


@pytest.mark.parametrize("shape", [[1, 5, 3], [3, 5], [1, 1, 3, 1, 5]])
def test_attention_that_is_no_distribution_over_the_steps_is_refused(shape: list[int]) -> None:
    model = schema.read_model(hand_made(per_channel=True, described=metadata()))
    weights = model.subgraphs[0].tensors[model.subgraphs[0].outputs[1]]
    assert list(weights.shape) == [1, 3, 5]
    assert runtime._fits((1, 3, 5), (..., 5))
    assert not runtime._fits(tuple(shape), (..., 5))
    assert runtime._fits((1, 5), (..., 5))


def test_int16_outputs_are_dequantized() -> None:
    details = {"dtype": np.int16, "quantization": (1 / 32768, 0)}
    stored = np.array([0, 8192, 32767], np.int16)
    assert runtime.dequantize(stored, details).tolist() == [0, 0.25, 32767 / 32768]


def test_a_type_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interpreter:
        def get_signature_list(self) -> list[str]:
            return ["serving_default"]

        def get_signature_runner(self, _: str) -> Interpreter:
            return self

        def get_input_details(self) -> dict[str, object]:
            return {"features": {"shape": (1, 5, 3), "dtype": np.int16, "quantization": (1.0, 0)}}

        def get_output_details(self) -> dict[str, object]:
            return {}

    monkeypatch.setattr(runtime, "open_interpreter", lambda *_: Interpreter())
    with pytest.raises(ModelFileError, match="'features' is int16; known are float32, int8"):
        SequenceClassifier(hand_made(described=metadata()))
