"""The public functions; the examples and docs/python.md run them from end to end (tests/contracts)."""

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from foreign_models import MODELS, windows

import pipeline.api as api
from models.errors import QuantizationError
from models.quiet_tensorflow import load_tensorflow

load_tensorflow()


@pytest.mark.parametrize("name", api.__all__)
def test_everything_public_is_typed_and_described(name: str) -> None:
    one = getattr(api, name)
    assert inspect.getdoc(one)
    if inspect.isfunction(one):
        signature = inspect.signature(one)
        assert signature.return_annotation is not inspect.Signature.empty
        assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())


def test_importing_it_loads_no_tensorflow() -> None:
    code = "import sys, pipeline.api; sys.exit('tensorflow' in sys.modules or 'tf_keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)})
    assert done.returncode == 0


def test_a_model_in_memory_becomes_fusable() -> None:
    import tf_keras

    made = api.fusable_model(MODELS["no bias"](tf_keras), windows())
    assert made.end == "softmax"
    assert made.largest_difference < 1e-5
    assert any("use_bias=False" in one for one in made.mended)
    assert list(made.model.output) == ["logits"]


def test_layers_are_annotated_or_left(tmp_path: Path) -> None:
    import tf_keras

    from models.quantization.twin import twins

    model = api.fusable_model(MODELS["attention"](tf_keras), windows(), check_outputs=["attention"]).model
    everything = {layer.name for layer in twins(api.quantize_model(model))}
    assert everything == {"encoder", "score", "decision_linear"}
    left = {layer.name for layer in twins(api.quantize_model(model, skip=["score"]))}
    assert left == everything - {"score"}
    with pytest.raises(QuantizationError, match="No layer named 'skore' to skip"):
        api.quantize_model(model, skip=["skore"])


@pytest.mark.slow
def test_int8_inputs_and_outputs(tmp_path: Path) -> None:
    import tf_keras

    x = windows(40)
    model = api.fusable_model(MODELS["last state"](tf_keras), x).model
    twin = api.quantize_model(model)
    api.calibrate(twin, x)
    made = api.convert(model, tmp_path / "m.tflite", twin=twin, windows=x, io="int8", class_names=["a", "b"])
    assert made.left_in_float == ()
    assert {one["precision"] for one in made.ranges} == {"int8"}
    answer = api.SequenceClassifier(made.path).predict(x[0])
    assert answer.label in ("a", "b")
    np.testing.assert_allclose(answer.logits, model(x[:1])["logits"][0], atol=0.1)
