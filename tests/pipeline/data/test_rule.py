import pytest

from models.errors import InputError
from pipeline.data.rule import DEEPEST, Rule

ANNA = {"index": "4", "speaker": "anna", "take": "-1.5"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("index < 5", True),
        ("index < 4", False),
        ("index <= 4", True),
        ("index > 4", False),
        ("index >= 4", True),
        ("index == 4", True),
        ("index == 4.0", True),  # as numbers
        ('index == "4"', True),
        ('index == "4.0"', False),  # as texts
        ("index != 4", False),
        ("take < -1", True),
        ("take == -15e-1", True),
        ("speaker == 'anna'", True),
        ('speaker != "anna"', False),
        ('speaker in ("bob", "anna")', True),
        ('speaker not in ("bob", "anna")', False),
        ("index in (1, 2)", False),
        ("index in (1, 4)", True),
        ('index < 5 and speaker == "bob"', False),
        ('index < 5 or speaker == "bob"', True),
        ('speaker == "bob" or index < 5 and take < 0', True),  # `and` binds closer
        ('(speaker == "bob" or index < 5) and take > 0', False),
        ("not index < 5", False),
        ("not not index < 5", True),
        ('not speaker == "bob" and index == 4', True),  # `not` binds closest
        ("index<5 and(take<0)", True),
    ],
)
def test_what_holds_of_a_recording(text: str, holds: bool) -> None:
    assert Rule.parse(text).holds(ANNA) is holds


def test_the_names_it_asks_for() -> None:
    rule = Rule.parse('a < 1 and (b == "x" or not a in (2, 3))')
    assert rule.names == {"a", "b"}
    rule.require(("a", "b", "c"))
    with pytest.raises(InputError, match=r"asks for b; known are a, c\."):
        rule.require(("a", "c"))


@pytest.mark.parametrize(
    ("text", "wanted", "at"),
    [
        ("", "the name of a field", 1),
        ("index", "one of <", 6),
        ("index = 5", "one of <", 7),
        ("index < ", "a number", 8),
        ('index < "5"', "a number", 9),
        ("5 < index", "the name of a field", 1),
        ("and < 5", "the name of a field", 1),
        ("index < 5 index", "'and', 'or' or the end", 11),
        ("index < 5 and", "the name of a field", 14),
        ("(index < 5", "')'", 11),
        ("index < 5)", "'and', 'or' or the end", 10),
        ("index in 5", "'('", 10),
        ("index in ()", "a number, or a text", 11),
        ("index not 5", "'in'", 11),
        ('speaker == "anna', "a number, or a text", 12),
        ("speaker == anna", "a number, or a text", 12),
        ("index < 5x", "a number", 9),
        ("__import__('os')", "one of <", 11),
        ("index.real < 5", "one of <", 6),
        ("index < 5; quit", "'and', 'or' or the end", 10),
    ],
)
def test_what_is_no_rule_is_refused_with_the_place(text: str, wanted: str, at: int) -> None:
    with pytest.raises(InputError) as caught:
        Rule.parse(text)
    assert f"{wanted}" in caught.value.message
    assert f"at character {at}," in caught.value.message
    assert "Allowed is" in caught.value.tip


def test_a_single_equals_sign_is_explained() -> None:
    with pytest.raises(InputError) as caught:
        Rule.parse("index = 5")
    assert caught.value.tip.startswith("Equality is ==.")


def test_a_text_is_not_compared_with_a_number() -> None:
    with pytest.raises(InputError, match="compares speaker with a number; here it is 'anna'"):
        Rule.parse("speaker < 5").holds(ANNA)


def test_nesting_has_an_end() -> None:
    Rule.parse("(" * DEEPEST + "index < 5" + ")" * DEEPEST)
    with pytest.raises(InputError, match="nested more than"):
        Rule.parse("(" * 100_000)
    with pytest.raises(InputError, match="nested more than"):
        Rule.parse("not " * 100_000 + "index < 5")
