"""A model file -> its configuration, and the original to compare with. Nothing in it is executed.

| file | configuration | weights |
|---|---|---|
| ``.keras`` of either Keras | ``config.json`` in the archive | HDF5, by Keras in safe mode |
| ``.h5`` of either Keras | attribute ``model_config`` | HDF5, by Keras |
| SavedModel of tf_keras | ``keras_metadata.pb`` | checkpoint in ``variables/``; the graph is not loaded |
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras
from numpy.typing import NDArray

from models.errors import InputError
from models.foreign.graph import Graph, kind_of, read_graph
from models.foreign.layers import KNOWN
from models.foreign.safety import check_safe
from models.foreign.site import Weights

LARGEST_CONFIG = 64 * 2**20
"""Bytes of JSON that are read; a model of a thousand layers has one."""

BATCH = 256


@dataclass(frozen=True)
class Original:
    """A model as its file has it.

    Attributes:
        graph: its layers.
        model: of the Keras that wrote it, for answers and weights.
        written_by: "tf_keras 2.21.0", "Keras 3.15.1".
    """

    graph: Graph
    model: Any
    written_by: str

    @property
    def steps(self) -> int | None:
        """Time steps of a window, None where the model leaves them open."""
        shape = self.model.input_shape
        return shape[1] if isinstance(shape, tuple) and len(shape) == 3 else None

    def weights_of(self, path: tuple[str, ...]) -> Weights:
        """Weights of the layer at a path of names, in the layer's own order."""
        layer = self.model
        for name in path:
            found = [one for one in layer.layers if one.name == name]
            if not found:  # an operation of Keras 3
                return []
            (layer,) = found
        return [np.asarray(weight, np.float32) for weight in layer.get_weights()]

    def answers(self, x: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Outputs by the names of ``graph.outputs``, every window from the zero state.

        Args:
            x: [n, steps, features].
        """
        fixed = self.model.input_shape[0]
        batch, parts = fixed or BATCH, []
        for start in range(0, len(x), batch):
            given = x[start : start + batch]
            padded = given if fixed is None else np.resize(given, (fixed, *given.shape[1:]))
            _reset(self.model)
            outputs = self.model(padded, training=False)
            listed = list(outputs.values()) if isinstance(outputs, Mapping) else outputs
            listed = listed if isinstance(listed, list | tuple) else [listed]
            parts.append([np.asarray(one)[: len(given)] for one in listed])
        names = list(outputs) if isinstance(outputs, Mapping) else list(self.graph.outputs)
        return {
            name: np.concatenate([part[place] for part in parts]) for place, name in enumerate(names)
        }


def read_original(path: Path) -> Original:
    """Read a model file.

    Raises:
        InputError: no such file, no model of either Keras, a damaged one, one with a Lambda layer or a class
            that is not known, or one that is no Sequential or functional model.
    """
    for applies, read in _READERS:
        if applies(path):
            return read(path)
    if not path.exists():
        raise InputError(f"There is no model '{path}'.")
    raise InputError(
        f"'{path}' is no Keras model.",
        "Known are .keras and .h5 files, and SavedModel folders that tf_keras wrote with model.save(folder). "
        "A graph without layers (.pb, .tflite, .onnx, model.export) and pickles cannot be rebuilt.",
    )


def original_of(model: Any) -> Original:
    """A model in memory, of either Keras, as if it came from a file.

    Raises:
        InputError: as ``read_original``.
    """
    config = json.loads(json.dumps(model.get_config(), default=_as_json))
    keras_2 = isinstance(model, tf_keras.Model)
    document = {"class_name": type(model).__name__, "config": config}
    written_by = f"tf_keras {tf_keras.__version__}" if keras_2 else "Keras 3"
    return Original(_checked_graph(document), model, written_by)


def _as_json(value: Any) -> Any:
    return value.as_list() if hasattr(value, "as_list") else str(value)


def _read_keras(path: Path) -> Original:
    try:
        with zipfile.ZipFile(path) as archive:
            document, metadata = (_json(archive, name) for name in ("config.json", "metadata.json"))
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, RecursionError) as error:
        raise InputError(f"'{path}' is damaged or no .keras file: {error}.") from error
    graph, version = _checked_graph(document), str(metadata.get("keras_version", ""))
    return Original(graph, _loaded(path, version, safe_mode=True), _written_by(version))


def _json(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    if archive.getinfo(name).file_size > LARGEST_CONFIG:
        raise ValueError(f"{name} has more than {LARGEST_CONFIG} bytes")
    document = json.loads(archive.read(name))
    if not isinstance(document, dict):
        raise ValueError(f"{name} is no JSON object")
    return document


def _read_h5(path: Path) -> Original:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            attributes = dict(file.attrs)
    except OSError as error:
        raise InputError(f"'{path}' is damaged or no HDF5 file: {error}.") from error
    if "model_config" not in attributes:
        raise InputError(f"'{path}' holds weights only.", "Save the whole model: model.save(path).")
    try:
        document = json.loads(_text(attributes["model_config"]))
        version = _text(attributes.get("keras_version", ""))
    except (ValueError, RecursionError) as error:
        raise InputError(f"The configuration in '{path}' is damaged: {error}.") from error
    return Original(_checked_graph(document), _loaded(path, version), _written_by(version))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _loaded(path: Path, version: str, **options: Any) -> Any:
    """The model, by the Keras that wrote it, its configuration having been looked through."""
    library = tf_keras
    if version.startswith("3"):
        import keras

        library = keras
    try:
        return library.models.load_model(str(path), compile=False, **options)
    except Exception as error:  # Keras raises whatever its layers raise
        raise InputError(f"{_written_by(version)} cannot load '{path}': {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _read_saved_model(path: Path) -> Original:
    """The configuration of the root object; its functions are not loaded, for they may do anything."""
    from google.protobuf.message import DecodeError
    from tf_keras.protobuf import saved_metadata_pb2

    metadata = saved_metadata_pb2.SavedMetadata()
    file = path / "keras_metadata.pb"
    if not file.is_file():
        raise InputError(
            f"'{path}' holds a graph and no layers.",
            "Save the Keras model itself: model.save('model.keras').",
        )
    try:
        metadata.ParseFromString(file.read_bytes())
        (root,) = (node for node in metadata.nodes if node.node_path == "root")
        document = json.loads(root.metadata)
    except (DecodeError, ValueError, RecursionError) as error:
        raise InputError(f"'{file}' is damaged: {error}.") from error
    if "config" not in document:
        raise InputError(f"'{path}' holds a subclassed model; what its layers do is not in the file.")
    graph = _checked_graph(document)
    kind = tf_keras.Sequential if document["class_name"] == "Sequential" else tf_keras.Model
    try:
        model = kind.from_config(_with_tuples(document["config"]))
        model.load_weights(str(path / "variables" / "variables")).assert_existing_objects_matched()
    except Exception as error:  # Keras raises whatever its layers raise
        raise InputError(f"'{path}' cannot be loaded: {_first_line(error)}") from error
    return Original(graph, model, f"tf_keras, SavedModel version {root.version.producer}")


def _with_tuples(value: Any) -> Any:
    """A SavedModel writes a tuple as {"class_name": "__tuple__", "items": [...]}."""
    if isinstance(value, dict):
        if value.get("class_name") in ("__tuple__", "TensorShape") and "items" in value:
            return tuple(_with_tuples(item) for item in value["items"])
        return {key: _with_tuples(item) for key, item in value.items()}
    return [_with_tuples(item) for item in value] if isinstance(value, list) else value


def _checked_graph(document: Mapping[str, Any]) -> Graph:
    if not isinstance(document.get("config"), Mapping) or "class_name" not in document:
        raise InputError("The model's configuration is damaged: it has no class_name and config.")
    read = {"class_name": document["class_name"], "config": document["config"]}
    kind = kind_of(read)
    if kind.rpartition(">")[2] in ("Functional", "Model", "Sequential"):
        check_safe(read, KNOWN)
    return read_graph(kind, _with_tuples(document["config"]))


def _written_by(version: str) -> str:
    return f"Keras {version}" if version.startswith("3") else f"tf_keras {version}".rstrip()


def _reset(model: Any) -> None:
    """The kept states of stateful layers, in either Keras."""
    for layer in model.layers:
        if getattr(layer, "stateful", False):
            for name in ("reset_states", "reset_state"):
                if hasattr(layer, name):
                    getattr(layer, name)()
                    break


_READERS: tuple[tuple[Callable[[Path], bool], Callable[[Path], Original]], ...] = (
    (lambda path: path.suffix == ".keras" and path.is_file(), _read_keras),
    (lambda path: path.suffix in (".h5", ".hdf5") and path.is_file(), _read_h5),
    (lambda path: path.is_dir() and (path / "saved_model.pb").is_file(), _read_saved_model),
)
