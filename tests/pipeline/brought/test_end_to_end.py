"""`pipeline quantize` from a model file to a report, as the console script does it."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tf_keras
from foreign_models import MODELS, windows

from converters import schema
from converters.lint import check_integer_only
from converters.lstm_op import lstm_nodes
from pipeline.build import PUBLISHED
from pipeline.cli import cli
from pipeline.cli.errors import guarded
from pipeline.runtime import load_model


def quantize(*arguments: object) -> int:
    return guarded(
        lambda: cli.main([str(one) for one in ("quantize", *arguments)], "pipeline", standalone_mode=False)
    )


def report(out: Path) -> Any:
    return json.loads((out / "report.json").read_text())


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")  # of both Keras when they save and load
def test_a_keras_3_model_with_attention_is_trained_further_and_verified(
    tmp_path: Path, recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "mine.keras", tmp_path / "out"
    MODELS["attention"](keras).save(path)
    options = ("--data", recordings, "--out", out, "--check-output", "attention", "--check-output", "context")
    code = quantize(path, *options, "--qat-epochs", 1)
    assert code in (0, 1)  # the model is not trained: two classes are nearly tied
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == ("PARITY FAILED" if code else "PARITY PASSED")
    for name in PUBLISHED:
        if name in ("model_float32.tflite", "model_int8.tflite") or not name.endswith(".tflite"):
            assert (out / name).is_file(), name
    document = report(out)
    held = (check for check in document["checks"] if check["reference"] in ("float_model", "checked_outputs"))
    checks = {check["name"]: check for check in held}
    assert checks["attention_total_variation"]["value"] <= checks["attention_total_variation"]["limit"]
    assert checks["context: RMS"]["value"] <= checks["context: RMS"]["limit"]
    assert any("written by Keras 3" in note for note in document["notes"])
    for file in ("model_float32.tflite", "model_int8.tflite"):
        assert len(lstm_nodes(schema.read_model(out / file))) == 1
    check_integer_only(out / "model_int8.tflite")
    answer = load_model(out / "model_int8.tflite").predict(windows(1)[0])
    assert answer.attention_weights.shape == (6,)
    assert code == quantize(path, *options, "--qat-epochs", 1)  # everything is kept
    assert "4/6 convert: kept from an earlier build" in capsys.readouterr().err
    assert code == guarded(lambda: cli.main(["report", str(out)], "pipeline", standalone_mode=False))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")  # of Keras when it saves
@pytest.mark.parametrize(
    ("name", "left"), [("separable", "RSQRT"), ("one probability", ""), ("bidirectional", "")]
)
def test_other_models_go_through_without_training(
    tmp_path: Path, recordings: Path, name: str, left: str
) -> None:
    path, out = tmp_path / "mine.h5", tmp_path / "out"
    MODELS[name](tf_keras).save(path)
    assert quantize(path, "--data", recordings, "--out", out, "--no-qat", "--quiet") in (0, 1)
    notes = " ".join(report(out)["notes"])
    assert ("ops stay in float32" in notes) == bool(left)
    assert left in notes
    model = load_model(out / "model_int8.tflite")
    assert model.predict(windows(1)[0]).attention_weights.shape == (0,)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Keras when it saves
def test_a_regression_answers_in_the_models_own_units(tmp_path: Path) -> None:
    x = windows(60)
    y = 50.0 + 20.0 * x.mean(axis=(1, 2))
    data, path, out = tmp_path / "values.npz", tmp_path / "mine.keras", tmp_path / "out"
    np.savez(data, x_train=x[:40], y_train=y[:40], x_test=x[40:], y_test=y[40:], task=np.array("regression"))
    signal = tf_keras.Input((6, 3))
    values = tf_keras.layers.Dense(1, name="value")(tf_keras.layers.LSTM(4)(signal))
    model = tf_keras.Model(signal, values)
    kernel, bias = model.get_layer("value").get_weights()
    model.get_layer("value").set_weights([30.0 * kernel, bias + 50.0])
    model.save(path)
    assert quantize(path, "--data", data, "--out", out, "--no-qat", "--quiet") in (0, 1)
    answer = load_model(out / "model_float32.tflite").predict(x[0])
    np.testing.assert_allclose(answer.values, model(x[:1])[0], rtol=1e-4)
    checks = {check["name"]: check for check in report(out)["checks"]}
    assert checks["value_rms_error"]["passed"] is not False


@pytest.mark.filterwarnings("ignore")  # of Keras when it saves
def test_what_cannot_fuse_ends_with_4_and_the_reason(
    tmp_path: Path, recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = tf_keras.Input((6, 3))
    hidden = tf_keras.layers.LSTM(4, recurrent_activation="hard_sigmoid", name="encoder")(x)
    tf_keras.Model(x, tf_keras.layers.Dense(2)(hidden)).save(tmp_path / "m.keras")
    assert quantize(tmp_path / "m.keras", "--data", recordings, "--out", tmp_path / "out", "--quiet") == 4
    told = capsys.readouterr().err
    assert "LSTM 'encoder' (recurrent_activation='hard_sigmoid')" in told
    assert "docs/bring-a-model.md" in told


@pytest.mark.filterwarnings("ignore")  # of Keras when it saves
def test_a_lambda_layer_ends_with_2(
    tmp_path: Path, recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = tf_keras.Input((6, 3))
    y = tf_keras.layers.Lambda(lambda z: z * 2.0, name="twice")(tf_keras.layers.LSTM(4)(x))
    tf_keras.Model(x, y).save(tmp_path / "m.keras")
    assert quantize(tmp_path / "m.keras", "--data", recordings, "--out", tmp_path / "out", "--quiet") == 2
    assert "Lambda 'twice'" in capsys.readouterr().err


def test_a_model_that_is_not_there_ends_with_2_before_anything_is_loaded(
    tmp_path: Path, recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quantize(tmp_path / "no.keras", "--data", recordings) == 2
    assert "There is no model" in capsys.readouterr().err
