"""From a TOML file and flags to a `BuildConfig`, with every mistake reported at once."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.errors import InputError
from pipeline.config import AUTO, BuildConfig, Section
from pipeline.conflicts import conflicts


@dataclass(frozen=True)
class Setting:
    """One field of the configuration, as people meet it.

    Args:
        section, key: where it stands in TOML.
        flag: its command-line flag, without the leading dashes.
        types: the JSON types it takes: "integer", "number", "string", "boolean".
        several: whether it takes a row of values: a list in TOML, a flag that may be given again.
        allowed: its limits in words.
    """

    section: str
    key: str
    flag: str
    types: frozenset[str]
    several: bool
    allowed: str
    default: Any
    description: str

    @property
    def default_text(self) -> str:
        """The default as people write it."""
        if self.default is None or self.default == ():
            return AUTO
        row = self.default if self.several else (self.default,)
        return ", ".join(str(value).lower() for value in row)

    def parse(self, given: str | bool | Iterable[str]) -> Any:
        """The value of what a flag was given; text that is no such value stays text, to be refused."""
        if isinstance(given, bool):
            return given
        return self._value(given) if isinstance(given, str) else [self._value(text) for text in given]

    def _value(self, text: str) -> Any:
        for name, convert in (("integer", int), ("number", float)):
            if name in self.types:
                try:
                    return convert(text)
                except ValueError:
                    return text
        return text


def sections() -> dict[str, type[Section]]:
    """The TOML tables in their order, by name."""
    return {name: type(field.default) for name, field in BuildConfig.model_fields.items()}


def settings() -> list[Setting]:
    """Every field of the configuration, in order."""
    found = []
    for section, model in sections().items():
        properties = model.model_json_schema()["properties"]
        for key, field in model.model_fields.items():
            choices = [c for c in properties[key].get("anyOf", [properties[key]]) if c.get("type") != "null"]
            several = isinstance(field.default, tuple)
            if several:
                choices = [properties[key]["items"]]
            others = ["a list"] if several else []
            others += [AUTO] if field.default is None or field.default == () else []
            allowed = ", or ".join([*map(_in_words, choices), *others])
            found.append(
                Setting(
                    section=section,
                    key=key,
                    flag=properties[key].get("flag", model.flag_prefix + key.replace("_", "-")),
                    types=frozenset(c["type"] for c in choices),
                    several=several,
                    allowed=allowed,
                    default=field.default,
                    description=field.description or "",
                )
            )
    return found


def refused_flags() -> dict[str, tuple[str, str, str]]:
    """Flags that people look for and that cannot be had: by name the table, the key and the reason."""
    return {
        model.flag_prefix + key.replace("_", "-"): (section, key, reason)
        for section, model in sections().items()
        for key, reason in model.refused.items()
    }


def read_config(
    file: Path | None = None, flags: Mapping[str, str | bool | tuple[str, ...]] | None = None
) -> BuildConfig:
    """Merge a TOML file and flags (which win) over the defaults.

    Args:
        file: a TOML file, or None.
        flags: by flag name texts, truth values of switches, rows of texts where several are allowed.
    Raises:
        InputError: the file cannot be read, or anything is wrong in it or in the flags; the message
            has one line a mistake: where, what was got, what is allowed.
    """
    known = {setting.flag: setting for setting in settings()}
    refused = refused_flags()
    origin: dict[tuple[str, ...], str] = {}
    merged: dict[str, Any] = dict(_read_toml(file) if file else {})
    for flag, value in (flags or {}).items():
        section, key = refused[flag][:2] if flag in refused else (known[flag].section, known[flag].key)
        origin[section, key] = f"--{flag}"
        table = merged.get(section, {})
        if isinstance(table, dict):  # else: not a table, refused below
            merged[section] = {**table, key: value if flag in refused else known[flag].parse(value)}

    def where(location: tuple[str, ...]) -> str:
        table, *keys = location
        return origin.get(location) or f"{file}: {' '.join([f'[{table}]', *keys])}"

    mistakes = []
    config = None
    try:
        config = BuildConfig.model_validate(merged)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            if found["type"] == "too_short" and found["input"]:  # of values that were all refused already
                continue
            location = tuple(str(part) for part in found["loc"][:2])
            mistakes.append(f"{where(location)}: {_explain(location, found['type'], found['input'])}")
    if config is not None:
        mistakes += [f"{where((one.section, one.key))}: {one.text}" for one in conflicts(config)]
    table = merged.get("data")
    source = table.get("source") if isinstance(table, dict) else None
    if isinstance(source, str) and source and (problem := _source_problem(source)):
        mistakes.append(f"{where(('data', 'source'))}: {problem}")
    if config is None or mistakes:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise InputError(
            f"{count} in the configuration:\n" + "\n".join(f"  {line}" for line in mistakes),
            "`pipeline build --help` lists every field with its limits.",
        )
    return config


def _suggestion(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?`, or nothing where no known name is near."""
    close = get_close_matches(name, list(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"Cannot read the configuration {file}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text, so it is not TOML.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"{file} is not valid TOML: {error}.", 'Text values need quotes: io = "int8".'
        ) from error


def _explain(location: tuple[str, ...], kind: str, got: Any) -> str:
    """What is wrong at one place: what was got and what is allowed."""
    section, *keys = location
    known = {s.key: s for s in settings() if s.section == section}
    if kind == "extra_forbidden":
        name = location[-1]
        reason = sections()[section].refused.get(name) if keys else None
        if reason:
            return f"refused: {reason}."
        names = list(known) if keys else list(sections())
        hint = _suggestion(name.replace("-", "_"), names)
        homes = [s.section for s in settings() if s.key == name]
        if not hint and homes:
            hint = f" It belongs in [{homes[0]}]."
        return f"got an unknown {'key' if keys else 'table'}, allowed: {', '.join(names)}.{hint}"
    if not keys:
        return f"got {_shown(got)}, allowed: a table"
    allowed = known[keys[0]].allowed
    hint = _suggestion(str(got), allowed.replace(",", "").split()) if kind == "literal_error" else ""
    return f"got {_shown(got)}, allowed: {allowed}{'.' if hint else ''}{hint}"


def _source_problem(source: str) -> str:
    """Why the data source cannot be used, or nothing."""
    from pipeline.data.registry import require_source

    try:
        require_source(source)
    except InputError as error:
        return f"{error.message} {error.tip}".strip()
    return ""


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _in_words(schema: Mapping[str, Any]) -> str:
    """A JSON schema of one value in words: "a number above 0 and at most 1"."""
    values = schema.get("enum") or ([schema["const"]] if "const" in schema else None)
    if values:
        return ("one of " if len(values) > 1 else "") + ", ".join(values)
    kind = {"integer": "an integer", "number": "a number", "string": "text", "boolean": "true or false"}
    if "minimum" in schema and "maximum" in schema:
        return f"{kind[schema['type']]} from {schema['minimum']:.15g} to {schema['maximum']:.15g}"
    limits = [
        f"{words} {schema[key]:.15g}"
        for key, words in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "above"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "below"),
        )
        if key in schema
    ]
    return " ".join([kind[schema["type"]], " and ".join(limits)]).strip()
