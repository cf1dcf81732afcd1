"""Whatever the file: the runtime loads it or raises a ModelFileError; only whole files are interpreted."""

from typing import Any

import mutants
import numpy as np
import pytest
from fuzzing import bounded, tries
from hypothesis import given
from hypothesis import strategies as st

from converters.metadata import attach_metadata
from converters.schema import read_model
from pipeline import runtime
from pipeline.runtime import ModelFileError, SequenceClassifier, WindowError

pytestmark = pytest.mark.slow


def int8() -> bytes:
    """The stock converter's int8 LSTM as a file of ours."""
    model = read_model(mutants.seeds()["int8"])
    _, steps, features = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].shape
    document = mutants.metadata()
    rule = {**document["preprocessing"], "steps": int(steps), "features": int(features)}
    return attach_metadata(mutants.seeds()["int8"], {**document, "preprocessing": rule})


FILES = st.sampled_from([mutants.seeds()["ours"], int8()])


class Reached(Exception):
    """The interpreter was about to get a file."""


@pytest.fixture
def _interpreter_counts_as_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(*_: object) -> Any:
        raise Reached

    monkeypatch.setattr(runtime, "open_interpreter", reached)


@pytest.mark.usefixtures("_interpreter_counts_as_reached")
@tries(1200)
@given(FILES.flatmap(mutants.damaged))
def test_no_damaged_file_reaches_the_interpreter(content: bytes) -> None:
    with bounded("SequenceClassifier(damaged)"), pytest.raises(ModelFileError):
        SequenceClassifier(content)


@pytest.mark.usefixtures("_interpreter_counts_as_reached")
@tries(200)
@given(st.binary(max_size=300))
def test_arbitrary_bytes(content: bytes) -> None:
    for made in (content, content[:4] + b"TFL3" + content[4:]):
        with bounded("SequenceClassifier(arbitrary)"), pytest.raises(ModelFileError):
            SequenceClassifier(made)


@pytest.mark.usefixtures("_interpreter_counts_as_reached")
def test_a_whole_file_reaches_it() -> None:
    for content in (mutants.seeds()["ours"], int8()):
        with pytest.raises(Reached):
            SequenceClassifier(content)


@tries(250)
@given(mutants.documents())
def test_damaged_metadata_under_a_right_checksum(document: bytes) -> None:
    with bounded("SequenceClassifier(metadata)"):
        try:
            classifier = SequenceClassifier(mutants.with_document(document))
            prediction = classifier.predict(np.ones((5, 3)))
        except (ModelFileError, WindowError):
            return
    assert prediction.label in classifier.metadata["class_names"]
    assert np.isfinite(prediction.probabilities).all()
