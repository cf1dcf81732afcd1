"""What the names of files say: `{label}_{speaker}_{index}.wav`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from models.errors import InputError

LABEL = "label"
_FIELD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class NamePattern:
    """A pattern for paths below a folder, `/` between folders; a field `{name}` stands for text without `/`.

    Attributes:
        text: as it was written.
        fields: its names, in order.
    """

    text: str
    fields: tuple[str, ...]
    _regex: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> NamePattern:
        """Read a pattern.

        Raises:
            InputError: it has no field, one twice, one whose name is no word, or two that touch.
        """
        fields = tuple(_FIELD.findall(text))
        wrong = next((name for name in fields if not name.isidentifier()), None)
        if wrong is not None or re.search(r"[{}]", _FIELD.sub("", text)):
            raise InputError(
                f"The pattern '{text}' has "
                + (f"the field '{{{wrong}}}'" if wrong is not None else "a brace without its other half")
                + "; allowed are words in braces, like {label}.",
                "For example {label}_{speaker}_{index}.wav, or {label}/{speaker}-{take}.wav.",
            )
        if not fields or len(set(fields)) != len(fields):
            what = "no field" if not fields else "a field twice"
            raise InputError(f"The pattern '{text}' has {what}; allowed are different words in braces.")
        if "}{" in text:
            raise InputError(
                f"In the pattern '{text}' two fields touch: nothing says where one ends.",
                "Put the text between them that the names have: {label}_{index}.wav.",
            )
        pieces = _FIELD.split(text)  # text, name, text, name, ..., text
        regex = "".join(f"(?P<{p}>[^/]+?)" if i % 2 else re.escape(p) for i, p in enumerate(pieces))
        return cls(text, fields, re.compile(regex))

    def match(self, path: str) -> Mapping[str, str] | None:
        """Return the fields of a path relative to the folder, or None where it does not fit."""
        found = self._regex.fullmatch(path)
        return found.groupdict() if found else None
