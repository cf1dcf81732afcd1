"""Whatever the bytes: the reader gives a model or an InputError, and the parity's view of a file as well."""

from pathlib import Path

import mutants
import pytest
from fuzzing import bounded, tries
from hypothesis import given
from hypothesis import strategies as st

from converters.schema import read_model, write_model
from models.errors import InputError
from pipeline.parity.files import ModelFile

pytestmark = pytest.mark.slow

FILES = st.sampled_from(sorted(mutants.seeds().values()))


def read(content: bytes) -> None:
    with bounded("read_model"):
        try:
            read_model(content)
        except InputError as error:
            if isinstance(error.__cause__, MemoryError):  # refused, but after asking for all there is
                raise


@tries(200)
@given(st.binary(max_size=300))
def test_arbitrary_bytes(content: bytes) -> None:
    read(content)
    read(content[:4] + b"TFL3" + content[4:])


@tries(800)
@given(FILES.flatmap(mutants.damaged))
def test_damaged_files(content: bytes) -> None:
    read(content)


@tries(100)
@given(FILES.flatmap(mutants.senseless))
def test_a_senseless_file_is_refused_or_can_be_written_again(content: bytes) -> None:
    with bounded("read_model and write_model"):
        try:
            model = read_model(content)
        except InputError:
            return
        read_model(write_model(model))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "model.tflite"


@tries(150)
@given(FILES.flatmap(mutants.damaged) | FILES.flatmap(mutants.senseless))
def test_the_two_files_of_verify(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with bounded("ModelFile.read"):
        try:
            file = ModelFile.read(path)
        except InputError:
            return
        assert file.signature
        assert file.rule is None or file.metadata
