import pytest

from models.errors import InputError
from pipeline.data.file_names import NamePattern


@pytest.mark.parametrize(
    ("pattern", "path", "fields"),
    [
        ("{label}_{speaker}_{index}.wav", "7_anna_12.wav", {"label": "7", "speaker": "anna", "index": "12"}),
        ("{label}/{who}-{n}.wav", "yes/bob-3.wav", {"label": "yes", "who": "bob", "n": "3"}),
        ("{label}_{rest}.wav", "a_b_c.wav", {"label": "a", "rest": "b_c"}),  # the first takes least
        ("{label}.wav", "a+b (1).wav", {"label": "a+b (1)"}),
        ("{label}[1].wav", "x[1].wav", {"label": "x"}),  # brackets and dots are themselves
        ("{label}_{index}.wav", "7.wav", None),
        ("{label}_{index}.wav", "x/7_1.wav", None),  # a field holds no folder
        ("{label}_{index}.wav", "7_1.wav.bak", None),
        ("{label}_{index}.wav", "7_1xwav", None),
        ("{label}_{index}.wav", "_1.wav", None),  # no field is empty
    ],
)
def test_what_a_path_says(pattern: str, path: str, fields: dict[str, str] | None) -> None:
    assert NamePattern.parse(pattern).match(path) == fields


def test_fields_are_in_order() -> None:
    assert NamePattern.parse("{b}_{a}.csv").fields == ("b", "a")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("label.wav", "no field"),
        ("{label}_{label}.wav", "a field twice"),
        ("{}.wav", r"the field '\{\}'"),
        ("{a b}.wav", r"the field '\{a b\}'"),
        ("{label.wav", "a brace without"),
        ("{label}}.wav", "a brace without"),
        ("{label}{index}.wav", "two fields touch"),
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        NamePattern.parse(pattern)
