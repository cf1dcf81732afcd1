"""Which input takes the windows, which one their lengths."""

import numpy as np
import pytest
from hand_made import hand_made

from converters import schema
from converters.inputs import lengths_place, lengths_taken, windows_place
from models.errors import InputError

TOLD, UNTOLD = (schema.read_model(hand_made(lengths=one)) for one in (True, False))


def test_they_go_by_the_names_of_the_signature() -> None:
    named = {schema.name(one): one.tensorIndex for one in TOLD.signatureDefs[0].inputs}
    assert (windows_place(TOLD, "f"), lengths_place(TOLD)) == (named["features"], named["lengths"])
    assert (windows_place(UNTOLD, "f"), lengths_place(UNTOLD)) == (UNTOLD.subgraphs[0].inputs[0], None)


def test_two_inputs_without_names_are_refused() -> None:
    model = schema.read_model(hand_made(lengths=True, signature=None))
    assert lengths_place(model) is None
    with pytest.raises(InputError, match=r"f has 2 inputs; needed is one, .* and perhaps 'lengths'"):
        windows_place(model, "f")


@pytest.mark.parametrize(("kind", "shape"), [(0, [1]), (2, [2]), (2, [1, 1])])
def test_lengths_of_another_kind_are_none(kind: int, shape: list[int]) -> None:
    model = schema.read_model(hand_made(lengths=True))
    place = lengths_place(model)
    assert place is not None
    tensor = model.subgraphs[0].tensors[place]
    tensor.type, tensor.shape = kind, shape
    assert lengths_place(model) is None


def test_what_the_input_is_fed() -> None:
    told = lengths_taken(TOLD, np.array([1, 5]), 2, 5, "f")
    assert told is not None
    assert (told.tolist(), told.dtype) == ([1, 5], np.int32)
    every = lengths_taken(TOLD, None, 2, 5, "f")
    assert every is not None
    assert every.tolist() == [5, 5]
    assert lengths_taken(UNTOLD, None, 2, 5, "f") is None
    assert lengths_taken(UNTOLD, np.array([5, 5]), 2, 5, "f") is None


def test_a_file_without_the_input_gets_no_shorter_windows() -> None:
    with pytest.raises(InputError, match="f has no input 'lengths', and 1 of the 2 windows are shorter"):
        lengths_taken(UNTOLD, np.array([4, 5]), 2, 5, "f")


@pytest.mark.parametrize("lengths", [[1], [0, 5], [1, 6]])
def test_lengths_that_do_not_fit_are_refused(lengths: list[int]) -> None:
    with pytest.raises(InputError, match="allowed is one from 1 to 5 for each"):
        lengths_taken(TOLD, np.array(lengths), 2, 5, "f")
