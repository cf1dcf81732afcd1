"""Which files are measured: those given, and those of a build folder that is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from converters import schema
from converters.lstm_op import lstm_nodes
from models.errors import InputError

PATTERN = "model_*.tflite"
FLOAT = "model_float32.tflite"
_FLOAT_TYPES = ("float32", "int32", "int64", "bool")


@dataclass(frozen=True, eq=False)
class Subject:
    """A file to measure.

    Attributes:
        name: as it is told: its file name, with as many folders before it as tell it from the others.
        content: its bytes.
        model: unpacked.
        folder: the build folder it came from; None of a file that was given by itself.
    """

    name: str
    path: Path
    content: bytes
    model: schema.ModelT
    folder: Path | None

    @property
    def is_float(self) -> bool:
        """Whether nothing in it is quantized or of half precision."""
        tensors = [tensor for graph in self.model.subgraphs for tensor in graph.tensors]
        return all(schema.tensor_type_name(tensor) in _FLOAT_TYPES for tensor in tensors)

    @property
    def lstms(self) -> dict[str, str]:
        """What each fused LSTM computes in, by the name of its output."""
        return {schema.name(node.output): node.kind for node in lstm_nodes(self.model)}


def read_subjects(given: Sequence[Path]) -> list[Subject]:
    """Read every file, those of a folder in the order float32 first, then by name.

    Raises:
        InputError: nothing was given; a file that cannot be read or is no .tflite; a folder without a model;
            the same file twice.
    """
    if not given:
        raise InputError("There is nothing to measure.", "Give .tflite files or build folders.")
    places: dict[Path, Path | None] = {}
    for one in given:
        found = _in_folder(one) if one.is_dir() else [one]
        for path in found:
            if path.resolve() in {known.resolve() for known in places}:
                raise InputError(f"'{path}' was given twice.", "Name each file once, or its folder.")
            places[path] = one if one.is_dir() else None
    names = short_names(list(places))
    return [
        Subject(names[path], path, schema.read_bytes(path), schema.read_model(path), folder)
        for path, folder in places.items()
    ]


def read_float_of(subject: Subject) -> Subject | None:
    """The float file of the same model: itself, or `model_float32.tflite` beside it; None: there is none."""
    if subject.is_float:
        return subject
    path = subject.path.with_name(FLOAT)
    if not path.is_file():
        return None
    name = "/".join([*subject.name.split("/")[:-1], FLOAT])
    found = Subject(name, path, schema.read_bytes(path), schema.read_model(path), subject.folder)
    return found if found.is_float else None


def short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """File names, with as many of their folders as it takes to tell all of them apart."""
    whole = {path: path.resolve().parts for path in paths}
    most = max(map(len, whole.values()), default=1)
    for count in range(1, most + 1):
        names = {path: "/".join(parts[-count:]) for path, parts in whole.items()}
        if len(set(names.values())) == len(names):
            return names
    return {path: str(path) for path in paths}


def _in_folder(folder: Path) -> list[Path]:
    found = sorted(folder.glob(PATTERN), key=lambda path: (path.name != FLOAT, path.name))
    if not found:
        raise InputError(
            f"The folder '{folder}' has no models: there is no {PATTERN} in it.",
            "Give a build folder, or the .tflite files themselves.",
        )
    return found
