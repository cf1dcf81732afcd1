import dataclasses
import json

import numpy as np
import pytest

from converters import schema
from converters.findings import findings
from converters.inspection import inspect_model
from converters.summary import summarize
from models.errors import InputError


def test_a_file_is_summarized_run_and_judged(tiny: dict[str, bytes]) -> None:
    found = inspect_model(tiny["int8"])
    assert found.summary == summarize(tiny["int8"])
    assert list(found.findings) == findings(tiny["int8"])
    assert found.memory.source == "interpreter"
    assert found.measured_on == "16 seeded inputs"
    assert (found.count("error"), found.passed(), found.passed(strict=True)) == (1, False, False)


def test_a_warning_fails_only_if_strict(tiny: dict[str, bytes]) -> None:
    found = inspect_model(tiny["float"], np.zeros((2, 6, 3), np.float32), "mine.npy")  # a clip of 10
    assert found.measured_on == "2 windows of mine.npy"
    assert (found.count("error"), found.count("warning")) == (0, 1)
    assert (found.passed(), found.passed(strict=True)) == (True, False)


def test_the_dictionary_is_json_whatever_the_file_holds(tiny: dict[str, bytes]) -> None:
    model = schema.read_model(tiny["int8"])
    for tensor in model.subgraphs[0].tensors:
        if schema.quantization(tensor)[0]:
            tensor.quantization.scale = np.float32([np.nan])
    document = json.loads(json.dumps(inspect_model(schema.write_model(model)).to_dict(), allow_nan=False))
    assert document["lstms"][0]["parameters"]["hidden_state"]["scales"] == [None]
    first = document["findings"][0]
    assert list(first) == [field.name for field in dataclasses.fields(findings(tiny["int8"])[0])]


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(InputError, match="is empty"):
        inspect_model(b"")
