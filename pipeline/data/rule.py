"""A rule that tells recordings apart by what their names or columns say: `index < 5 and speaker != "lucas"`.

    rule       := both {"or" both}
    both       := one {"and" one}
    one        := "not" one | "(" rule ")" | comparison
    comparison := NAME ("<" | "<=" | ">" | ">=" | "==" | "!=") value
                | NAME ["not"] "in" "(" value {"," value} ")"
    value      := a number, or a text in quotes

It is read by the few lines below; nothing of it is executed.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from models.errors import InputError

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number> -?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? (?![\w.]) )
      | (?P<text> "[^"]*" | '[^']*' )
      | (?P<word> [^\W\d]\w* )
      | (?P<sign> <= | >= | == | != | [<>(),] )
    )""",
    re.VERBOSE,
)
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_EQUAL: dict[str, Callable[[object, object], bool]] = {"==": operator.eq, "!=": operator.ne}
_WORDS = ("and", "or", "not", "in")
DEEPEST = 50
ALLOWED = 'Allowed is, for example: index < 5, or: speaker in ("anna", "bob") and not take == 2.'

Value = float | str
Holds = Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True)
class Rule:
    """A rule that was read.

    Attributes:
        text: as it was written.
        names: the fields it asks for.
    """

    text: str
    names: frozenset[str]
    _holds: Holds

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read a rule.

        Raises:
            InputError: it is none; the message says where.
        """
        reader = _Reader(text)
        holds = reader.rule(0)
        if reader.kind != "end":
            raise reader.wrong("'and', 'or' or the end")
        return cls(text, frozenset(reader.names), holds)

    def holds(self, fields: Mapping[str, str]) -> bool:
        """Whether it holds of a recording.

        Args:
            fields: what is known of the recording, by name; all of `names`.

        Raises:
            InputError: a field that is compared with a number is none.
        """
        return self._holds(fields)

    def require(self, known: Sequence[str]) -> None:
        """Raise an InputError where the rule asks for something that is not known."""
        unknown = sorted(self.names - set(known))
        if unknown:
            raise InputError(
                f"The rule '{self.text}' asks for {', '.join(unknown)}; "
                f"known are {', '.join(known) or 'none'}."
            )


class _Reader:
    """Reads a rule from left to right; looks one token ahead."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.names = text, 0, set[str]()
        self.kind, self.token, self.start = "", "", 0
        self.step()

    def step(self) -> None:
        found = _TOKEN.match(self.text, self.at)
        if found and found.lastgroup:
            self.kind, self.token = found.lastgroup, found[found.lastgroup]
            self.at, self.start = found.end(), found.start(found.lastgroup)
        else:
            rest = self.text[self.at :].lstrip()
            self.start = len(self.text) - len(rest) if rest else len(self.text.rstrip())
            self.kind, self.token = ("unknown", rest.rstrip()) if rest else ("end", "")

    def wrong(self, wanted: str) -> InputError:
        got = f"'{self.token}'" if self.token else "the end"
        tip = "Equality is ==. " if self.token.startswith("=") else ""
        return InputError(
            f"The rule '{self.text}' cannot be read: {wanted} is wanted at character {self.start + 1}, "
            f"where {got} is.",
            tip + ALLOWED,
        )

    def took(self, token: str) -> bool:
        """Step over this token if it is the next."""
        if self.kind in ("word", "sign") and self.token == token:
            self.step()
            return True
        return False

    def need(self, token: str) -> None:
        if not self.took(token):
            raise self.wrong(f"'{token}'")

    def rule(self, depth: int) -> Holds:
        parts = [self.both(depth)]
        while self.took("or"):
            parts.append(self.both(depth))
        return lambda fields: any(part(fields) for part in parts)

    def both(self, depth: int) -> Holds:
        parts = [self.one(depth)]
        while self.took("and"):
            parts.append(self.one(depth))
        return lambda fields: all(part(fields) for part in parts)

    def one(self, depth: int) -> Holds:
        if depth > DEEPEST:
            raise InputError(f"The rule is nested more than {DEEPEST} deep.", ALLOWED)
        if self.took("not"):
            inner = self.one(depth + 1)
            return lambda fields: not inner(fields)
        if self.took("("):
            inside = self.rule(depth + 1)
            self.need(")")
            return inside
        return self.comparison()

    def comparison(self) -> Holds:
        name = self.token
        if self.kind != "word" or name in _WORDS:
            raise self.wrong("the name of a field")
        self.names.add(name)
        self.step()
        if self.took("not"):
            self.need("in")
            return self.membership(name, False)
        if self.took("in"):
            return self.membership(name, True)
        sign = self.token
        if self.kind != "sign" or sign not in {*_ORDER, *_EQUAL}:
            raise self.wrong("one of <, <=, >, >=, ==, !=, in")
        self.step()
        if sign in _EQUAL:
            equals, value = _EQUAL[sign], self.value()
            return lambda fields: equals(self.like(value, name, fields), value)
        if self.kind != "number":
            raise self.wrong("a number")
        compare, limit = _ORDER[sign], float(self.token)
        self.step()
        return lambda fields: compare(self.number(name, fields), limit)

    def membership(self, name: str, wanted: bool) -> Holds:
        self.need("(")
        values = [self.value()]
        while self.took(","):
            values.append(self.value())
        self.need(")")
        return lambda fields: any(self.like(one, name, fields) == one for one in values) is wanted

    def value(self) -> Value:
        if self.kind not in ("number", "text"):
            raise self.wrong("a number, or a text in quotes")
        value: Value = float(self.token) if self.kind == "number" else self.token[1:-1]
        self.step()
        return value

    def like(self, value: Value, name: str, fields: Mapping[str, str]) -> Value:
        """The field as a number where it is compared with one."""
        return fields[name] if isinstance(value, str) else self.number(name, fields)

    def number(self, name: str, fields: Mapping[str, str]) -> float:
        try:
            return float(fields[name])
        except ValueError:
            raise InputError(
                f"The rule '{self.text}' compares {name} with a number; here it is '{fields[name]}'.",
                "Texts are compared by == and !=, and stand in quotes.",
            ) from None
