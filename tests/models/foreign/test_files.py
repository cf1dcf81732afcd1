"""Model files of all kinds are read, and nothing in them is executed."""

import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tf_keras
from foreign_models import MODELS, STEPS, windows

from models.errors import InputError
from models.foreign.files import LARGEST_CONFIG, original_of, read_original
from models.foreign.rebuild import rebuild


def saved(model: Any, folder: Path, kind: str) -> Path:
    """The model in a file of a kind."""
    path = folder / f"model{kind}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of both Keras about their own formats and about numpy
        model.save(path)
    return path


@pytest.mark.parametrize(
    ("library", "kind", "written_by"),
    [
        (tf_keras, ".keras", "tf_keras 2"),
        (tf_keras, ".h5", "tf_keras 2"),
        (tf_keras, "", "tf_keras, SavedModel"),
        (keras, ".keras", "Keras 3"),
        (keras, ".h5", "Keras 3"),
    ],
)
def test_every_kind_of_file_gives_the_same_model(
    tmp_path: Path, library: Any, kind: str, written_by: str
) -> None:
    model = MODELS["attention"](library)
    original = read_original(saved(model, tmp_path, kind))
    assert original.written_by.startswith(written_by)
    assert original.steps == STEPS
    x = windows()
    right = np.asarray(model(x))
    np.testing.assert_allclose(original.answers(x)["decision"], right, atol=1e-6)
    made = rebuild(original.graph, original.weights_of)
    got = tf_keras.Model(made.input, dict(made.outputs))(x)["decision"]
    np.testing.assert_allclose(got, right, atol=1e-6)


def test_a_model_in_memory_is_taken_too() -> None:
    assert original_of(MODELS["last state"](tf_keras)).graph.outputs.keys() == {"decision"}


def test_outputs_may_be_a_dictionary() -> None:
    x = tf_keras.Input((STEPS, 3))
    hidden = tf_keras.layers.LSTM(4, name="encoder")(x)
    outputs = {"b": tf_keras.layers.Dense(2)(hidden), "a": hidden}
    original = original_of(tf_keras.Model(x, outputs))
    assert {name: value.shape for name, value in original.answers(windows(3)).items()} == {
        "b": (3, 2),
        "a": (3, 4),
    }


# --- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [".keras", ".h5", ""])
def test_a_lambda_layer_is_refused_and_not_run(tmp_path: Path, kind: str) -> None:
    trace = tmp_path / "was run"
    name = str(trace)
    x = tf_keras.Input((STEPS, 3))
    y = tf_keras.layers.LSTM(4)(x)
    y = tf_keras.layers.Lambda(lambda z: (open(name, "a").close(), z)[1], name="hook")(y)
    model = tf_keras.Model(x, y)
    path = saved(model, tmp_path, kind)
    trace.unlink()
    with pytest.raises(InputError, match="Lambda 'hook'") as error:
        read_original(path)
    assert "program text" in error.value.tip
    assert not trace.exists()


def test_a_custom_layer_is_refused_by_name(tmp_path: Path) -> None:
    class Mine(tf_keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    x = tf_keras.Input((STEPS, 3))
    path = saved(tf_keras.Model(x, Mine(name="special")(tf_keras.layers.LSTM(4)(x))), tmp_path, ".keras")
    with pytest.raises(InputError, match="Mine 'special'"):
        read_original(path)


def changed(path: Path, change: Any) -> Path:
    """A .keras file whose configuration went through a function."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(files["config.json"])
    change(document)
    files["config.json"] = json.dumps(document).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("library", [tf_keras, keras])
def test_a_class_of_another_package_is_refused_even_under_a_known_name(tmp_path: Path, library: Any) -> None:
    def change(document: Any) -> None:
        document["config"]["layers"][1]["module"] = "os.path"

    path = changed(saved(MODELS["last state"](library), tmp_path, ".keras"), change)
    with pytest.raises(InputError, match=r"LSTM 'encoder' of os.path"):
        read_original(path)


def test_a_class_hidden_in_a_setting_is_refused(tmp_path: Path) -> None:
    def change(document: Any) -> None:
        document["config"]["layers"][1]["config"]["kernel_initializer"] = {
            "module": "builtins", "class_name": "function", "config": "system", "registered_name": "function",
        }  # fmt: skip

    path = changed(saved(MODELS["last state"](keras), tmp_path, ".keras"), change)
    with pytest.raises(InputError, match="function"):
        read_original(path)


def test_a_function_that_writes_files_is_refused(tmp_path: Path) -> None:
    def change(document: Any) -> None:
        for layer in document["config"]["layers"]:
            if layer["class_name"] == "TFOpLambda":
                layer["config"]["function"] = "io.write_file"

    path = changed(saved(MODELS["operators"](tf_keras), tmp_path, ".keras"), change)
    with pytest.raises(InputError, match=r"the function tf\.io\.write_file"):
        read_original(path)


def test_a_pickle_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04cos\nsystem\n")
    with pytest.raises(InputError, match="is no Keras model") as error:
        read_original(path)
    assert "pickles cannot be rebuilt" in error.value.tip


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no model"):
        read_original(tmp_path / "no.keras")


@pytest.mark.parametrize(("name", "told"), [("m.keras", "no .keras file"), ("m.h5", "no HDF5 file")])
def test_a_damaged_file_is_told(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / name).write_bytes(b"not what it says")
    with pytest.raises(InputError, match=told):
        read_original(tmp_path / name)


def test_weights_alone_are_no_model(tmp_path: Path) -> None:
    MODELS["last state"](tf_keras).save_weights(tmp_path / "weights.h5")
    with pytest.raises(InputError, match="holds weights only"):
        read_original(tmp_path / "weights.h5")


def test_a_configuration_that_is_no_json_is_told(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = "{"
    with pytest.raises(InputError, match=r"configuration in .* is damaged"):
        read_original(tmp_path / "m.h5")


def test_an_enormous_configuration_is_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", " " * (LARGEST_CONFIG + 1))
        archive.writestr("metadata.json", "{}")
    with pytest.raises(InputError, match="more than"):
        read_original(tmp_path / "m.keras")


def test_weights_that_do_not_fit_are_told(tmp_path: Path) -> None:
    def change(document: Any) -> None:
        document["config"]["layers"][1]["config"]["units"] = 7

    path = changed(saved(MODELS["last state"](keras), tmp_path, ".keras"), change)
    with pytest.raises(InputError, match="cannot load"):
        read_original(path)


def test_a_subclassed_model_is_explained() -> None:
    class Own(tf_keras.Model):
        def call(self, x: Any) -> Any:
            return x

        def get_config(self) -> dict[str, Any]:
            return {"name": "own"}

    with pytest.raises(InputError, match="The model is a Own; what its layers do stands in program text"):
        original_of(Own())


def test_a_saved_model_without_layers_is_explained(tmp_path: Path) -> None:
    MODELS["last state"](keras).export(tmp_path / "graph", verbose=False)
    with pytest.raises(InputError, match="holds a graph and no layers"):
        read_original(tmp_path / "graph")


def test_a_damaged_saved_model_is_told(tmp_path: Path) -> None:
    path = saved(MODELS["last state"](tf_keras), tmp_path, "")
    (path / "keras_metadata.pb").write_bytes(b"\xff\xff")
    with pytest.raises(InputError, match="is damaged"):
        read_original(path)
